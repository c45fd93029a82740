"""What a group launches from: a launch template, a launch configuration, or a mixed instances policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pavedroad.localcloud.ports import LaunchData

Market = Literal["on-demand", "spot"]
OnDemandStrategy = Literal["prioritized", "lowest-price"]
SpotStrategy = Literal[
    "capacity-optimized", "capacity-optimized-prioritized", "lowest-price", "price-capacity-optimized"
]


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """The launch template that a group names; `version` as asked: a number, `$Latest`, `$Default` or ``."""

    id: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """The launch template version that an instance was launched from."""

    id: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ConfigurationChoice:
    """The launch configuration that a group names."""

    name: str


@dataclass(frozen=True, slots=True)
class Override:
    """What a mixed instances policy launches instead of the template's own instance type: a type, or
    `requirements` (AWS's structure) for which types are looked up."""

    instance_type: str = ""
    weight: int | None = None
    template: TemplateChoice | None = None
    requirements: Mapping[str, Any] | None = None
    image_id: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a mixed instances policy divides capacity between on-demand and spot, with AWS's defaults."""

    on_demand_strategy: OnDemandStrategy = "prioritized"
    on_demand_base: int = 0
    on_demand_percentage: int = 100
    spot_strategy: SpotStrategy = "lowest-price"
    spot_pools: int | None = None
    spot_max_price: str = ""


@dataclass(frozen=True, slots=True)
class MixedPolicy:
    template: TemplateChoice
    overrides: tuple[Override, ...] = ()
    distribution: Distribution = field(default_factory=Distribution)


@dataclass(frozen=True, slots=True)
class LaunchSpecification:
    """One way to launch an instance, resolved from a group's source."""

    data: LaunchData
    template: TemplateUse | None = None
    configuration: str | None = None
    weight: int | None = None
    placement: Mapping[str, Any] = field(default_factory=dict[str, Any])


Source = TemplateChoice | ConfigurationChoice | MixedPolicy


@dataclass(frozen=True, slots=True)
class LaunchConfiguration:
    """Never changed once it is made. `settings` are what DescribeLaunchConfigurations shows."""

    name: str
    arn: str
    created_at: datetime
    settings: Mapping[str, Any]
    data: LaunchData
