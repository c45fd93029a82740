# pyright: basic, reportGeneralTypeIssues=false
"""moto's backends as one pickle, and back: its own classes as they are, ours by the names of their fields."""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, lru_cache
from typing import Any

import moto
from moto.backends import get_backend

from pavedroad.localcloud.moto_adapter import kept_objects, pickling
from pavedroad.localcloud.stored_services import SERVED

VERSION: str = moto.__version__
Dump = dict[str, dict[str, dict[str, object]]]

_KEPT = ("acm", "ec2", "iam", "route53", "sns", "sts", *(it.moto for it in SERVED))
"""What callers can have something in. moto makes others in passing (Lambda's, for a bucket that would notify
a function), and not all of those can be pickled."""

_DEEPEST = 10_000
"""Calls within each other while pickling, for which a thread's stack has room. Documents that were read with
Python's usual limit are nested some 1,000 times at most."""

_NO_LONGER = frozenset({"s3", "s3control"})
"""Of older states, whose classes of moto are not imported any more."""

MOVED: dict[str, str] = {}
"""Where a class or function of ours is now, by `module:name` as it was when states were saved with it."""

_OURS = "pavedroad.localcloud."
_LIBRARIES = ("moto.",)
_STANDARD = {
    "builtins": {"bytearray", "complex", "dict", "frozenset", "list", "object", "range", "set"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "copyreg": {"_reconstructor"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "ipaddress": {"IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"},
    "re": {"_compile"},
    "requests.structures": {"CaseInsensitiveDict"},
    "uuid": {"SafeUUID", "UUID"},
    "zoneinfo": {"ZoneInfo"},
}
"""What moto's objects are made of besides its own classes; all that a saved state may name."""


class NotOfState(pickle.UnpicklingError):
    """It names what no saved state has."""


class NewerMoto(ValueError):
    """The state is of a moto that is newer than the one that is installed."""


class MotoForm:
    """How moto's part is written."""

    kind = "moto"
    version = VERSION

    def encode(self, value: Dump) -> bytes:
        try:
            return pickled(value)
        except Exception as error:
            raise pickle.PicklingError(f"{_culprit(value)}: {error}") from error

    def decode(self, body: bytes, version: str) -> Dump:
        """An older moto's is taken as it is, where it can be; a newer one's is not for us to judge."""
        check_version(version)
        saved: Dump = Unpickler(io.BytesIO(body)).load()
        for service in saved.keys() - _NO_LONGER:
            get_backend(service)  # pyright: ignore[reportCallIssue, reportArgumentType]
        return saved


class MotoState:
    """moto's backends as a `Durable`."""

    form = MotoForm()

    def __init__(self, moved: Mapping[str, Callable[[Any], None]] | None = None) -> None:
        """`moved` take what older states have of services that are no longer moto's."""
        self._moved = moved or {}

    def dump(self) -> Dump:
        """Service, account and region (or partition) to backend: live objects, to be pickled at once."""
        return {
            name: {account: dict(regions) for account, regions in known.items()} for name, known in _in_use()
        }

    def load(self, saved: Any) -> None:
        """Put the backends in the place of those that there are."""
        for service, accounts in saved.items():
            if service in self._moved:
                self._moved[service](accounts)
            if service in self._moved or service in _NO_LONGER:
                continue
            known = get_backend(service)  # pyright: ignore[reportCallIssue, reportArgumentType]
            for account, regions in accounts.items():
                for region, backend in regions.items():
                    dict.__setitem__(known[account], region, backend)


def _in_use() -> Iterator[tuple[str, Any]]:
    """What is kept of the services that have been imported, by moto's name of each: some share their backends
    with another."""
    seen: list[object] = []
    for name in _KEPT:
        if f"moto.{name}.models" not in sys.modules:
            continue
        known = get_backend(name)  # pyright: ignore[reportCallIssue, reportArgumentType]
        if dict.__len__(known) and not any(known is it for it in seen):
            seen.append(known)
            yield name, known


class Unpickler(pickle.Unpickler):
    """For saved states alone: it makes nothing but what they are made of."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        module_name, name = MOVED.get(f"{module_name}:{global_name}", f"{module_name}:{global_name}").split(
            ":"
        )
        if (module_name, name) == ("builtins", "getattr"):
            return _public
        if name in _STANDARD.get(module_name, ()):
            return super().find_class(module_name, name)
        if kept_objects.is_kept(module_name, name):
            return kept_objects.Kept
        if not module_name.startswith((_OURS, *_LIBRARIES)) or module_name.startswith("moto.s3."):
            raise NotOfState(f"it names {module_name}.{name}")
        found = super().find_class(module_name, name)
        if isinstance(found, type) or found in (_blank, fill, _fill_versions, *pickling.FUNCTIONS):
            return found
        raise NotOfState(f"it names {module_name}.{name}, which is no class")


def _public(of: object, name: str) -> Any:
    """Methods are written as what they are of and their names; by others one could reach anything."""
    if name.startswith("_"):
        raise NotOfState(f"it names {name} of something")
    return getattr(of, name)


def pickled(value: object) -> bytes:
    """Of anything of moto's, which keeps some of what callers gave as deep as they gave it."""
    try:
        return _pickled(value)
    except RecursionError:
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(_DEEPEST)
        try:
            return _pickled(value)
        finally:
            sys.setrecursionlimit(usual)


def _pickled(value: object) -> bytes:
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol=5)
    pickler.dispatch_table = _dispatch(len(sys.modules))
    pickler.dump(value)
    return file.getvalue()


@lru_cache(maxsize=1)
def _dispatch(_: int) -> dict[type, Any]:
    """What is not written as Python would; looked for again when modules have come."""
    ours = dict.fromkeys(_dataclasses(), _by_name)
    return {**copyreg.dispatch_table, **ours, **pickling.reducers()}


def _dataclasses() -> list[type]:
    """Ours, by which moto's objects were added to."""
    return [
        found
        for name, module in tuple(sys.modules.items())
        if name.startswith(_OURS)
        for found in tuple(vars(module).values())
        if isinstance(found, type) and is_dataclass(found) and found.__module__.startswith(_OURS)
    ]


def _by_name(value: Any) -> tuple[Any, ...]:
    """As `copyreg` has it: how to make it, and what then to put into it."""
    saved = value.__getstate__()
    if isinstance(saved, tuple):
        saved = {**(saved[0] or {}), **saved[1]}
    elif isinstance(saved, list):
        saved = dict(zip((it.name for it in fields(value)), saved, strict=True))
    return _blank, (type(value),), saved, None, None, fill


def _fill_versions(store: Any, saved: dict[str, list[Any]]) -> None:
    dict.update(store, saved)


def _blank(kind: type) -> object:
    return object.__new__(kind)


def fill(value: object, saved: dict[str, Any]) -> None:
    """What it does not have yet is as a new one's; what it has no more is left out."""
    for name, default in _defaults(type(value)).items():
        if name in saved:
            object.__setattr__(value, name, saved[name])
        elif default is None:
            raise ValueError(f"a {type(value).__name__} lacks {name}")
        else:
            object.__setattr__(value, name, default())


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for it in fields(kind):
        if it.default is not MISSING:
            found[it.name] = lambda default=it.default: default
        else:
            found[it.name] = None if it.default_factory is MISSING else it.default_factory
    return found


def check_version(version: str) -> None:
    """A newer moto's objects may lack what this one's code looks for, or mean something else by it."""
    if _numbers(version) > _numbers(VERSION):
        raise NewerMoto(f"it was written with moto {version}, and this is moto {VERSION}")


def _culprit(dump: Dump) -> str:
    """The service that has something that cannot be pickled."""
    for service, accounts in dump.items():
        try:
            pickled(accounts)
        except Exception:
            return service
    return "moto"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
