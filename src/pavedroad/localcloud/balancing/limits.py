"""What there can be at most."""

from __future__ import annotations

from pavedroad.localcloud.balancing.asked import Parameters, page
from pavedroad.localcloud.balancing.call import Call

_LIMITS = {
    "application-load-balancers": 50,
    "certificates-per-application-load-balancer": 25,
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
