"""Reads saved states of schema 2: one pickle of everything, with the fields of frozen classes by place.

`_FIELDS` has the places of then, so that the classes may change.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from pavedroad.localcloud.balancing.store import Kept as KeptBalancing
from pavedroad.localcloud.faults.service import Kept as KeptFaults
from pavedroad.localcloud.moto_adapter.snapshot import Unpickler, check_version, fill

_OURS = "pavedroad.localcloud."

_FIELDS = {
    "api.ec2.facts:RoleCredentials": "role access_key_id secret_access_key session_token issued expires",
    "api.ec2.placement:PlacementGroup": "id name strategy partitions spread_level",
    "api.objects:Blob": "size digest inline",
    "autoscaling.model:LaunchAnswer": "at asked result",
    "autoscaling.model:Maintenance": "least most",
    "autoscaling.refresh.model:Preferences": "given minimum_percent maximum_percent warmup_seconds "
    "checkpoints checkpoint_delay_seconds skips_matching rolls_back protected standby alarms bake_seconds",
    "autoscaling.refresh.model:Rollback": "reason began_at percent remaining total",
    "autoscaling.scaling:Policy": "name arn type enabled adjustment_type adjustment min_magnitude "
    "cooldown_seconds steps aggregation warmup_seconds tracking prediction alarms",
    "autoscaling.scaling:Proposal": "capacity at",
    "autoscaling.scaling:Step": "lower upper adjustment",
    "autoscaling.sources:ConfigurationChoice": "name",
    "autoscaling.sources:Distribution": "on_demand_strategy on_demand_base on_demand_percentage "
    "spot_strategy spot_pools spot_max_price",
    "autoscaling.sources:LaunchConfiguration": "name arn created_at settings data",
    "autoscaling.sources:MixedPolicy": "template overrides distribution",
    "autoscaling.sources:Override": "instance_type weight template requirements image_id",
    "autoscaling.sources:TemplateChoice": "id name version",
    "autoscaling.sources:TemplateUse": "id name version",
    "balancing.model:Balancer": "arn name scheme vpc_id presences security_groups interface_id address "
    "created_at attributes reservation",
    "balancing.model:ForwardTo": "shares sticky_seconds",
    "balancing.model:HealthCheck": "protocol port path interval_seconds timeout_seconds "
    "healthy_threshold unhealthy_threshold matcher",
    "balancing.model:Listener": "arn balancer_arn port bound_port protocol ssl_policy certificates "
    "attributes",
    "balancing.model:ListenerRule": "arn listener_arn priority conditions action transforms",
    "balancing.model:Member": "group_arn id port zone drain_until",
    "balancing.model:Presence": "zone subnet_id interface_id address",
    "balancing.model:Reservation": "units since",
    "balancing.model:Share": "group_arn weight",
    "balancing.model:TargetGroup": "arn name protocol port vpc_id target_type health_check attributes",
    "faults.model:Fault": "id kind target started_at ends_at reason parameters ended_at ended_because",
    "monitoring.model:HistoryItem": "number at alarm kind type summary data",
    "ports:LaunchData": "image_id instance_type user_data key_name security_group_ids instance_profile_arn "
    "tags market spot_max_price metadata_options monitored ebs_optimized",
    "wanted:Condition": "field values name expressions",
    "wanted:FixedResponse": "status content_type body",
    "wanted:GuestImage": "id layers command environment stop_seconds",
    "wanted:Layer": "digest path shared",
    "wanted:Redirect": "status protocol host port path query",
    "wanted:Transform": "part regex replace",
}


class _Saved:
    """The outermost object: its state has the schema, the versions and the parts by their places."""

    def __setstate__(self, state: tuple[int, dict[str, str], dict[str, Any]]) -> None:
        _, self.versions, self.parts = state


class _Store:
    """A region's load balancing, by names."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.kept = KeptBalancing(**state)


_CLASSES: Mapping[str, type] = {"api.snapshots:Saved": _Saved, "balancing.store:Store": _Store}


class _Unpickler(Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        name = f"{module_name.removeprefix(_OURS)}:{global_name}"
        if name in _CLASSES:
            return _CLASSES[name]
        found = super().find_class(module_name, global_name)
        return _as_then(found, _FIELDS.get(name)) if is_dataclass(found) else found


def read(pickled: bytes) -> dict[str, Any]:
    """What each part's `load` takes, by its name."""
    saved = cast("_Saved", _Unpickler(io.BytesIO(pickled)).load())
    check_version(saved.versions["moto"])
    parts = dict(saved.parts)
    for name in ("autoscaling", "monitoring"):
        parts[name] = tuple(parts[name].values())
    parts["elasticloadbalancing"] = tuple(it.kept for it in parts["elasticloadbalancing"])
    parts["faults"] = KeptFaults(*parts["faults"])
    return parts


def _as_then(kind: Any, then: str | None) -> type:
    """A class that takes what was pickled of `kind`, and makes each object one of `kind`."""
    own = cast("dict[str, Any]", vars(kind)).get("__setstate__")
    if own is not None and own.__module__ != "dataclasses":
        return kind
    names = then.split() if then else [it.name for it in fields(kind)]

    def take(value: object, state: Any) -> None:
        if isinstance(state, list):
            state = dict(zip(names, cast("list[Any]", state), strict=True))
        elif isinstance(state, tuple):
            state = cast("tuple[Any, dict[str, Any]]", state)[1]
        object.__setattr__(value, "__class__", kind)
        fill(value, state)

    return type(kind.__name__, (kind,), {"__slots__": (), "__setstate__": take})
