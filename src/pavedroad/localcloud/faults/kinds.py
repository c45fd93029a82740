"""The kinds of faults: on what each works, what may be said about it, and what it does, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pavedroad.core.errors import InvalidInput
from pavedroad.localcloud.faults.model import Value

Target = Literal["zone", "region", "instance", "operation"]

_THROUGH = "requests through load balancers and health checks"
_ALL = "all traffic but that with the metadata service"
_NO_OTHER = "other traffic is not affected"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether what is lost, and what is late, is so in all of an instance's traffic, as where that has a
    network of its own. Else only in what load balancers and health checks ask of it."""

    losses: bool = False
    delays: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """`default` says the type too; None where it has to be given. Numbers lie between `low` and `high`."""

    name: str
    default: Value | None
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()

    def read(self, given: object) -> Value:
        """The value, in its own type. `InvalidInput` with a sentence where it is none."""
        if isinstance(self.default, bool):
            if isinstance(given, bool):
                return given
            raise InvalidInput(f"'{self.name}' is either true or false.")
        if isinstance(self.default, str):
            return self._text(given)
        if (
            isinstance(given, bool)
            or not isinstance(given, int | float)
            or not self.low <= given <= self.high
        ):
            raise InvalidInput(f"'{self.name}' is a number from {self.low:g} to {self.high:g}.")
        return given

    def document(self) -> dict[str, Any]:
        """For forms: what it is called, what it is left at, and what else it may be."""
        return {
            "name": self.name,
            "default": self.default,
            "low": self.low,
            "high": self.high,
            "choices": list(self.choices),
        }

    def _text(self, given: object) -> str:
        if not isinstance(given, str) or len(given) > 100:
            raise InvalidInput(f"'{self.name}' is a text of at most 100 characters.")
        if self.choices and given not in self.choices:
            raise InvalidInput(f"'{self.name}' is one of {', '.join(self.choices)}.")
        return given


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    target: Target
    says: Callable[[str, Mapping[str, Value], Reach], str]
    """Target, parameters and reach -> what it does, in a sentence."""
    parameters: tuple[Parameter, ...] = ()
    momentary: bool = False
    """It is over once it has happened."""
    repeatable: bool = False
    """Several may work on one target at a time."""

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "target": self.target,
            "momentary": self.momentary,
            "parameters": [parameter.document() for parameter in self.parameters],
        }

    def read(self, given: Mapping[str, object]) -> dict[str, Value]:
        """All parameters, defaults included."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if unknown := [name for name in given if name not in known]:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InvalidInput(f"A fault of the kind {self.name} has no parameter '{unknown[0]}': {has}.")
        values: dict[str, Value] = {}
        for name, parameter in known.items():
            if name in given:
                values[name] = parameter.read(given[name])
            elif parameter.default is None:
                raise InvalidInput(f"A fault of the kind {self.name} needs the parameter '{name}'.")
            else:
                values[name] = parameter.default
        return values


def kind(name: object) -> Kind:
    if isinstance(name, str) and (found := KINDS.get(name)):
        return found
    raise InvalidInput(f"There is no such kind of fault; there are: {', '.join(KINDS)}.")


def _zone_down(zone: str, given: Mapping[str, Value], reach: Reach) -> str:
    if given["unreachable"]:
        what = f"and {_ALL} is lost" if reach.losses else f"{_THROUGH} do not get to them"
        return f"The zone {zone} cannot be reached: its instances run, {what}."
    return f"The zone {zone} is down: its instances have died, and nothing can be launched there."


def _region_down(region: str, given: Mapping[str, Value], reach: Reach) -> str:
    fate = "cannot be reached" if given["unreachable"] else "have died"
    return f"The region {region} is down: all its instances {fate}, and its API answers 503."


def _network(instance: str, given: Mapping[str, Value], reach: Reach) -> str:
    if given["cut"]:
        what = f"{_ALL} is lost" if reach.losses else f"{_THROUGH} do not get to it; {_NO_OTHER}"
        return f"{instance} is cut off: {what}."
    parts: list[tuple[str, bool]] = []
    if given["delay_ms"] or given["jitter_ms"]:
        jitter = f" +- {given['jitter_ms']:g} ms" if given["jitter_ms"] else ""
        parts.append((f"what it sends takes {given['delay_ms']:g} ms{jitter} longer", reach.delays))
    if given["loss_percent"]:
        parts.append((f"{given['loss_percent']:g} % of what it is sent and sends is lost", reach.losses))
    if len({everywhere for _, everywhere in parts}) == 1:
        return f"{instance}: {' and '.join(part for part, _ in parts)}, {_where(parts[0][1])}."
    return f"{instance}: {'; '.join(f'{part}, {_where(everywhere)}' for part, everywhere in parts)}."


def _where(everywhere: bool) -> str:
    return f"in {_ALL}" if everywhere else f"in {_THROUGH}; {_NO_OTHER}"


def _api(target: str, given: Mapping[str, Value], reach: Reach) -> str:
    failing = {
        "throttling": "are throttled",
        "failing": "fail with an internal error",
        "unavailable": "are answered 503",
        "none": "are answered",
    }[str(given["error"])]
    share = f"{float(given['rate']) * 100:g} % of the calls" if given["rate"] != 1 else "All calls"
    late = f" after {given['delay_ms']:g} ms" if given["delay_ms"] else ""
    where = f" in {given['region']}" if given["region"] else ""
    return f"{share} of {target}{where} {failing}{late}."


def _limit(target: str, given: Mapping[str, Value], reach: Reach) -> str:
    where = f" in {given['region']}" if given["region"] else ""
    return f"More than {given['per_second']:g} calls a second of {target}{where} are throttled."


def _processors(instance: str, given: Mapping[str, Value], reach: Reach) -> str:
    cores = given["cores"]
    what = "a processor" if cores == 1 else f"each of {cores:g} processors"
    return f"{instance} takes {given['percent']:g} % of {what}."


def _capacity(zone: str, given: Mapping[str, Value], reach: Reach) -> str:
    what = given["instance_type"] or "instances of any type"
    return f"There is no capacity for {what} in {zone}."


_UNREACHABLE = Parameter("unreachable", False)
_REGION = Parameter("region", "")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("zone-down", "zone", _zone_down, (_UNREACHABLE,)),
        Kind("region-down", "region", _region_down, (_UNREACHABLE,)),
        Kind(
            "instance-hung",
            "instance",
            lambda target, _, reach: (
                f"{target} hangs: none of its processes runs, and its status checks fail."
            ),
        ),
        Kind(
            "instance-cpu",
            "instance",
            _processors,
            (Parameter("cores", 1, 1, 64), Parameter("percent", 100, 1, 100)),
        ),
        Kind(
            "instance-memory",
            "instance",
            lambda target, given, reach: (
                f"A process in {target} takes {given['percent']:g} % of its type's memory."
            ),
            (Parameter("percent", 80, 1, 95),),
        ),
        Kind(
            "instance-disk",
            "instance",
            lambda target, given, reach: (
                f"A process in {target} writes {given['megabytes']:g} MB to its disk, "
                f"{given['megabytes_per_second']:g} MB a second."
            ),
            (Parameter("megabytes", 1024, 1, 102400), Parameter("megabytes_per_second", 100, 1, 10000)),
        ),
        Kind(
            "instance-kill",
            "instance",
            lambda target, _, reach: (
                f"The machine under {target} has failed: all its processes were killed at once."
            ),
            momentary=True,
        ),
        Kind(
            "network",
            "instance",
            _network,
            (
                Parameter("delay_ms", 0, 0, 60000),
                Parameter("jitter_ms", 0, 0, 60000),
                Parameter("loss_percent", 0, 0, 100),
                Parameter("cut", False),
            ),
        ),
        Kind(
            "api",
            "operation",
            _api,
            (
                Parameter("rate", 1, 0, 1),
                Parameter("error", "throttling", choices=("throttling", "failing", "unavailable", "none")),
                Parameter("delay_ms", 0, 0, 60000),
                _REGION,
            ),
            repeatable=True,
        ),
        Kind(
            "api-limit",
            "operation",
            _limit,
            (Parameter("per_second", None, 0.01, 100000), Parameter("burst", 0, 0, 100000), _REGION),
        ),
        Kind("capacity", "zone", _capacity, (Parameter("instance_type", ""),), repeatable=True),
        Kind(
            "spot-interruption",
            "instance",
            lambda target, given, reach: (
                f"The spot instance {target} is interrupted: it has its notice, and is terminated "
                f"{given['notice_seconds']:g} seconds after it."
            ),
            (Parameter("notice_seconds", 120, 0, 3600),),
        ),
        Kind(
            "clock-skew",
            "instance",
            lambda target, given, reach: (
                f"The clock of {target} is off by {given['offset_seconds']:g} seconds from its next boot on, "
                "for dynamically linked programs."
            ),
            (Parameter("offset_seconds", None, -3155760000, 3155760000),),
        ),
    )
}
"""By name, in the order in which they are shown."""
