"""Operations on the instances of classic load balancers: who is registered, and how each does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pavedroad.localcloud.balancing.asked import Parameters
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic.asked import asked_balancer
from pavedroad.localcloud.balancing.classic.health import InstanceHealth, states
from pavedroad.localcloud.balancing.classic.model import Classic
from pavedroad.localcloud.balancing.classic.realising import keep
from pavedroad.localcloud.errors import ServiceError


def register(call: Call) -> Parameters:
    classic = asked_balancer(call)
    ids = _ids(call.parameters["Instances"])
    vpc_id = call.store.balancers[classic.arn].vpc_id
    for instance_id in ids:
        endpoint = call.network.endpoint(instance_id)
        if endpoint is None or endpoint.state in ("terminated", "shutting-down"):
            raise _no_instance(f"Could not find EC2 instance {instance_id}.")
        if endpoint.vpc_id != vpc_id:
            raise _no_instance(f"EC2 instance {instance_id} is not in the load balancer's VPC.")
    after = replace(classic, instances=tuple(dict.fromkeys((*classic.instances, *ids))))
    keep(call, after)
    return _listed(call, after)


def deregister(call: Call) -> Parameters:
    """One that exists and is not registered is passed over."""
    classic = asked_balancer(call)
    leaving = set(_ids(call.parameters["Instances"]))
    for instance_id in leaving.difference(classic.instances):
        if call.network.endpoint(instance_id) is None:
            raise _no_instance(f"Could not find EC2 instance {instance_id}.")
    after = replace(classic, instances=tuple(it for it in classic.instances if it not in leaving))
    keep(call, after)
    return _listed(call, after)


def describe_health(call: Call) -> Parameters:
    classic = asked_balancer(call)
    found = states(call, classic)
    asked = _ids(call.parameters.get("Instances", []))
    for instance_id in asked:
        if instance_id not in found:
            if call.network.endpoint(instance_id) is None:
                raise _no_instance(f"Could not find EC2 instance {instance_id}.")
            found[instance_id] = InstanceHealth(
                "OutOfService", "Instance", "Instance is not currently registered with the LoadBalancer."
            )
    return {
        "InstanceStates": [
            {
                "InstanceId": it,
                "State": found[it].state,
                "ReasonCode": found[it].reason,
                "Description": found[it].description,
            }
            for it in asked or found
        ]
    }


def _ids(given: Sequence[Parameters]) -> list[str]:
    return list(dict.fromkeys(it["InstanceId"] for it in given if it.get("InstanceId")))


def _listed(call: Call, classic: Classic) -> Parameters:
    return {"Instances": [{"InstanceId": it} for it in classic.instances if call.network.endpoint(it)]}


def _no_instance(words: str) -> ServiceError:
    return ServiceError("InvalidInstance", words)
