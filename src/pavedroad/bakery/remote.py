"""What is provably from elsewhere, and so the same for whoever asks: requirements, what uv and npm read.

Whatever is not understood is not. What is local and outside of the folder is refused: it was not sent.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from packaging.requirements import InvalidRequirement, Requirement

from pavedroad.core.errors import InvalidInput

_URL = re.compile(r"(?:https?|(?:git|hg|svn|bzr)\+(?:https?|ssh|git|svn)|git|ssh)://\S+")
_FILE = re.compile(r"^(?:(?:git|hg|svn|bzr)\+)?(?:file|link|portal):(?://(?:localhost)?)?")
_ARCHIVE = re.compile(r"\.(?:whl|zip|egg|tgz|tbz|txz|tlz|tar(?:\.\w+)?)$", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_HASHES = re.compile(r"\s--hash[= ]\S+")
_OPTION = re.compile(
    r"--(?:pre|prefer-binary|require-hashes)"
    r"|--(?:no-binary|only-binary|trusted-host)[= ]\s*\S+"
    rf"|(?:-i|-f|--index-url|--extra-index-url|--find-links)[= ]\s*{_URL.pattern}"
)
# uv's settings that name no files, but for those whose values are looked at.
_LINES = ("constraint-dependencies", "override-dependencies", "build-constraint-dependencies")
_NO_FILES = (
    "compile-bytecode concurrent-builds conflicts default-groups dependency-groups dev-dependencies "
    "environments exclude-newer fork-strategy index index-strategy link-mode managed no-binary "
    "no-binary-package no-build no-build-package package prerelease python-downloads python-preference "
    "required-environments required-version resolution sources"
)
_SETTINGS = frozenset(_NO_FILES.split()).union(_LINES)
_NPM_VERSION = re.compile(r"(?:npm:(?:@[\w.~-]+/)?[\w.~-]+@?)?[\w.+*^~<>=| -]*")
_NPM_REPOSITORY = re.compile(r"(?:(?:github|gitlab|bitbucket|gist):)?[\w-][\w.-]*/[\w.-]+(?:#\S+)?")
_NPM_SETTING = re.compile(
    r"|[;#].*"
    r"|(?:@[\w.-]+:)?registry\s*=\s*https?://\S+"
    r"|//[^\s=]+:(?:_authToken|_auth|_password|username|email|always-auth)\s*=.*"
    r"|(?:always-auth|audit|engine-strict|fund|legacy-peer-deps|loglevel|package-lock|progress|save-exact"
    r"|save-prefix|strict-peer-deps|strict-ssl)\s*=\s*[\w^~]*"
)


def logical_lines(text: str) -> list[str]:
    """Of a requirements file: those that go on joined, without comments."""
    joined = re.sub(r"[ \t]*\\\r?\n[ \t]*", " ", text)
    bare = (_COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in bare if line]


def are_remote(lines: Iterable[str], where: str = "") -> bool:
    """Whether all of these requirements are, none of which is an include; `where` is their file's folder."""
    found = [_is_remote(_HASHES.sub("", line), where) for line in lines]  # each is looked at, and may refuse
    return all(found)


def settings_are_remote(settings: Mapping[str, Any]) -> bool:
    """Of uv, as in `[tool.uv]`."""
    lines = [line for name in _LINES for line in _list(settings, name)]
    sources = [
        source
        for given in table(settings, "sources").values()
        for source in (cast("list[Any]", given) if isinstance(given, list) else [given])
    ]
    found = [
        settings.keys() <= _SETTINGS,
        *(_is_remote_source(source) for source in sources),
        *(_is_url(index, "url") for index in _list(settings, "index")),
        are_remote(str(line) for line in lines),
    ]
    return all(found)


def lock_is_remote(text: str) -> bool:
    """Of uv, but for the project itself, which is not installed from it."""
    try:
        packages = cast("list[dict[str, Any]]", tomllib.loads(text).get("package", []))
        sources = [table(package, "source") for package in packages]
    except (tomllib.TOMLDecodeError, AttributeError):
        return False
    found = [_is_remote_locked(source) for source in sources]
    return all(found)


