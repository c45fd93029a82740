"""The kinds of policies that classic load balancers know, and what they make of a listener."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pavedroad.localcloud.balancing import attributes, ssl_policies
from pavedroad.localcloud.balancing.asked import refused
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicListener, Policy
from pavedroad.localcloud.errors import ServiceError

APP_COOKIE, LB_COOKIE = "AppCookieStickinessPolicyType", "LBCookieStickinessPolicyType"
SSL, PROXY = "SSLNegotiationPolicyType", "ProxyProtocolPolicyType"
COOKIE_NAME, COOKIE_SECONDS = "CookieName", "CookieExpirationPeriod"
_REFERENCE, _PROXY = "Reference-Security-Policy", "ProxyProtocol"
_KEY, _BACKEND = "PublicKeyPolicyType", "BackendServerAuthenticationPolicyType"

_OLDEST = {
    "Protocol-TLSv1": "ELBSecurityPolicy-2016-08",
    "Protocol-TLSv1.1": "ELBSecurityPolicy-TLS-1-1-2017-01",
    "Protocol-TLSv1.2": "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
}
"""What is served where versions are chosen one by one, by the oldest of them."""


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    of: str
    cardinality: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    description: str
    attributes: tuple[Attribute, ...]


KINDS = {
    it.name: it
    for it in (
        Kind(
            APP_COOKIE,
            "Clients stay with an instance as long as a cookie of the application lasts. For listeners of "
            "HTTP or HTTPS.",
            (Attribute(COOKIE_NAME, "String", "ONE"),),
        ),
        Kind(
            LB_COOKIE,
            "Clients stay with an instance by a cookie of the balancer, for so many seconds or as long as "
            "their session. For listeners of HTTP or HTTPS.",
            (Attribute(COOKIE_SECONDS, "Long", "ZERO_OR_ONE"),),
        ),
        Kind(
            PROXY,
            "Says at the beginning of each connection to an instance who connects. For ports of instances.",
            (Attribute(_PROXY, "Boolean", "ONE"),),
        ),
        Kind(
            SSL,
            "Versions and ciphers of TLS, most simply by the name of one of the security policies. For "
            "listeners of HTTPS or SSL.",
            (
                Attribute(_REFERENCE, "String", "ZERO_OR_ONE"),
                *(Attribute(name, "Boolean", "ZERO_OR_ONE", "false") for name in _OLDEST),
                Attribute("Server-Defined-Cipher-Order", "Boolean", "ZERO_OR_ONE", "false"),
            ),
        ),
    )
}


def find(name: str) -> Kind:
    if name in (_KEY, _BACKEND):
        raise refused(f"Policies of the type {name} are not supported by this cloud")
    if found := KINDS.get(name):
        return found
    raise ServiceError("PolicyTypeNotFound", f"Policy type '{name}' not found")


def checked(kind: Kind, given: Iterable[tuple[str, str]]) -> Policy:
    """A policy of this kind with these attributes."""
    known = {it.name: it for it in kind.attributes}
    values: dict[str, str] = {}
    for name, value in given:
        if kind.name == SSL and name not in known and value.lower() in ("true", "false"):
            continue  # a cipher: which there are follows from the versions
        if name not in known:
            raise refused(f"The attribute '{name}' is not of policies of the type {kind.name}")
        _check(known[name], value)
        values[name] = value.lower() if known[name].of == "Boolean" else value
    if missing := [it.name for it in kind.attributes if it.cardinality == "ONE" and it.name not in values]:
        raise refused(f"Policies of the type {kind.name} need the attribute '{missing[0]}'")
    if (reference := values.get(_REFERENCE)) is not None:
        ssl_policies.find([reference])
    return Policy(kind.name, values)


def _check(attribute: Attribute, value: str) -> None:
    sound = {
        "Boolean": value.lower() in ("true", "false"),
        "Long": value.isascii() and value.isdigit() and len(value) <= 18,
        "String": 0 < len(value) <= 4096,
    }[attribute.of]
    if not sound:
        raise refused(f"The value '{value}' of the attribute '{attribute.name}' is not valid")


def ssl_policy(classic: Classic, listener: ClassicListener) -> str:
    """The name of the security policy that a listener serves by."""
    for policy in _of(classic, listener.policies, SSL):
        if reference := policy.attributes.get(_REFERENCE):
            return reference
        chosen = [served for name, served in _OLDEST.items() if policy.attributes.get(name) == "true"]
        if chosen:
            return chosen[0]
    return ssl_policies.DEFAULT


def stickiness(classic: Classic, listener: ClassicListener) -> dict[str, str]:
    """As a target group's attributes."""
    for policy in _of(classic, listener.policies, LB_COOKIE):
        seconds = policy.attributes.get(COOKIE_SECONDS, "0")
        return {attributes.STICKY: "true", attributes.STICKY_SECONDS: seconds}
    for policy in _of(classic, listener.policies, APP_COOKIE):
        return {
            attributes.STICKY: "true",
            attributes.STICKY_BY: "app_cookie",
            attributes.APP_COOKIE: policy.attributes[COOKIE_NAME],
            attributes.APP_COOKIE_SECONDS: "0",
        }
    return {}


def says_who_connects(classic: Classic, instance_port: int) -> bool:
    names = classic.backends.get(str(instance_port), ())
    return any(policy.attributes[_PROXY] == "true" for policy in _of(classic, names, PROXY))


def _of(classic: Classic, names: Iterable[str], kind: str) -> list[Policy]:
    return [it for name in names if (it := classic.policies[name]).kind == kind]
