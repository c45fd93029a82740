"""The operations of the older API, and what each means for routing."""

from __future__ import annotations

from pavedroad.localcloud.balancing.classic import attributes, balancers, instances, listeners, policies
from pavedroad.localcloud.balancing.classic.membership import ClassicMembership
from pavedroad.localcloud.balancing.operations import Operation, Version, follows, quiet, routes

OPERATIONS: dict[str, Operation] = {
    "AddTags": quiet(attributes.add_tags),
    "ApplySecurityGroupsToLoadBalancer": quiet(balancers.apply_security_groups),
    "AttachLoadBalancerToSubnets": routes(balancers.attach_to_subnets),
    "ConfigureHealthCheck": follows(listeners.configure_health_check),
    "CreateAppCookieStickinessPolicy": quiet(policies.create_app_cookie_policy),
    "CreateLBCookieStickinessPolicy": quiet(policies.create_lb_cookie_policy),
    "CreateLoadBalancer": routes(balancers.create_load_balancer),
    "CreateLoadBalancerListeners": routes(listeners.create_listeners),
    "CreateLoadBalancerPolicy": quiet(policies.create_policy),
    "DeleteLoadBalancer": follows(balancers.delete_load_balancer),
    "DeleteLoadBalancerListeners": follows(listeners.delete_listeners),
    "DeleteLoadBalancerPolicy": quiet(policies.delete_policy),
    "DeregisterInstancesFromLoadBalancer": follows(instances.deregister),
    "DescribeAccountLimits": quiet(attributes.describe_limits),
    "DescribeInstanceHealth": quiet(instances.describe_health),
    "DescribeLoadBalancerAttributes": quiet(attributes.describe),
    "DescribeLoadBalancerPolicies": quiet(policies.describe_policies),
    "DescribeLoadBalancerPolicyTypes": quiet(policies.describe_policy_types),
    "DescribeLoadBalancers": quiet(balancers.describe_load_balancers),
    "DescribeTags": quiet(attributes.describe_tags),
    "DetachLoadBalancerFromSubnets": routes(balancers.detach_from_subnets),
    "DisableAvailabilityZonesForLoadBalancer": routes(balancers.disable_zones),
    "EnableAvailabilityZonesForLoadBalancer": routes(balancers.enable_zones),
    "ModifyLoadBalancerAttributes": routes(attributes.modify),
    "RegisterInstancesWithLoadBalancer": follows(instances.register),
    "RemoveTags": quiet(attributes.remove_tags),
    "SetLoadBalancerListenerSSLCertificate": routes(listeners.set_certificate),
    "SetLoadBalancerPoliciesForBackendServer": routes(policies.set_of_backend),
    "SetLoadBalancerPoliciesOfListener": routes(policies.set_of_listener),
}

CLASSIC = Version("elb", OPERATIONS, ClassicMembership)
