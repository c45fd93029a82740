"""Operations on the policies of classic load balancers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pavedroad.localcloud.balancing import ssl_policies
from pavedroad.localcloud.balancing.asked import Parameters, invalid, refused
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic import kinds
from pavedroad.localcloud.balancing.classic.asked import asked_balancer
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicListener, Policy
from pavedroad.localcloud.balancing.classic.realising import keep
from pavedroad.localcloud.errors import ServiceError

_MOST = 100
_REFERENCE = "Reference-Security-Policy"
_LAYER_7 = ("HTTP", "HTTPS")


def create_policy(call: Call) -> Parameters:
    given = call.parameters.get("PolicyAttributes", [])
    pairs = [(it.get("AttributeName", ""), it.get("AttributeValue", "")) for it in given]
    return _create(call, kinds.checked(kinds.find(call.parameters["PolicyTypeName"]), pairs))


def create_lb_cookie_policy(call: Call) -> Parameters:
    seconds = call.parameters.get("CookieExpirationPeriod")
    if seconds is not None and seconds < 1:
        raise invalid("CookieExpirationPeriod must be at least 1 second")
    given = [] if seconds is None else [(kinds.COOKIE_SECONDS, str(seconds))]
    return _create(call, kinds.checked(kinds.find(kinds.LB_COOKIE), given))


def create_app_cookie_policy(call: Call) -> Parameters:
    given = [(kinds.COOKIE_NAME, call.parameters["CookieName"])]
    return _create(call, kinds.checked(kinds.find(kinds.APP_COOKIE), given))


def delete_policy(call: Call) -> Parameters:
    """Gone already is fine."""
    classic, name = asked_balancer(call), call.parameters["PolicyName"]
    used = [names for it in classic.listeners for names in it.policies]
    if name in used or any(name in names for names in classic.backends.values()):
        raise refused(f"The policy '{name}' is in use")
    left = {there: policy for there, policy in classic.policies.items() if there != name}
    keep(call, replace(classic, policies=left))
    return {}


def describe_policies(call: Call) -> Parameters:
    """Those of a balancer, or those that every balancer may refer to."""
    if "LoadBalancerName" in call.parameters:
        found = asked_balancer(call).policies
    else:
        found = {it.name: _security(it.name) for it in ssl_policies.all_policies()}
    names = call.parameters.get("PolicyNames") or found
    _check_known(names, found)
    return {
        "PolicyDescriptions": [
            {
                "PolicyName": name,
                "PolicyTypeName": found[name].kind,
                "PolicyAttributeDescriptions": [
                    {"AttributeName": key, "AttributeValue": value}
                    for key, value in found[name].attributes.items()
                ],
            }
            for name in names
        ]
    }


def describe_policy_types(call: Call) -> Parameters:
    names = call.parameters.get("PolicyTypeNames") or list(kinds.KINDS)
    return {
        "PolicyTypeDescriptions": [
            {
                "PolicyTypeName": kind.name,
                "Description": kind.description,
                "PolicyAttributeTypeDescriptions": [
                    {
                        "AttributeName": it.name,
                        "AttributeType": it.of,
                        "Cardinality": it.cardinality,
                        **({"DefaultValue": it.default} if it.default else {}),
                    }
                    for it in kind.attributes
                ],
            }
            for kind in map(kinds.find, names)
        ]
    }


def set_of_listener(call: Call) -> Parameters:
    classic, port = asked_balancer(call), call.parameters["LoadBalancerPort"]
    listener = next((it for it in classic.listeners if it.port == port), None)
    if listener is None:
        raise ServiceError("ListenerNotFound", f"There is no listener on the port {port} of '{classic.name}'")
    names = tuple(dict.fromkeys(call.parameters["PolicyNames"]))
    _check_known(names, classic.policies)
    _check_fit(classic, listener, names)
    changed = replace(listener, policies=names)
    listeners = tuple(changed if it.port == port else it for it in classic.listeners)
    keep(call, replace(classic, listeners=listeners))
    return {}


def set_of_backend(call: Call) -> Parameters:
    classic, port = asked_balancer(call), call.parameters["InstancePort"]
    names = tuple(dict.fromkeys(call.parameters["PolicyNames"]))
    _check_known(names, classic.policies)
    if not any(it.instance_port == port for it in classic.listeners):
        raise refused(f"No listener of '{classic.name}' sends to the port {port} of instances")
    if any(classic.policies[name].kind != kinds.PROXY for name in names):
        raise refused(f"Only policies of the type {kinds.PROXY} are for ports of instances")
    backends = {**classic.backends, str(port): names}
    keep(call, replace(classic, backends={key: names for key, names in backends.items() if names}))
    return {}


def with_predefined(classic: Classic) -> Classic:
    """Listeners with TLS have the default security policy where they have none of their own."""
    bare = [it for it in classic.listeners if it.protocol in ("HTTPS", "SSL") and not it.policies]
    if not bare:
        return classic
    name = ssl_policies.DEFAULT
    listeners = tuple(replace(it, policies=(name,)) if it in bare else it for it in classic.listeners)
    policies = {**classic.policies, name: classic.policies.get(name, _security(name))}
    return replace(classic, listeners=listeners, policies=policies)


def _create(call: Call, policy: Policy) -> Parameters:
    classic, name = asked_balancer(call), call.parameters["PolicyName"]
    if name in classic.policies:
        raise ServiceError("DuplicatePolicyName", f"There is a policy named '{name}' already")
    if len(classic.policies) >= _MOST:
        raise ServiceError("TooManyPolicies", f"A load balancer can have at most {_MOST} policies")
    keep(call, replace(classic, policies={**classic.policies, name: policy}))
    return {}


def _security(name: str) -> Policy:
    return Policy(kinds.SSL, {_REFERENCE: name})


def _check_known(names: Iterable[str], policies: dict[str, Policy]) -> None:
    for name in names:
        if name not in policies:
            raise ServiceError("PolicyNotFound", f"There is no policy named '{name}'")


def _check_fit(classic: Classic, listener: ClassicListener, names: tuple[str, ...]) -> None:
    found = [classic.policies[name].kind for name in names]
    sticky = [kind for kind in found if kind in (kinds.APP_COOKIE, kinds.LB_COOKIE)]
    if sticky and listener.protocol not in _LAYER_7:
        raise refused(f"Stickiness is for listeners of HTTP or HTTPS, and not of {listener.protocol}")
    if len(sticky) > 1 or found.count(kinds.SSL) > 1:
        raise refused("A listener can have one policy of stickiness and one of TLS")
    if kinds.SSL in found and listener.protocol not in ("HTTPS", "SSL"):
        raise refused(f"Policies of TLS are for listeners of HTTPS or SSL, and not of {listener.protocol}")
    if kinds.PROXY in found:
        raise refused(f"Policies of the type {kinds.PROXY} are for ports of instances")
