"""A cloud's saved state: what of it is one service's in one region, as lines of text."""

from __future__ import annotations

import io
import json
import pickle
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

from pavedroad.localcloud.api import container

_OURS = {
    "autoscaling": "autoscaling",
    "cloudwatch": "monitoring",
    "elb": "elb",
    "elbv2": "elasticloadbalancing",
    "s3": "s3",
    "sqs": "sqs",
}
_TOGETHER = {"iam": ("iam", "sts")}
_REACHES = {"sns": "sqs"}
"""Whose messages come to another service's part."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?"
_SET = re.compile(r"(^|(?<=delegationset/))(?!ALARM)[A-Z0-9]{5}$")
"""As Route 53 spells its own."""
_SPELT = re.compile(rf"{_UUID}|{_TIME}|[A-Za-z0-9]*[0-9][A-Za-z0-9]*|[A-Za-z0-9]{{16,}}")
_SHORTEST, _LONGEST = 6, 300
_WHOLE = (bool, int, float, str, bytes, datetime, date, IPv4Address, IPv4Network, IPv6Address, IPv6Network)


class _Object(dict[Any, Any]):
    """Whatever of moto's or ours: what was kept of it, and nothing that it does."""

    def __new__(cls, *made_of: Any, **_: Any) -> _Object:
        made = super().__new__(cls)
        vars(made).update({"made of": made_of} if made_of else {})
        return made

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        for named in state if isinstance(state, tuple) else (state,):
            vars(self).update(named or {})

    def append(self, item: Any) -> None:
        vars(self).setdefault("appended", []).append(item)

    add = append
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]
    __eq__ = object.__eq__


class _Reader(pickle.Unpickler):
    """Of moto's part, as it is written, without moto."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if global_name == "getattr":
            return lambda _, name: name  # a method, by which something is to be found
        if not module_name.startswith(("moto.", "pavedroad.")):
            return super().find_class(module_name, global_name)
        if global_name == "_blank":
            return lambda kind: kind()
        if global_name in ("fill", "_fill_versions"):
            return _Object.__setstate__
        return _Object


@lru_cache(maxsize=8)
def saved(file: Path) -> Saved:
    return Saved(file)


class Saved:
    """One file of it."""

    def __init__(self, file: Path) -> None:
        self.parts = {it.name: it for it in container.unpack(file.read_bytes())}

    def bodies(self, service: str) -> bytes:
        """What an operation of that service may change, as it is on disk."""
        return b"".join(
            part.body
            for name, part in self.parts.items()
            if name in ("moto", _OURS.get(service), _REACHES.get(service))
        )

    @cached_property
    def _moto(self) -> Any:
        return _Reader(io.BytesIO(self.parts["moto"].body)).load()

    def lines(self, service: str, region: str) -> list[str]:
        """Names and times that were made up are left out, so that two like states have like lines."""
        reached = self.lines(_REACHES[service], region) if service in _REACHES else []
        if name := _OURS.get(service):
            kept: Any = json.loads(self.parts[name].body)
            regions: list[Any] = kept["buckets"] if name == "s3" else kept
            found: Any = [it for it in regions if region in (it.get("region"), it.get("name"))]
        else:
            found = [
                it
                for of in _TOGETHER.get(service, (service,))
                for regions in self._moto.get(of, {}).values()
                for name, it in regions.items()
                if name in (region, "aws")
            ]
        return [*_lines(found, "", set()), *reached]


def _lines(value: Any, where: str, met: set[int]) -> Iterator[str]:
    if value is None or isinstance(value, _WHOLE):
        yield f"{where} = {_plain(value)}"
        return
    if isinstance(value, set | frozenset):
        yield from sorted(line for it in value for line in _lines(it, f"{where}{{}}", met))  # pyright: ignore
        return
    if id(value) in met:
        yield f"{where} = again"
        return
    met.add(id(value))
    if isinstance(value, dict):
        yield from _named(dict.items(value), where, met)  # pyright: ignore
    elif isinstance(value, Iterable):
        for it in value:  # pyright: ignore
            yield from _lines(it, f"{where}[]", met)
    if hasattr(value, "__dict__"):
        yield from _named(vars(value).items(), where, met)


def _named(items: Iterable[tuple[Any, Any]], where: str, met: set[int]) -> Iterator[str]:
    for name, it in items:
        yield from _lines(it, f"{where}.{_plain(name)}", met)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date | float):
        return "#"
    text = _SET.sub("#", str(value))
    if len(text) > _LONGEST:
        return "#"
    return _SPELT.sub(lambda it: it[0] if len(it[0]) < _SHORTEST else "#", text)
