"""The operations of ELBv2 that this cloud has, and what each means for routing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pavedroad.localcloud.balancing import (
    attributes,
    capacity,
    certificates,
    limits,
    listeners,
    load_balancers,
    rules,
    tagging,
    target_groups,
    targets,
)
from pavedroad.localcloud.balancing.asked import Parameters
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.membership import Membership
from pavedroad.localcloud.ports import Balancers


@dataclass(frozen=True, slots=True)
class Operation:
    """`routes`: it is answered once Envoy serves the change. `must_route`: what Envoy does not take is
    refused and taken back; without it (deleting, draining) the change stands, and Envoy follows when it can.
    """

    run: Callable[[Call], Parameters]
    routes: bool = False
    must_route: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One of the API, by the name that boto3 has for it. `shorter` are parameters that may be shorter here
    than AWS's model lets them be; their own operations check them."""

    model: str
    operations: Mapping[str, Operation]
    members: Callable[[Call], Balancers]
    """What there is there, for groups."""
    shorter: frozenset[str] = frozenset()


def quiet(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run)


def follows(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run, routes=True)


def routes(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run, routes=True, must_route=True)


OPERATIONS = {
    "AddListenerCertificates": routes(certificates.add_listener_certificates),
    "AddTags": quiet(tagging.add_tags),
    "CreateListener": routes(listeners.create_listener),
    "CreateLoadBalancer": quiet(load_balancers.create_load_balancer),
    "CreateRule": routes(rules.create_rule),
    "CreateTargetGroup": quiet(target_groups.create_target_group),
    "DeleteListener": follows(listeners.delete_listener),
    "DeleteLoadBalancer": follows(load_balancers.delete_load_balancer),
    "DeleteRule": routes(rules.delete_rule),
    "DeleteTargetGroup": quiet(target_groups.delete_target_group),
    "DeregisterTargets": follows(targets.deregister_targets),
    "DescribeAccountLimits": quiet(limits.describe_account_limits),
    "DescribeCapacityReservation": quiet(capacity.describe_capacity_reservation),
    "DescribeListenerAttributes": quiet(attributes.describe_listener_attributes),
    "DescribeListenerCertificates": quiet(certificates.describe_listener_certificates),
    "DescribeListeners": quiet(listeners.describe_listeners),
    "DescribeLoadBalancerAttributes": quiet(attributes.describe_balancer_attributes),
    "DescribeLoadBalancers": quiet(load_balancers.describe_load_balancers),
    "DescribeRules": quiet(rules.describe_rules),
    "DescribeSSLPolicies": quiet(certificates.describe_ssl_policies),
    "DescribeTags": quiet(tagging.describe_tags),
    "DescribeTargetGroupAttributes": quiet(attributes.describe_group_attributes),
    "DescribeTargetGroups": quiet(target_groups.describe_target_groups),
    "DescribeTargetHealth": quiet(targets.describe_target_health),
    "ModifyCapacityReservation": quiet(capacity.modify_capacity_reservation),
    "ModifyListener": routes(listeners.modify_listener),
    "ModifyListenerAttributes": routes(attributes.modify_listener_attributes),
    "ModifyLoadBalancerAttributes": routes(attributes.modify_balancer_attributes),
    "ModifyRule": routes(rules.modify_rule),
    "ModifyTargetGroup": follows(target_groups.modify_target_group),
    "ModifyTargetGroupAttributes": follows(attributes.modify_group_attributes),
    "RegisterTargets": follows(targets.register_targets),
    "RemoveListenerCertificates": routes(certificates.remove_listener_certificates),
    "RemoveTags": quiet(tagging.remove_tags),
    "SetIpAddressType": quiet(load_balancers.set_ip_address_type),
    "SetRulePriorities": routes(rules.set_rule_priorities),
    "SetSecurityGroups": quiet(load_balancers.set_security_groups),
    "SetSubnets": routes(load_balancers.set_subnets),
}

APPLICATION = Version(
    "elbv2", OPERATIONS, Membership, frozenset({"HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds"})
)
