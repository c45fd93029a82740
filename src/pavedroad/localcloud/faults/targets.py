"""What a fault may be aimed at, and whether it is there."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast

from botocore.loaders import Loader

from pavedroad.core.errors import Conflict, InvalidInput, NotFound
from pavedroad.localcloud.api.calls import BY_PATH
from pavedroad.localcloud.faults.kinds import Target
from pavedroad.localcloud.faults.ports import Instances
from pavedroad.localcloud.regions import REGIONS, said
from pavedroad.localcloud.stored_services import SERVED

ZONES = tuple(zone.name for region in REGIONS.values() for zone in region.zones)
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_OPERATION = re.compile(r"[a-z0-9-]{2,40}(:[A-Za-z0-9]{2,100})?")
_NAMES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "cloudwatch": "monitoring"}
"""What clients call a service -> what signs its calls."""
_MODELS = {
    **{name: name for name in ("acm", "autoscaling", "ec2", "iam", "route53", "s3", "sns", "sqs", "sts")},
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    **{it.name: it.boto for it in reversed(SERVED)},
}
"""What signs a service's calls -> botocore's model of it, of all that this cloud has."""


def checked(what: Target, target: object, instances: Instances) -> str:
    """The target as faults keep it. Raises with a sentence where it makes no sense or is not there."""
    if not isinstance(target, str):
        raise InvalidInput(f"A fault has a target: here {_WORDS[what]}.")
    if what == "zone" and target not in ZONES:
        raise InvalidInput(f"'{target[:100]}' is no zone of this cloud.", next_step=_other_zones(target))
    if what == "region" and target not in REGIONS:
        raise InvalidInput(
            f"'{target[:100]}' is no region of this cloud.", next_step=f"Name one of {said()}."
        )
    if what == "instance":
        _check_instance(target, instances)
    return _operation(target) if what == "operation" else target


def _other_zones(target: str) -> str:
    known = REGIONS.get(target) or REGIONS.get(target[:-1])
    if known is None:
        return f"Name a zone of {said()}, as us-east-1a."
    return f"Name one of {', '.join(zone.name for zone in known.zones)}."


def _check_instance(target: str, instances: Instances) -> None:
    if not _INSTANCE.fullmatch(target):
        raise InvalidInput(
            f"'{target[:100]}' is no instance id, as i-0123456789abcdef0.",
            next_step="List them: paved clusters --json.",
        )
    found = instances.find(target)
    if found is None or found.state == "terminated":
        raise NotFound(f"There is no instance {target}.", next_step="List them: paved clusters --json.")
    if found.state not in ("pending", "running"):
        raise Conflict(f"The instance {target} does not run: it is {found.state}.")


def _operation(target: str) -> str:
    if not _OPERATION.fullmatch(target):
        raise InvalidInput(
            f"'{target[:100]}' is neither a service, as ec2, nor one of its operations, as ec2:RunInstances."
        )
    service, _, operation = target.partition(":")
    service = _NAMES.get(service, service)
    if service not in _MODELS:
        raise InvalidInput(f"This cloud has no service '{service}'; it has {', '.join(sorted(_MODELS))}.")
    if operation and (service in BY_PATH or _is_by_path(_MODELS[service])):
        raise InvalidInput(f"A fault of {service} is for all of its operations: the target is '{service}'.")
    if operation and operation not in _operations(_MODELS[service]):
        raise InvalidInput(f"The service {service} has no operation '{operation}'.")
    return f"{service}:{operation}" if operation else service


@cache
def _is_by_path(model: str) -> bool:
    return Loader().load_service_model(model, "service-2")["metadata"]["protocol"].startswith("rest")


@cache
def _operations(model: str) -> frozenset[str]:
    return frozenset(cast("dict[str, Any]", Loader().load_service_model(model, "service-2")["operations"]))


_WORDS: dict[Target, str] = {
    "zone": "a zone, as us-east-1a",
    "region": "a region, as us-east-1",
    "instance": "an instance's id",
    "operation": "a service, as ec2, or one of its operations, as ec2:RunInstances",
}
