"""Envoy's refusals in one sentence each."""

from __future__ import annotations

from pavedroad.localcloud.envoy.snapshot import Kind
from pavedroad.localcloud.wanted import Front, Rule

_BINDING = {
    "Address already in use": "is in use by another program",
    "Permission denied": "may not be opened by this user",
    "Cannot assign requested address": "is not an address of this machine",
    "duplicate address": "is already taken by another listener",
}


def refusal(kind: Kind, front: Front, words: str) -> str:
    """`words` are Envoy's own."""
    place = f"{front.address}:{front.port}"
    if kind is Kind.LISTENER:
        for sign, meaning in _BINDING.items():
            if sign in words:
                return f"{place} {meaning}."
        return f"Envoy refused to listen on {place}: {words}"
    what = {Kind.ROUTES: "the rules", Kind.SECRET: "a certificate"}.get(kind, "a target group")
    return f"Envoy refused {what} of the listener on {place}, which serves what it did before: {words}"


def refused_rule(front: Front, rule: Rule, why: str) -> str:
    """Not even said to Envoy."""
    return (
        f"The rule of priority {rule.priority} of the listener on {front.address}:{front.port} takes no "
        f"request: {why}."
    )
