"""The operations of ELBv2 that this cloud has, and what each means for routing."""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Operation:
    """`routes`: it is answered once Envoy serves the change. `must_route`: what Envoy does not take is
    refused and taken back; without it (deleting, draining) the change stands, and Envoy follows when it can.
    """

    run: Callable[[Call], Parameters]
    routes: bool = False
    must_route: bool = False


def _quiet(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run)


def _follows(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run, routes=True)


def _routes(run: Callable[[Call], Parameters]) -> Operation:
    return Operation(run, routes=True, must_route=True)


OPERATIONS = {
    "AddListenerCertificates": _routes(certificates.add_listener_certificates),
    "AddTags": _quiet(tagging.add_tags),
    "CreateListener": _routes(listeners.create_listener),
    "CreateLoadBalancer": _quiet(load_balancers.create_load_balancer),
    "CreateRule": _routes(rules.create_rule),
    "CreateTargetGroup": _quiet(target_groups.create_target_group),
    "DeleteListener": _follows(listeners.delete_listener),
    "DeleteLoadBalancer": _follows(load_balancers.delete_load_balancer),
    "DeleteRule": _routes(rules.delete_rule),
    "DeleteTargetGroup": _quiet(target_groups.delete_target_group),
    "DeregisterTargets": _follows(targets.deregister_targets),
    "DescribeAccountLimits": _quiet(limits.describe_account_limits),
    "DescribeCapacityReservation": _quiet(capacity.describe_capacity_reservation),
    "DescribeListenerAttributes": _quiet(attributes.describe_listener_attributes),
    "DescribeListenerCertificates": _quiet(certificates.describe_listener_certificates),
    "DescribeListeners": _quiet(listeners.describe_listeners),
    "DescribeLoadBalancerAttributes": _quiet(attributes.describe_balancer_attributes),
    "DescribeLoadBalancers": _quiet(load_balancers.describe_load_balancers),
    "DescribeRules": _quiet(rules.describe_rules),
    "DescribeSSLPolicies": _quiet(certificates.describe_ssl_policies),
    "DescribeTags": _quiet(tagging.describe_tags),
    "DescribeTargetGroupAttributes": _quiet(attributes.describe_group_attributes),
    "DescribeTargetGroups": _quiet(target_groups.describe_target_groups),
    "DescribeTargetHealth": _quiet(targets.describe_target_health),
    "ModifyCapacityReservation": _quiet(capacity.modify_capacity_reservation),
    "ModifyListener": _routes(listeners.modify_listener),
    "ModifyListenerAttributes": _routes(attributes.modify_listener_attributes),
    "ModifyLoadBalancerAttributes": _routes(attributes.modify_balancer_attributes),
    "ModifyRule": _routes(rules.modify_rule),
    "ModifyTargetGroup": _follows(target_groups.modify_target_group),
    "ModifyTargetGroupAttributes": _follows(attributes.modify_group_attributes),
    "RegisterTargets": _follows(targets.register_targets),
    "RemoveListenerCertificates": _routes(certificates.remove_listener_certificates),
    "RemoveTags": _quiet(tagging.remove_tags),
    "SetIpAddressType": _quiet(load_balancers.set_ip_address_type),
    "SetRulePriorities": _routes(rules.set_rule_priorities),
    "SetSecurityGroups": _quiet(load_balancers.set_security_groups),
    "SetSubnets": _routes(load_balancers.set_subnets),
}
