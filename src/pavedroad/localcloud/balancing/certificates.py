"""Certificates of HTTPS listeners: what a listener asks for, and those that are added to it."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing import ssl_policies
from pavedroad.localcloud.balancing.asked import (
    Parameters,
    invalid,
    kept_protocol,
    page,
    shown_protocol,
    unsupported,
)
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import Listener
from pavedroad.localcloud.errors import ServiceError

_MOST = 25
_ALPN_NONE = "None"
_PROTOCOLS = {"application": ("HTTP", "HTTPS"), "network": ("TCP", "TLS")}


def read_terms(call: Call, before: Listener) -> Listener:
    """The listener with the protocol, policy and default certificate that are asked for."""
    asked = call.parameters
    allowed = _PROTOCOLS[call.store.balancers[before.balancer_arn].kind]
    protocol = asked.get("Protocol", shown_protocol(before.protocol) if before.arn else "")
    if protocol in ("UDP", "TCP_UDP") and "TCP" in allowed:
        raise unsupported(f"The protocol '{protocol}'")
    if protocol not in allowed:
        raise invalid(f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'")
    if any(policy != _ALPN_NONE for policy in asked.get("AlpnPolicy", [])):
        raise invalid("ALPN policies can only be specified for TLS listeners")
    mutual = asked.get("MutualAuthentication", {})
    if mutual.get("Mode", "off") != "off":
        raise unsupported("Mutual authentication")
    given = asked.get("Certificates", [])
    if protocol in ("HTTP", "TCP"):
        if given or asked.get("SslPolicy"):
            raise invalid("Certificates and SSL policies can only be specified for HTTPS and TLS listeners")
        return replace(before, protocol=kept_protocol(protocol), ssl_policy="", certificates=())
    if len(given) > 1:
        raise ServiceError("TooManyCertificates", "You can specify only one default certificate")
    others = before.certificates[1:]
    default = _checked(call, given[0]) if given else next(iter(before.certificates), None)
    if default is None:
        raise ServiceError("CertificateNotFound", f"A certificate must be specified for {protocol} listeners")
    policy = asked.get("SslPolicy", before.ssl_policy or ssl_policies.DEFAULT)
    ssl_policies.find([policy])
    return replace(
        before,
        protocol=kept_protocol(protocol),
        ssl_policy=policy,
        certificates=(default, *others),
    )


def add_listener_certificates(call: Call) -> Parameters:
    listener = _https(call)
    arns = [_checked(call, certificate) for certificate in call.parameters["Certificates"]]
    default, *others = listener.certificates
    after = (default, *dict.fromkeys((*others, *arns)))
    if len(after) - 1 > _MOST:
        raise ServiceError(
            "TooManyCertificates", f"A listener can have at most {_MOST} certificates beside its default"
        )
    call.store.put(call.store.listeners, listener.arn, replace(listener, certificates=after))
    shown = [{"CertificateArn": arn, "IsDefault": False} for arn in dict.fromkeys(arns)]
    return {"Certificates": shown}


def remove_listener_certificates(call: Call) -> Parameters:
    """One that is not there is passed over. The default one may be in the list as well."""
    listener = _https(call)
    default, *others = listener.certificates
    leaving = {certificate.get("CertificateArn", "") for certificate in call.parameters["Certificates"]}
    if default in leaving and default not in others:
        raise ServiceError(
            "OperationNotPermitted", "The default certificate of a listener cannot be removed from it"
        )
    after = (default, *(arn for arn in others if arn not in leaving))
    call.store.put(call.store.listeners, listener.arn, replace(listener, certificates=after))
    return {}


def describe_listener_certificates(call: Call) -> Parameters:
    listener = call.listener(call.parameters["ListenerArn"])
    listed = [
        {"CertificateArn": arn, "IsDefault": number == 0} for number, arn in enumerate(listener.certificates)
    ]
    shown, more = page(listed, lambda it: f"{not it['IsDefault']:d} {it['CertificateArn']}", call.parameters)
    return {"Certificates": list(shown), **more}


def describe_ssl_policies(call: Call) -> Parameters:
    asked = call.parameters
    if asked.get("LoadBalancerType", "application") not in _PROTOCOLS:
        raise unsupported(f"A load balancer of type '{asked['LoadBalancerType']}'")
    names = asked.get("Names")
    found = ssl_policies.find(names) if names else ssl_policies.all_policies()
    shown, more = page(found, lambda policy: policy.name, asked)
    return {
        "SslPolicies": [
            {
                "Name": policy.name,
                "SslProtocols": list(reversed(policy.protocols)),
                "Ciphers": [
                    {"Name": cipher, "Priority": place} for place, cipher in enumerate(policy.ciphers, 1)
                ],
                "SupportedLoadBalancerTypes": list(_PROTOCOLS),
            }
            for policy in shown
        ],
        **more,
    }


def _https(call: Call) -> Listener:
    listener = call.listener(call.parameters["ListenerArn"])
    if listener.protocol not in ("HTTPS", "SSL"):
        raise ServiceError("OperationNotPermitted", "Only HTTPS and TLS listeners have certificates")
    return listener


def _checked(call: Call, given: Parameters) -> str:
    arn = given.get("CertificateArn", "")
    if given.get("IsDefault") is not None:
        raise invalid("You cannot set IsDefault when specifying a certificate")
    if call.certificates.certificate(arn) is None:
        raise ServiceError("CertificateNotFound", f"Certificate '{arn}' not found")
    return arn
