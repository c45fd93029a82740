"""AWS/EC2: what instances have used, as percentages and sums over a minute or five."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pavedroad.localcloud.measured import GuestMeasure, Measurements
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing.rises import Rises
from pavedroad.localcloud.publishing.views import InstanceView, Place

NAMESPACE = "AWS/EC2"
MINUTE = 60
BASIC_MINUTES = 5
_MANY = 20
_STATUS = ("StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System")
_UNITS = {
    "CPUUtilization": "Percent",
    "NetworkIn": "Bytes",
    "NetworkOut": "Bytes",
    "NetworkPacketsIn": "Count",
    "NetworkPacketsOut": "Count",
    "DiskReadBytes": "Bytes",
    "DiskWriteBytes": "Bytes",
    "EBSReadBytes": "Bytes",
    "EBSWriteBytes": "Bytes",
    "EBSReadOps": "Count",
    "EBSWriteOps": "Count",
    **dict.fromkeys(_STATUS, "Count"),
}

_NEVER_DETAILED = ("NetworkPacketsIn", "NetworkPacketsOut")
"""On AWS these come every five minutes, however an instance is monitored."""

Dimensions = tuple[tuple[str, str], ...]
Values = dict[str, float]
"""Of one instance in one minute, by metric."""


@dataclass(slots=True)
class _Use:
    """What an instance's boots have used together in a minute."""

    cpu_seconds: float = 0.0
    read_bytes: float | None = 0.0
    written_bytes: float | None = 0.0
    counted: Values = field(default_factory=dict[str, float])
    """What is known of some only, by metric: by networks of their own, and control groups that count."""


@dataclass(slots=True)
class _Backlog:
    """The minutes of an instance that have not been published, and where they began."""

    period: int
    minutes: list[Values] = field(default_factory=list[Values])


class InstanceMetrics:
    """Given the measurements of each minute in turn."""

    def __init__(self) -> None:
        self._uses = Rises()
        self._moves = Rises()
        self._at: float | None = None
        self._backlogs: dict[str, _Backlog] = {}

    def samples(
        self, minute: int, measured: Measurements, instances: Iterable[InstanceView]
    ) -> dict[Place, list[Sample]]:
        """Of the minute that began at `minute`, a multiple of 60. The first measurements are but where the
        next ones begin."""
        seconds = MINUTE if self._at is None else max(1.0, measured.at - self._at)
        used = self._used(measured)
        moved = self._moved(measured)
        first, self._at = self._at is None, measured.at
        self._uses.end_round()
        self._moves.end_round(complete=measured.traffic is not None)
        if first:
            return {}
        found: dict[Place, _Published] = defaultdict(_Published)
        known: set[str] = set()
        for instance in instances:
            known.add(instance.id)
            published = found[instance.place]
            published.status(minute, instance)
            use = used.get(instance.id)
            if use is not None:
                values = _values(instance, use, moved.get(instance.address, (0.0, 0.0)), seconds)
                self._put(minute, instance, values, published)
        for gone in self._backlogs.keys() - known:
            del self._backlogs[gone]
        return {place: list(published.samples()) for place, published in found.items()}

    def _put(self, minute: int, instance: InstanceView, values: Values, published: _Published) -> None:
        """Now, or with the others of its five minutes once those are over."""
        if instance.detailed:
            often = {name: value for name, value in values.items() if name not in _NEVER_DETAILED}
            published.use(minute, instance, [often])
            values = {name: values[name] for name in _NEVER_DETAILED if name in values}
        length = BASIC_MINUTES * MINUTE
        period = minute // length * length
        backlog = self._backlogs.get(instance.id)
        if backlog is None or backlog.period != period:
            backlog = self._backlogs[instance.id] = _Backlog(period)
        backlog.minutes.append(values)
        if minute + MINUTE == period + length:
            del self._backlogs[instance.id]
            published.use(period, instance, backlog.minutes)

    def _used(self, measured: Measurements) -> dict[str, _Use]:
        uses: dict[str, _Use] = defaultdict(_Use)
        for guest in measured.guests:
            use = uses[guest.id]
            use.cpu_seconds += self._rise(guest, "cpu", measured.epoch, guest.cpu_seconds) or 0.0
            read = self._rise(guest, "read", measured.epoch, guest.read_bytes)
            written = self._rise(guest, "written", measured.epoch, guest.written_bytes)
            use.read_bytes = _sum(use.read_bytes, read)
            use.written_bytes = _sum(use.written_bytes, written)
            for name, counted in _counted(guest):
                rise = self._uses.of((guest.id, guest.boot, name), measured.epoch, counted)
                use.counted[name] = use.counted.get(name, 0.0) + rise
        return uses

    def _rise(self, guest: GuestMeasure, what: str, epoch: str, value: float | None) -> float | None:
        return None if value is None else self._uses.of((guest.id, guest.boot, what), epoch, value)

    def _moved(self, measured: Measurements) -> Mapping[str, tuple[float, float]]:
        """Bytes in and out by address: what the load balancers carried."""
        found: dict[str, tuple[float, float]] = {}
        traffic = measured.traffic
        for target in traffic.targets if traffic else ():
            key = (target.pool_arn, target.address, target.port)
            generation = traffic.run if traffic else ""
            taken = self._moves.of((*key, "in"), generation, target.taken_bytes)
            given = self._moves.of((*key, "out"), generation, target.given_bytes)
            before = found.get(target.address, (0.0, 0.0))
            found[target.address] = (before[0] + taken, before[1] + given)
        return found


