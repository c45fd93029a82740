"""A YAML document, or a JSON one, as plain values that remember where they stand.

Only what a manifest needs: no anchors, no tags, no second document; text stays text unless it is plainly a
number, `true`, `false` or nothing.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Protocol

import yaml

from pavedroad.core.errors import InvalidInput

Path = tuple[str | int, ...]

_HALF = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONG_ESCAPE = re.compile(r"\\U([0-9a-fA-F]{8})")

LARGEST = 64 * 1024
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Position:
    """Counted from one."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a field stands: its key, its value, and the value's text where it is a scalar."""

    key: Position
    value: Position
    text: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """`source` names the file in errors."""

    source: str
    values: dict[str, object]
    spots: dict[Path, Spot]

    def spot(self, path: Path) -> Spot:
        """Of the field, or of the nearest field around it."""
        while path not in self.spots:
            path = path[:-1]
        return self.spots[path]


class _Mark(Protocol):
    """PyYAML's, of which the stubs know two kinds."""

    line: int
    column: int


class _Loader(yaml.SafeLoader):
    """Plain words are text: YAML 1.1's yes, no, on, off, dates and sexagesimal numbers are not for us."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("float", r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", "-+0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType] - the stubs leave it open
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def refuse(source: str, position: Position, sentence: str) -> InvalidInput:
    """To be raised."""
    return InvalidInput(
        f"{source}:{position.line}:{position.column}: {sentence}", next_step="See all fields: paved schema."
    )


def read(content: bytes, source: str) -> Document:
    """Parse; what is not a mapping of fields is `InvalidInput`."""
    if len(content) > LARGEST:
        raise InvalidInput(f"{source} is {len(content):,} bytes large; allowed are {LARGEST:,}.")
    text = _without_tabs(_decoded(content, source))
    try:
        _check_events(text, source)
        root = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark if error.problem_mark is not None else error.context_mark
        position = _at(mark)
        raise refuse(source, position, _syntax(error, text, position)) from None
    except yaml.reader.ReaderError as error:
        position = _position(text, error.position)
        raise refuse(source, position, "a control character is not allowed.") from None
    except (ValueError, OverflowError):
        beyond = next(found for found in _LONG_ESCAPE.finditer(text) if int(found[1], 16) > sys.maxunicode)
        raise refuse(
            source, _position(text, beyond.start()), f"found {beyond[0]}, and no character has this number."
        ) from None
    if root is None:
        raise refuse(
            source, Position(1, 1), "the file is empty; at least application, owner and command are needed."
        )
    start = _at(root.start_mark)
    if not isinstance(root, yaml.MappingNode):
        raise refuse(
            source, start, "found a value; allowed is a mapping of fields, such as 'application: hello'."
        )
    spots: dict[Path, Spot] = {(): Spot(start, start, None)}
    return Document(source, _Walk(source, spots).mapping(root, ()), spots)


class _Walk:
    """From nodes to values, noting each field's spot."""

    def __init__(self, source: str, spots: dict[Path, Spot]) -> None:
        self._source = source
        self._spots = spots

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in node.value:
            where = _at(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise refuse(
                    self._source, where, "found a list or a mapping as a field's name; allowed is text."
                )
            name = self._text(key)
            if name in values:
                first = self._spots[(*path, name)].key.line
                field = dotted((*path, name))
                raise refuse(self._source, where, f"{field} is there twice; the first is on line {first}.")
            values[name] = self._value(value, (*path, name), where)
        return values

    def _value(self, node: yaml.Node, path: Path, key: Position) -> object:
        text = self._text(node) if isinstance(node, yaml.ScalarNode) else None
        self._spots[path] = Spot(key, _at(node.start_mark), text)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(child, (*path, number), _at(child.start_mark))
                for number, child in enumerate(node.value)
            ]
        if path[0] == "environment" and len(path) == 2:
            return text  # as it is written: 1.10 stays 1.10
        return _scalar(str(node.tag), text or "")

    def _text(self, node: yaml.ScalarNode) -> str:
        """JSON escapes what is beyond 16 bits in two halves, which are one character."""
        try:
            text = str(node.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            lone = _alone(str(node.value))[0]
            found = f"found \\u{ord(lone):04x}, which is half of a character; write both halves, or none."
            raise refuse(self._source, _at(node.start_mark), found) from None
        if "\0" in text:
            raise refuse(self._source, _at(node.start_mark), "found \\0, which no text may hold.")
        return text


def _scalar(tag: str, text: str) -> object:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text)
    return float(text) if kind == "float" else text


def dotted(path: Path) -> str:
    """`health.path`, `zones[1]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _alone(text: str) -> list[str]:
    """The halves of pairs that stand without the other."""
    return _HALF.findall(_PAIR.sub("", text))


def _without_tabs(text: str) -> str:
    """JSON may be indented by tabs, and has none in its texts; the parser of YAML would refuse them."""
    if "\t" not in text or not text.lstrip().startswith("{"):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")


def _check_events(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, _Loader):
        position = _at(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refuse(
                source, position, "anchors and aliases (& and *) are not allowed; write the value out."
            )
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise refuse(source, position, f"found the tag '{event.tag}'; tags (!) are not allowed.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise refuse(
                    source, position, f"found more than {_DEEPEST} levels; a manifest has at most 3."
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax(error: yaml.MarkedYAMLError, text: str, position: Position) -> str:
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    if "\t" in line[: position.column]:
        return "found a tab; indentation is by spaces."
    if "but found another document" in str(error.problem):
        return "found a second document after '---'; a manifest is one."
    return f"this is not YAML: {error.problem or error.context}."


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        found = f"found the byte 0x{content[error.start]:02x}; allowed is text in UTF-8."
        raise refuse(source, _position(before, len(before)), found) from None


def _position(text: str, index: int) -> Position:
    before = text[:index]
    return Position(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _at(mark: _Mark | None) -> Position:
    if mark is None:
        return Position(1, 1)
    return Position(mark.line + 1, mark.column + 1)
