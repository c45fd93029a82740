"""Capacity reserved for a balancer: kept and described, and of no effect: one Envoy serves them all."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing.asked import Parameters, arn, invalid, number, refused
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import Balancer, Reservation

_LEAST, _MOST = 100, 1500
_DECREASES = 2


def describe_capacity_reservation(call: Call) -> Parameters:
    return _written(_balancer(call))


def modify_capacity_reservation(call: Call) -> Parameters:
    balancer = _balancer(call)
    asked = call.parameters
    units = asked.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
    if (units is None) == (not asked.get("ResetCapacityReservation")):
        raise invalid("You must specify either MinimumLoadBalancerCapacity or ResetCapacityReservation")
    if units is None and balancer.reservation is None:
        raise refused("There is no capacity reservation to reset")
    reservation = None
    if units is not None:
        reservation = Reservation(number(units, _LEAST, _MOST, "CapacityUnits"), call.clock.now())
    changed = replace(balancer, reservation=reservation)
    call.store.put(call.store.balancers, balancer.arn, changed)
    return _written(changed)


def _balancer(call: Call) -> Balancer:
    return call.balancer(arn(call.parameters["LoadBalancerArn"], "loadbalancer", "load balancer"))


def _written(balancer: Balancer) -> Parameters:
    reservation = balancer.reservation
    if reservation is None:
        return {"DecreaseRequestsRemaining": _DECREASES, "CapacityReservationState": []}
    return {
        "LastModifiedTime": reservation.since,
        "DecreaseRequestsRemaining": _DECREASES,
        "MinimumLoadBalancerCapacity": {"CapacityUnits": reservation.units},
        "CapacityReservationState": [
            {
                "AvailabilityZone": zone,
                "State": {"Code": "provisioned"},
                "EffectiveCapacityUnits": reservation.units / len(balancer.zones),
            }
            for zone in balancer.zones
        ],
    }