def npm_is_remote(package: Mapping[str, Any], files: Mapping[str, str]) -> bool:
    """Of a package.json, and of npm's lock and settings beside it."""
    groups = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides")
    specs = [spec for group in groups for spec in _texts(package.get(group, {}))]
    found = [
        "workspaces" not in package,
        *(_is_remote_spec(spec) for spec in specs),
        *(_is_remote_npm_lock(text) for name, text in files.items() if name.endswith(".json")),
        *(_NPM_SETTING.fullmatch(line.strip()) for line in files.get(".npmrc", "").splitlines()),
    ]
    return all(found)


def _is_remote(line: str, where: str) -> bool:
    if _OPTION.fullmatch(line) or _URL.fullmatch(line):
        return True
    reference = line
    if line.startswith("-"):
        reference = re.split(r"[=\s]\s*", line, maxsplit=1)[-1]
    else:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            reference = re.split(r"\s*;|\[", line, maxsplit=1)[0]
        else:
            if requirement.url is None and not _ARCHIVE.search(requirement.name):
                return True
            if requirement.url is not None and _URL.fullmatch(requirement.url):
                return True
            reference = requirement.url or requirement.name
    _refuse_outside(reference, where)
    return False


def _refuse_outside(reference: str, where: str = "") -> None:
    path = _FILE.sub("", reference.strip())
    inside = posixpath.normpath(posixpath.join(where, path))
    if path.startswith(("/", "~", "${")) or inside.split("/")[0] == "..":
        raise InvalidInput(
            f"The build needs '{reference}', which is outside of the folder, and only the folder is sent.",
            next_step="Copy it into the folder, or name a version that is published.",
        )


def _is_remote_source(source: Any) -> bool:
    if not isinstance(source, dict):
        return False
    table = cast("dict[str, Any]", source)
    if table.get("path"):
        _refuse_outside(str(table["path"]))
    return not table.keys() & {"path", "workspace"} and (
        "index" in table or _is_url(table, "url") or _is_url(table, "git")
    )


def _is_remote_locked(source: Mapping[str, Any]) -> bool:
    """`{registry = "https://..."}` and its like; the project itself is `{editable = "."}` or virtual."""
    local = [str(source[name]) for name in ("path", "directory", "editable", "virtual") if name in source]
    for path in local:
        _refuse_outside(path)
    if local:
        return local == ["."] and "path" not in source and "directory" not in source
    return any(_is_url(source, name) for name in ("registry", "git", "url"))


def _is_url(table: Any, name: str) -> bool:
    value = cast("dict[str, Any]", table).get(name) if isinstance(table, dict) else None
    return isinstance(value, str) and bool(_URL.fullmatch(value))


def _list(table: Mapping[str, Any], name: str) -> list[Any]:
    value = table.get(name, [])
    return cast("list[Any]", value) if isinstance(value, list) else ["file:"]  # which is not remote


def _is_remote_spec(spec: str) -> bool:
    if _URL.fullmatch(spec) or spec.startswith("$"):
        return True
    plain = _NPM_VERSION.fullmatch(spec) or _NPM_REPOSITORY.fullmatch(spec)
    if plain and not _ARCHIVE.search(spec) and not spec.startswith((".", "/", "~/")):
        return True
    _refuse_outside(spec)
    return False


def _is_remote_npm_lock(text: str) -> bool:
    try:
        lock = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(lock, dict):
        return False
    read = cast("dict[str, Any]", lock)
    packages = table(read, "packages")
    if any(place and not place.startswith("node_modules/") for place in packages):
        return False
    entries = [cast("dict[str, Any]", entry) for entry in packages.values() if isinstance(entry, dict)]
    entries += _nested(table(read, "dependencies"))
    return all(
        not entry.get("link")
        and _URL.fullmatch(str(entry.get("resolved") or "https://registry"))
        and _is_remote_spec(str(entry.get("version") or ""))
        for entry in entries
    )


def _nested(dependencies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a lock of npm 6, all that it holds."""
    found: list[dict[str, Any]] = []
    waiting = list(dependencies.values())
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, dict):
            found.append(cast("dict[str, Any]", entry))
            waiting += table(found[-1], "dependencies").values()
    return found


def _texts(value: Any) -> Iterator[str]:
    """All texts in a table of tables; what is neither says that nothing is known."""
    if isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from _texts(inner)
    else:
        yield value if isinstance(value, str) else "file:"


def table(parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table in a table; an empty one where there is none, or something else."""
    value = parent.get(name, {})
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
