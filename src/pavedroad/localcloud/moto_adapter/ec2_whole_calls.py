# pyright: basic
"""A call of EC2 changes all that it says, or nothing: what moto has changed before it refuses is taken back.

What a call can change is what there is (the backend's collections), and the things that it names. Both are
copied one level deep, and put back into the same objects: others hold these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_forgetting import HOLDERS

_OF_MANY = {"by_id", "reservations", "answers", "client_tokens", "captures", "_instances"}
"""Collections that launches keep whole themselves, or that are none of a call's."""


class Before:
    """How things are before a call."""

    def __init__(self, backend: LocalEC2Backend, form: Mapping[str, str]) -> None:
        self._backend = backend
        self._kept: list[tuple[Any, Any]] = []
        for name, value in vars(backend).items():
            if name not in _OF_MANY and name != "tags":
                self._keep(value)
                if name in ("groups", "subnets"):
                    for inner in value.values():
                        self._keep(inner)
        self._settings = {name: it for name, it in vars(backend).items() if isinstance(it, str | bool)}
        named = {value for value in form.values() if "-" in value}
        self._tags = {one: dict(backend.tags[one]) for one in named if one in backend.tags}
        self._named = named
        for thing in self._things(named, form):
            self._keep_thing(thing)
            for rule in (*vars(thing).get("ingress_rules", ()), *vars(thing).get("egress_rules", ())):
                self._keep_thing(rule)

    def restore(self) -> None:
        vars(self._backend).update(self._settings)
        for thing, copied in self._kept:
            if isinstance(thing, dict):
                if dict.items(thing) != copied.items() or list(thing) != list(copied):
                    dict.clear(thing)
                    dict.update(thing, copied)
            elif isinstance(thing, list):
                thing[:] = copied
            elif isinstance(thing, set):
                thing.clear()
                thing.update(copied)
        for one in self._named:
            self._backend.tags.pop(one, None)
            if one in self._tags:
                self._backend.tags[one].update(self._tags[one])

    def _keep(self, value: Any) -> None:
        if isinstance(value, dict):
            self._kept.append((value, dict(value)))
        elif isinstance(value, list):
            self._kept.append((value, list(value)))
        elif isinstance(value, set):
            self._kept.append((value, set(value)))

    def _keep_thing(self, thing: Any) -> None:
        fields = vars(thing)
        self._keep(fields)
        for value in fields.values():
            self._keep(value)

    def _things(self, named: set[str], form: Mapping[str, str]) -> Iterable[Any]:
        backend = self._backend
        for one in named:
            holder = getattr(backend, HOLDERS.get(one.rpartition("-")[0], ""), None)
            if isinstance(holder, dict) and one in holder:
                yield holder[one]
        names = {form.get("GroupName"), *named}
        for groups in backend.groups.values():
            yield from (group for group in groups.values() if group.id in names or group.name in names)
        for zone in backend.subnets.values():
            yield from (subnet for known, subnet in zone.items() if known in named)
        yield from (
            it for it in backend.addresses if it.allocation_id in named or it.public_ip in form.values()
        )
