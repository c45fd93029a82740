"""`paved.yaml` as a manifest. A refusal names file, line, field, what was found and what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pavedroad.core.errors import InvalidInput
from pavedroad.core.showing import shown
from pavedroad.manifest import document
from pavedroad.manifest.document import Document, dotted
from pavedroad.manifest.model import Manifest, known_fields

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILE = "paved.yaml"
_ENDS = (".yaml", ".yml", ".json")
_TELLING = {"application", "owner", "command"}

_MOST_REFUSALS = 5
_LONGEST_FOUND = 80
_KINDS = {
    "string_type": "text",
    "dict_type": "a mapping of names to values",
    "tuple_type": "a list",
    "list_type": "a list",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A manifest's file, and the folder that it speaks of: its own."""

    folder: Path
    file: Path


def find(path: Path) -> Place:
    """Of a folder its `paved.yaml`, else the file itself. Raises InvalidInput where there is none."""
    place = Place(path, path / FILE) if path.is_dir() else Place(path.parent, path)
    if not place.file.exists() and not place.file.is_symlink():
        raise InvalidInput(f"There is no file {place.file}.", next_step=_instead(place))
    return place


def others(folder: Path) -> list[Path]:
    """The files of a folder, besides `paved.yaml`, that are manifests too, such as `prod.yaml`."""
    named = (place for end in _ENDS for place in folder.glob(f"*{end}") if place.name != FILE)
    return sorted(place for place in named if place.is_file() and _is_manifest(place))


def _instead(place: Place) -> str:
    there = others(place.folder) if place.folder.is_dir() else []
    near = difflib.get_close_matches(place.file.name, [other.name for other in there], n=1)
    if near or (there and place.file.name == FILE):
        name = near[0] if near else there[0].name
        return f"Name the one that is there: paved deploy {place.folder / name}"
    return f"Go to a folder with a {FILE}, or write one: paved new NAME."


def _is_manifest(file: Path) -> bool:
    try:
        return document.read(_content(file), str(file)).values.keys() >= _TELLING
    except InvalidInput:
        return False


def load(path: Path) -> Manifest:
    """Of a file, or of a folder's `paved.yaml`."""
    file = find(path).file
    return parse(_content(file), str(file))


def _content(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise InvalidInput(f"{file} cannot be read: it is neither a file nor a folder.")
    try:
        with file.open("rb") as opened:
            content = opened.read(document.LARGEST + 1)
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read: {error.strerror}.", next_step="Give this user the right to read it."
        ) from None
    if len(content) > document.LARGEST:
        raise InvalidInput(
            f"{file} is {file.stat().st_size:,} bytes large; allowed are {document.LARGEST:,}."
        )
    return content


def parse(content: bytes, source: str = FILE) -> Manifest:
    """Of a file's content; `source` names it in refusals."""
    read = document.read(content, source)
    try:
        return Manifest.model_validate(read.values)
    except ValidationError as error:
        raise _refusal(read, error) from None


def validate(values: dict[str, Any], source: str = "manifest") -> Manifest:
    """Of values that came without a file; refusals name the field alone."""
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        sentences = [f"{source}: {_sentence(details, None)}" for details in error.errors()]
        raise InvalidInput("\n".join(sentences[:_MOST_REFUSALS])) from None


def _refusal(read: Document, error: ValidationError) -> InvalidInput:
    refusals: list[tuple[int, int, str]] = []
    for details in error.errors():
        spot = read.spot(_path(details))
        position = spot.key if details["type"] in {"extra_forbidden", "missing"} else spot.value
        found = read.spot(_path(details)).text
        refusals.append((position.line, position.column, _sentence(details, found)))
    refusals.sort()
    lines = [f"{read.source}:{line}:{column}: {sentence}" for line, column, sentence in refusals]
    if len(lines) > _MOST_REFUSALS:
        lines[_MOST_REFUSALS:] = [f"and {len(lines) - _MOST_REFUSALS} more"]
    return InvalidInput("\n".join(lines), next_step="See all fields: paved schema.")


def _sentence(details: ErrorDetails, text: str | None) -> str:
    path = _path(details)
    if details["type"] == "missing":
        return f"{dotted(path)} is missing: {_meaning(path)}"
    if details["type"] == "extra_forbidden":
        return _unknown(path)
    field = f"{dotted(path)}: " if path else ""
    return f"{field}found {_found(details['input'], text)}; allowed: {_allowed(details)}."


def _unknown(path: document.Path) -> str:
    allowed = known_fields(tuple(str(part) for part in path[:-1]))
    near = difflib.get_close_matches(str(path[-1]), allowed, n=1)
    guess = f"; did you mean '{near[0]}'?" if near else "."
    return f"{dotted(path)} is not a field{guess} Allowed: {', '.join(allowed)}."


def _allowed(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details.get("ctx", {}).get("error", ""))
    if kind == "model_type":
        fields = known_fields(tuple(str(part) for part in details["loc"]))
        return f"a mapping with the fields {', '.join(fields)}"
    if kind == "literal_error":
        return str(details.get("ctx", {}).get("expected", ""))
    return _KINDS.get(kind, details["msg"].removeprefix("Input should be "))


def _found(value: object, text: str | None) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    found = shown(str(value) if text is None else text)
    return f"'{found if len(found) <= _LONGEST_FOUND else found[:_LONGEST_FOUND] + '…'}'"


def _path(details: ErrorDetails) -> document.Path:
    return tuple(part for part in details["loc"] if part != "[key]")


def _meaning(path: document.Path) -> str:
    schema = Manifest.model_fields if len(path) == 1 else {}
    field = schema.get(str(path[-1]))
    text = (field.description or "") if field else ""
    return f"{text[:1].lower()}{text[1:]}" or "it is required."
