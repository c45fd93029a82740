"""The kinds of value in a manifest. A refusal's text is what is allowed, fit to end `allowed: ...`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_PIECE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_LONGEST_SECONDS = 366 * 86400.0

_NAME_PART = re.compile(r"[a-zA-Z0-9._]+")
_DETAIL = re.compile(r"[a-zA-Z0-9._~^-]+")
_OWNER = re.compile(r"[\w.+=:/@-]{1,128}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_ZONE = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9][a-z]")
_INSTANCE_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_MATCHER = re.compile(r"[2-4][0-9][0-9](?:-[2-4][0-9][0-9])?(?:,[2-4][0-9][0-9](?:-[2-4][0-9][0-9])?)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_BREAKS = re.compile("[\0\n\r\ud800-\udfff]")
_BASE = re.compile(r"[a-z][a-z0-9._-]*")


def seconds_of(value: object) -> float:
    """A duration (`30s`, `5m`, `1h30m`, or a number of seconds) in seconds."""
    seconds = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and _DURATION.fullmatch(value.strip()):
        pieces: list[tuple[str, str]] = _PIECE.findall(value)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in pieces)
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise ValueError("a duration such as 30s, 5m or 1h30m, or a number of seconds")
    return seconds


def _whole_seconds(shortest: int, longest: int) -> BeforeValidator:
    """AWS counts these in whole seconds, within bounds."""
    allowed = f"whole seconds from {shortest}s to {longest}s"

    def check(value: object) -> float:
        seconds = seconds_of(value)
        if not (shortest <= seconds <= longest and seconds.is_integer()):
            raise ValueError(allowed)
        return seconds

    return BeforeValidator(check)


def _text(pattern: re.Pattern[str], allowed: str, longest: int = 255) -> BeforeValidator:
    def check(value: object) -> str:
        if isinstance(value, int | float):
            raise ValueError(f"{allowed}; in quotes, or it is {_taken_for(value)}")
        if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
            raise ValueError(allowed)
        return value

    return BeforeValidator(check)


def _whole(least: int, most: int, what: str) -> BeforeValidator:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{what} from {least} to {most}")
        return value

    return BeforeValidator(check)


def _without_hyphens(value: object) -> object:
    if isinstance(value, str) and "-" in value and _NAME_PART.fullmatch(likely := value.replace("-", "_")):
        raise ValueError(
            f"letters, digits, '.' and '_', such as {likely}; a '-' parts the names of application, stack "
            "and detail, as in api-prod-eu-v003"
        )
    return value


def _not_dots_alone(value: str) -> str:
    """No address could lead to it."""
    if not value.strip("."):
        raise ValueError("letters, digits, '.' and '_', and not '.' alone")
    return value


def _taken_for(value: float) -> str:
    return "true or false" if isinstance(value, bool) else "a number"


def _command(value: object) -> str:
    allowed = "a shell command on one line"
    if isinstance(value, int | float):
        raise ValueError(f"{allowed}; in quotes, or it is {_taken_for(value)}")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(allowed)
    return _line(value.strip(), allowed)


def _line(value: object, allowed: str = "text on one line") -> str:
    """What can be written, and does not end early."""
    if not isinstance(value, str) or _BREAKS.search(value):
        raise ValueError(allowed)
    return value


def _health_path(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/[!-~]{0,1023}", value):
        raise ValueError("a path that starts with '/', without spaces")
    return value


def _matcher(value: str) -> str:
    """A range that ends before it begins would match no answer."""
    if any(first > last > "" for first, _, last in (part.partition("-") for part in value.split(","))):
        raise ValueError("HTTP statuses whose ranges go upwards, such as 200-399")
    return value


def _variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise ValueError("a variable's name of letters, digits and '_'")
    if value in {"HOST", "PORT"} or value.startswith("PAVED_"):
        raise ValueError("any variable but HOST, PORT and PAVED_*, which Pavedroad sets")
    return value


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float) or _UNWRITABLE.search(str(value)):
        raise ValueError("text")
    return str(value)


_DURATION_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": rf"^{_DURATION.pattern}$"},
            {"type": "number", "minimum": 0},
        ],
        "examples": ["30s", "5m", "1h30m"],
    }
)
_COUNT_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 1000})
_PORT_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})
_THRESHOLD_SCHEMA = WithJsonSchema({"type": "integer", "minimum": 2, "maximum": 10})

Duration = Annotated[float, BeforeValidator(seconds_of), _DURATION_SCHEMA]
Interval = Annotated[float, _whole_seconds(1, 300), _DURATION_SCHEMA]
Timeout = Annotated[float, _whole_seconds(1, 120), _DURATION_SCHEMA]
Drain = Annotated[float, _whole_seconds(0, 3600), _DURATION_SCHEMA]
NamePart = Annotated[
    str,
    AfterValidator(_not_dots_alone),
    _text(_NAME_PART, "letters, digits, '.' and '_'"),
    BeforeValidator(_without_hyphens),  # which is asked first
    Field(json_schema_extra={"pattern": f"^{_NAME_PART.pattern}$"}),
]
Detail = Annotated[
    str,
    _text(_DETAIL, "letters, digits, '.', '_', '-', '~' and '^'"),
    Field(json_schema_extra={"pattern": f"^{_DETAIL.pattern}$"}),
]
Owner = Annotated[str, _text(_OWNER, "a team's name or an e-mail address, without spaces")]
Region = Annotated[str, _text(_REGION, "a region such as us-east-1")]
Zone = Annotated[str, _text(_ZONE, "a zone such as us-east-1a")]
InstanceType = Annotated[str, _text(_INSTANCE_TYPE, "an instance type such as t3.micro")]
BaseName = Annotated[str, _text(_BASE, "a base image's name such as python3.11")]
Matcher = Annotated[
    str,
    _text(_MATCHER, "HTTP statuses from 200 to 499, such as 200 or 200,204 or 200-399"),
    AfterValidator(_matcher),
]
Line = Annotated[str, BeforeValidator(_line)]
Command = Annotated[str, BeforeValidator(_command)]
HealthPath = Annotated[str, BeforeValidator(_health_path)]
Variable = Annotated[str, BeforeValidator(_variable)]
Setting = Annotated[str, BeforeValidator(_setting)]
Port = Annotated[int, _whole(1, 65535, "a port"), _PORT_SCHEMA]
Count = Annotated[int, _whole(0, 1000, "a whole number"), _COUNT_SCHEMA]
Threshold = Annotated[int, _whole(2, 10, "a whole number"), _THRESHOLD_SCHEMA]
