# pyright: basic, reportAttributeAccessIssue=false, reportReturnType=false
"""The calls of spot: requests, their ends, and prices; CreateFleet for a fleet at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.utils import convert_tag_spec

from pavedroad.localcloud.api.ec2.spot import PRODUCT, SpotRequest, on_demand_price, spot_price, steps
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_launch import Launch
from pavedroad.localcloud.moto_adapter.ec2_spot import advance, described, request_for
from pavedroad.localcloud.moto_adapter.ec2_types import memory_mebibytes, vcpus

_MOST_REQUESTS = 1000
_MOST_PRICES = 20_000
_LONGEST = timedelta(days=90)


class SpotActions(EC2BaseResponse):
    """The part of our EC2 response that buys spot capacity."""

    ec2_backend: LocalEC2Backend

    def request_spot_instances(self) -> ActionResult:
        backend, now = self.ec2_backend, datetime.now(UTC)
        launch = _as_launch(self._get_param("LaunchSpecification") or {})
        options = {
            "MaxPrice": self._get_param("SpotPrice"),
            "SpotInstanceType": self._get_param("Type"),
            "InstanceInterruptionBehavior": self._get_param("InstanceInterruptionBehavior"),
            "ValidUntil": self._get_param("ValidUntil"),
            "BlockDurationMinutes": self._get_param("BlockDurationMinutes"),
        }
        count = int(self._get_param("InstanceCount", 1))
        if not 1 <= count <= _MOST_REQUESTS:
            raise ServiceError(
                "InvalidParameterValue", f"Value ({count}) for parameter instanceCount is invalid."
            )
        Launch(backend, launch)
        tags = convert_tag_spec(self._get_param("TagSpecifications") or [])
        made = [request_for(options, launch, now) for _ in range(count)]
        for request in made:
            backend.spot[request.id] = request
            backend.tags[request.id].update(tags.get("spot-instances-request", {}))
        result = [described(backend, request) for request in made]
        advance(backend, now)
        return ActionResult({"SpotInstanceRequests": result})

    def describe_spot_instance_requests(self) -> ActionResult:
        backend = self.ec2_backend
        found = self._named() or list(backend.spot.values())
        return ActionResult({"SpotInstanceRequests": [described(backend, request) for request in found]})

    def cancel_spot_instance_requests(self) -> ActionResult:
        found = self._named()
        for request in found:
            request.cancel(datetime.now(UTC))
        return ActionResult(
            {
                "CancelledSpotInstanceRequests": [
                    {"SpotInstanceRequestId": request.id, "State": request.state} for request in found
                ]
            }
        )

    def _named(self) -> list[SpotRequest]:
        ids = self._get_param("SpotInstanceRequestIds") or []
        for request_id in ids:
            if request_id not in self.ec2_backend.spot:
                raise ServiceError(
                    "InvalidSpotInstanceRequestID.NotFound",
                    f"The spot instance request ID '{request_id}' does not exist",
                )
        return [self.ec2_backend.spot[request_id] for request_id in ids]

    def describe_spot_price_history(self) -> ActionResult:
        """Prices that are made up: see `pavedroad.localcloud.api.ec2.spot`."""
        now = datetime.now(UTC)
        until = min(_moment(self._get_param("EndTime")) or now, now)
        since = max(_moment(self._get_param("StartTime")) or until, now - _LONGEST)
        types = self._get_param("InstanceTypes") or list(INSTANCE_TYPES)
        if unknown := [name for name in types if name not in INSTANCE_TYPES]:
            raise ServiceError("InvalidParameterValue", f"Invalid value '{unknown[0]}' for InstanceType.")
        zone = self._get_param("AvailabilityZone")
        zones = [known.name for known in self.ec2_backend.describe_availability_zones()]
        if zone and zone not in zones:
            raise ServiceError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        products = self._get_param("ProductDescriptions") or [PRODUCT]
        if not {PRODUCT, f"{PRODUCT} (Amazon VPC)"} & set(products):
            return ActionResult({"SpotPriceHistory": []})
        history: list[dict[str, Any]] = []
        for at in steps(since, until):
            for name in types:
                on_demand = on_demand_price(vcpus(name), memory_mebibytes(name))
                history.extend(
                    {
                        "InstanceType": name,
                        "ProductDescription": PRODUCT,
                        "AvailabilityZone": place,
                        "SpotPrice": f"{spot_price(name, place, on_demand, at):.6f}",
                        "Timestamp": at,
                    }
                    for place in ([zone] if zone else zones)
                )
            if len(history) >= _MOST_PRICES:
                break
        return ActionResult({"SpotPriceHistory": history})


def _as_launch(specification: dict[str, Any]) -> dict[str, Any]:
    """RequestSpotInstances' specification by RunInstances' names."""
    launch = dict(specification)
    launch.pop("AddressingType", None)
    return {**launch, "InstanceMarketOptions": {"MarketType": "spot"}}


def _moment(given: datetime | None) -> datetime | None:
    return given if given is None or given.tzinfo else given.replace(tzinfo=UTC)
