"""What this cloud makes of every operation of its services: `python -m pavedroad.localcloud.coverage` prints
the page `docs/reference/operations.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill

from pavedroad.localcloud.autoscaling.operations import OPERATIONS as AUTOSCALING
from pavedroad.localcloud.balancing.classic.operations import OPERATIONS as CLASSIC
from pavedroad.localcloud.balancing.operations import OPERATIONS as BALANCING
from pavedroad.localcloud.monitoring.operations import OPERATIONS as MONITORING
from pavedroad.localcloud.moto_adapter.carried import carried as carried_by_moto
from pavedroad.localcloud.moto_adapter.carried import operations
from pavedroad.localcloud.moto_adapter.coverage import EC2_REAL, carried
from pavedroad.localcloud.objects.operations import OPERATIONS as OBJECTS
from pavedroad.localcloud.queues.operations import OPERATIONS as QUEUES
from pavedroad.localcloud.stored_services import REFUSED, SERVED, WITHHELD, StoredService
from pavedroad.localcloud.tagging.operations import OPERATIONS as TAGGING

_INTRODUCTION = """\
Made by `python -m pavedroad.localcloud.coverage > docs/reference/operations.md`; tests hold it to what the
cloud answers. **Real** does what AWS's does. **Stored only** is checked, kept and described, and has no
effect. Everything else of a service is absent: it answers an error that says so. Services whose operations
are all stored only are moto's; of those, what is absent is counted and not listed."""

_CAPACITY = {"DescribeCapacityReservation", "ModifyCapacityReservation"}


@dataclass(frozen=True, slots=True)
class Coverage:
    """A service by boto's name. `real` does what AWS's does, `stored` keeps and describes without an effect;
    the rest of `all` is absent, and answers an error that says so."""

    service: str
    title: str
    note: str
    all: tuple[str, ...]
    real: frozenset[str]
    stored: frozenset[str]
    is_brief: bool = False
    """What is absent is counted, and not listed."""

    @property
    def absent(self) -> frozenset[str]:
        return frozenset(self.all) - self.real - self.stored


_QUEUE_PERMISSIONS = {"AddPermission", "RemovePermission"}
_KEPT_OF_BUCKETS = frozenset(
    f"{verb}{name}"
    for name in (
        *("BucketAbac", "BucketAccelerateConfiguration", "BucketLogging", "BucketReplication"),
        *("BucketRequestPayment", "BucketWebsite"),
        *(
            f"Bucket{kind}Configuration"
            for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
        ),
    )
    for verb in ("Delete", "Get", "Put")
) | {
    f"ListBucket{kind}Configurations" for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
}
_SESSIONS = frozenset(
    ["AssumeRole", "GetAccessKeyInfo", "GetCallerIdentity", "GetFederationToken", "GetSessionToken"]
)
_KEYS = frozenset(["CreateAccessKey", "DeleteAccessKey", "ListAccessKeys", "UpdateAccessKey"])


def coverage() -> list[Coverage]:
    """Of the services that have an effect."""
    return [
        _ours("autoscaling", "Auto Scaling", "", AUTOSCALING, stored={"GetPredictiveScalingForecast"}),
        _ours("cloudwatch", "CloudWatch", "", MONITORING),
        _ours(
            "elbv2",
            "Elastic Load Balancing v2",
            "Application and network load balancers.",
            BALANCING,
            stored=_CAPACITY,
        ),
        _ours("elb", "Elastic Load Balancing, classic", "Of the API of 2012.", CLASSIC),
        _motos(
            "ec2", "EC2", "What is stored has no effect on processes or on who reaches whom.", real=EC2_REAL
        ),
        _ours(
            "s3",
            "S3",
            "Objects are kept over restarts, and end by lifecycle rules. ACLs and policies say what callers "
            "without a key may do, and are not asked for others; nothing is encrypted, replicated or logged.",
            OBJECTS,
            stored=_KEPT_OF_BUCKETS,
        ),
        _motos("sns", "SNS", "Messages reach SQS queues and HTTP endpoints; no mail, no telephones."),
        _ours("sqs", "SQS", "", QUEUES, stored=_QUEUE_PERMISSIONS),
        _motos("acm", "ACM", "Certificates are imported, or issued by a local authority."),
        _motos(
            "sts",
            "STS",
            "Sessions open the cloud until they expire. Identity providers are not asked: their tokens are "
            "refused.",
            real=_SESSIONS,
        ),
        _motos(
            "iam",
            "IAM",
            "Users' and roles' keys open the cloud; policies are kept and not asked.",
            real=_KEYS,
        ),
        _motos("route53", "Route 53", "Zones are kept; nothing answers for them yet.", real=frozenset()),
        _ours("resourcegroupstaggingapi", "Resource Groups Tagging", "Of every service here.", TAGGING),
    ]


def stored_coverage() -> list[Coverage]:
    """Of the services that are moto's and stored only."""
    return sorted(map(_kept, SERVED), key=lambda it: it.title)


def page() -> str:
    """The whole page, as Markdown."""
    parts = [
        "# Every operation of the private cloud's services",
        "",
        _INTRODUCTION,
        "",
        "| service | real | stored only | absent |",
        "|---|---:|---:|---:|",
    ]
    services = [*coverage(), *stored_coverage()]
    parts += [f"| {it.title} | {len(it.real)} | {len(it.stored)} | {len(it.absent)} |" for it in services]
    for it in services:
        parts += ["", f"## {it.title}"]
        parts += ["", it.note] if it.note else []
        absent = frozenset[str]() if it.is_brief else it.absent
        for heading, names in (("Real", it.real), ("Stored only", it.stored), ("Absent", absent)):
            if names:
                listed = f"**{heading}**: {', '.join(f'`{name}`' for name in sorted(names))}."
                parts += ["", fill(listed, 116, break_long_words=False, break_on_hyphens=False)]
    parts += ["", "## Not offered", "", *(f"- {why}" for why in REFUSED.values())]
    return "\n".join(parts) + "\n"


def _ours(
    service: str, title: str, note: str, offered: Iterable[str], *, stored: Iterable[str] = ()
) -> Coverage:
    kept = frozenset(stored) & frozenset(offered)
    return Coverage(service, title, note, tuple(operations(service)), frozenset(offered) - kept, kept)


def _motos(service: str, title: str, note: str, *, real: frozenset[str] | None = None) -> Coverage:
    """Where nothing else is said, what moto carries of a service is what the service is for."""
    known = carried(service)
    does = known if real is None else real
    return Coverage(service, title, note, tuple(operations(service)), does, known - does)


def _kept(service: StoredService) -> Coverage:
    stored = carried_by_moto(service.moto, service.boto) - WITHHELD.get(service.moto, frozenset())
    every = tuple(operations(service.boto))
    return Coverage(service.boto, service.title, service.note, every, frozenset(), stored, is_brief=True)


if __name__ == "__main__":
    sys.stdout.write(page())