class _Published:
    """The values of one place: an instance's own, and those that several instances share a metric of."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, Dimensions, str], list[float]] = defaultdict(list)

    def status(self, minute: int, instance: InstanceView) -> None:
        """Every minute, however it is monitored. The instance fails alone: its system is this machine."""
        failed = float(instance.impaired)
        any_check, of_instance, of_system = _STATUS
        self.use(minute, instance, [{any_check: failed, of_instance: failed, of_system: 0.0}])

    def use(self, period: int, instance: InstanceView, minutes: list[Values]) -> None:
        for dimensions in _dimensions(instance):
            for values in minutes:
                for name, value in values.items():
                    self._values[period, dimensions, name].append(value)

    def samples(self) -> Iterator[Sample]:
        for (period, dimensions, name), values in self._values.items():
            seen, counts = _told_once(values)
            yield Sample(name, dict(dimensions), float(period), seen, counts, _UNITS[name])


def _dimensions(instance: InstanceView) -> Iterator[Dimensions]:
    """Each alone, as on AWS, where type, image and all instances together are for detailed monitoring."""
    yield (("InstanceId", instance.id),)
    if instance.group_name is not None:
        yield (("AutoScalingGroupName", instance.group_name),)
    if instance.detailed:
        yield (("InstanceType", instance.instance_type),)
        yield (("ImageId", instance.image_id),)
        yield ()


def _values(instance: InstanceView, use: _Use, moved: tuple[float, float], seconds: float) -> Values:
    """Where it shares the machine's network, only load balancers know what has `moved`."""
    values = {
        "CPUUtilization": min(100.0, 100 * use.cpu_seconds / seconds / instance.cpus),
        "NetworkIn": moved[0],
        "NetworkOut": moved[1],
        **use.counted,
    }
    if use.read_bytes is not None:
        values["DiskReadBytes"] = values["EBSReadBytes"] = use.read_bytes
    if use.written_bytes is not None:
        values["DiskWriteBytes"] = values["EBSWriteBytes"] = use.written_bytes
    return values


def _counted(guest: GuestMeasure) -> Iterator[tuple[str, int]]:
    if (link := guest.link) is not None:
        yield "NetworkIn", link.received_bytes
        yield "NetworkPacketsIn", link.received_packets
        yield "NetworkOut", link.sent_bytes
        yield "NetworkPacketsOut", link.sent_packets
    if guest.reads is not None and guest.writes is not None:
        yield "EBSReadOps", guest.reads
        yield "EBSWriteOps", guest.writes


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _told_once(values: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Those that many instances share, such as the idle ones' zeros, are told once."""
    if len(values) < _MANY:
        return tuple(values), ()
    counts = Counter(values)
    return tuple(counts), tuple(float(count) for count in counts.values())
