"""What instance types cost where, for allocation by price: EC2's own on-demand and spot prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pavedroad.localcloud.api.ec2.spot import on_demand_price, spot_price
from pavedroad.localcloud.autoscaling.sources import Market

Described = Mapping[str, Any]
"""An instance type, in DescribeInstanceTypes' structure."""


def on_demand(one: Described) -> float:
    """Dollars an hour."""
    return on_demand_price(one["VCpuInfo"]["DefaultVCpus"], one["MemoryInfo"]["SizeInMiB"])


def now(one: Described, market: Market, zone: str, at: datetime) -> float:
    """Dollars an hour, at a time: spot prices move."""
    price = on_demand(one)
    return spot_price(one["InstanceType"], zone, price, at) if market == "spot" else price
