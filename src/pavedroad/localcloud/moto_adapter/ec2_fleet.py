# pyright: basic, reportAttributeAccessIssue=false
"""CreateFleet for a fleet at once: the types and places of its overrides are tried until there is enough."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from pavedroad.localcloud.api.ec2.spot import on_demand_price
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_launch import Launch, Parameters, with_template
from pavedroad.localcloud.moto_adapter.ec2_spot import fulfil, launched, price_now, request_for
from pavedroad.localcloud.moto_adapter.ec2_types import memory_mebibytes, vcpus

_OVERRIDDEN = ("InstanceType", "SubnetId", "Placement", "ImageId", "BlockDeviceMappings")
_MOST = 10_000


class Fleets(EC2Response):
    """The part of our EC2 response that launches fleets."""

    ec2_backend: LocalEC2Backend

    def create_fleet(self) -> ActionResult:
        if (kind := self._get_param("Type") or "maintain") != "instant":
            raise ServiceError(
                "UnsupportedOperation",
                f"Fleets of the type '{kind}' are not offered: take an Auto Scaling group.",
            )
        target = self._get_param("TargetCapacitySpecification") or {}
        total = int(target.get("TotalTargetCapacity") or 0)
        if not 1 <= total <= _MOST:
            raise ServiceError(
                "InvalidParameterValue", f"Value ({total}) for parameter totalTargetCapacity is invalid."
            )
        on_demand = int(target.get("OnDemandTargetCapacity") or 0)
        spot = int(target.get("SpotTargetCapacity") or 0)
        if on_demand + spot > total:
            raise ServiceError(
                "InvalidParameterCombination", "The target capacities are together over the total."
            )
        rest = total - on_demand - spot
        if target.get("DefaultTargetCapacityType") == "spot":
            spot += rest
        else:
            on_demand += rest
        made: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for market, wanted in (("on-demand", on_demand), ("spot", spot)):
            self._fill(market, wanted, made, errors)
        fleet_id = f"fleet-{uuid.uuid4()}"
        return ActionResult({"FleetId": fleet_id, "Errors": errors, "Instances": made})

    def _fill(self, market: str, wanted: int, made: list[dict], errors: list[dict]) -> None:
        left = float(wanted)
        for asked, told, weight in self._choices(market):
            if left <= 0:
                return
            said = {"LaunchTemplateAndOverrides": told, "Lifecycle": market}
            try:
                ids = self._launch_some(asked, market, max(1, -int(-left // weight)))
            except (ServiceError, ServiceException) as error:
                errors.append({**said, "ErrorCode": error.code, "ErrorMessage": str(error.message)})
                continue
            left -= weight * len(ids)
            made.append({**said, "InstanceIds": ids, "InstanceType": asked.get("InstanceType")})

    def _launch_some(self, asked: Parameters, market: str, count: int) -> list[str]:
        now = datetime.now(UTC)
        launch = Launch(self.ec2_backend, asked)
        instances = launched(launch.launch(launch.count(1, count)))
        for one in instances if market == "spot" else ():
            fulfil(self.ec2_backend, request_for({}, asked, now), one, now)
        return [one.id for one in instances]

    def _choices(self, market: str) -> list[tuple[Parameters, dict[str, Any], float]]:
        """Every launch there is to try, the preferred first: by priority where there is one, or by price."""
        found = list(self._every_choice(market))
        now = datetime.now(UTC)

        def rank(choice: tuple[Parameters, dict[str, Any], float]) -> tuple[float, float]:
            asked, told, weight = choice
            name = asked.get("InstanceType") or "m1.small"
            priority = (told.get("Overrides") or {}).get("Priority")
            try:
                zone = Launch(self.ec2_backend, asked).zone
                on_demand = on_demand_price(vcpus(name), memory_mebibytes(name))
                price = price_now(name, zone, now) if market == "spot" else on_demand
            except (ServiceError, ServiceException):
                price = float("inf")  # it is tried last, and says what is wrong with it
            return (float(priority) if priority is not None else float("inf"), price / weight)

        return sorted(found, key=rank)

    def _every_choice(self, market: str) -> Iterator[tuple[Parameters, dict[str, Any], float]]:
        tags = self._get_param("TagSpecifications") or []
        kept = [one for one in tags if one.get("ResourceType") in ("instance", "volume")]
        for config in self._get_param("LaunchTemplateConfigs") or []:
            template = config.get("LaunchTemplateSpecification") or {}
            for override in config.get("Overrides") or [{}]:
                own = {name: override[name] for name in _OVERRIDDEN if override.get(name)}
                asked: Parameters = {"LaunchTemplate": template, "TagSpecifications": kept, **own}
                if market == "spot":
                    asked["InstanceMarketOptions"] = {"MarketType": "spot"}
                whole = with_template(self.ec2_backend, asked)
                told = {"LaunchTemplateSpecification": template, "Overrides": override}
                yield whole, told, float(override.get("WeightedCapacity") or 1)
