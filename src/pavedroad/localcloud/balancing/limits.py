"""Operations that only tell: quotas, and the policies that HTTPS listeners would have."""

from __future__ import annotations

from pavedroad.localcloud.balancing.asked import Parameters, page
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.errors import ServiceError

_LIMITS = {
    "application-load-balancers": 50,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "listeners-per-application-load-balancer": 50,
    "rules-per-application-load-balancer": 100,
    "target-groups": 3000,
    "target-groups-per-action-on-application-load-balancer": 5,
    "targets-per-target-group": 1000,
}


def describe_account_limits(call: Call) -> Parameters:
    limits = [{"Name": name, "Max": str(most)} for name, most in _LIMITS.items()]
    shown, more = page(limits, lambda limit: limit["Name"], call.parameters)
    return {"Limits": list(shown), **more}


def describe_ssl_policies(call: Call) -> Parameters:
    """None: this cloud has no HTTPS listeners."""
    if names := call.parameters.get("Names"):
        raise ServiceError("SSLPolicyNotFound", f"SSL policies '[{', '.join(names)}]' not found")
    return {"SslPolicies": []}
