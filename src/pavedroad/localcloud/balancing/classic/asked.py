"""Reading what calls of the older API ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pavedroad.localcloud.balancing.asked import Parameters, invalid, number, refused
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicCheck, ClassicListener, Protocol
from pavedroad.localcloud.errors import ServiceError

_PROTOCOLS: dict[str, Protocol] = {"HTTP": "HTTP", "HTTPS": "HTTPS", "TCP": "TCP", "SSL": "SSL"}
_LAYERS = {"HTTP": 7, "HTTPS": 7, "TCP": 4, "SSL": 4}
_TARGET = re.compile(r"(HTTPS?|TCP|SSL):([0-9]{1,5})(/[\x21-\x7e]{0,1023})?", re.IGNORECASE)


def balancer_named(call: Call, name: str) -> Classic:
    for classic in call.store.classics.values():
        if classic.name == name:
            return classic
    raise ServiceError("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")


def asked_balancer(call: Call) -> Classic:
    return balancer_named(call, call.parameters["LoadBalancerName"])


def read_listeners(call: Call, given: Iterable[Parameters]) -> tuple[ClassicListener, ...]:
    """By port."""
    found = [_listener(call, it) for it in given]
    ports = [it.port for it in found]
    for port in ports:
        if ports.count(port) > 1:
            raise duplicate(port)
    return tuple(sorted(found, key=lambda it: it.port))


def duplicate(port: int) -> ServiceError:
    return ServiceError("DuplicateListener", f"A listener already exists for the port {port}")


def checked_certificate(call: Call, arn: str) -> str:
    if call.certificates.certificate(arn) is None:
        raise ServiceError("CertificateNotFound", f"Server Certificate not found for the key: {arn}")
    return arn


def read_check(given: Parameters) -> ClassicCheck:
    match = _TARGET.fullmatch(given["Target"])
    if match is None:
        raise invalid(
            f"HealthCheck Target '{given['Target']}' must be like 'HTTP:80/ping', 'HTTPS:443/', 'TCP:22' or "
            "'SSL:443'"
        )
    protocol, path = _PROTOCOLS[match[1].upper()], match[3] or ""
    if (_LAYERS[protocol] == 7) != bool(path):
        words = "must have a path" if not path else "cannot have a path"
        raise invalid(f"HealthCheck {protocol} Target {words}")
    check = ClassicCheck(
        protocol,
        number(int(match[2]), 1, 65535, "HealthCheck port"),
        path,
        number(given["Interval"], 5, 300, "HealthCheck interval"),
        number(given["Timeout"], 2, 60, "HealthCheck timeout"),
        number(given["HealthyThreshold"], 2, 10, "HealthCheck healthy threshold"),
        number(given["UnhealthyThreshold"], 2, 10, "HealthCheck unhealthy threshold"),
    )
    if check.timeout_seconds >= check.interval_seconds:
        raise invalid("HealthCheck timeout must be less than interval")
    return check


def _listener(call: Call, given: Parameters) -> ClassicListener:
    protocol = _protocol(given["Protocol"])
    inside = _protocol(given.get("InstanceProtocol") or ("HTTP" if _LAYERS[protocol] == 7 else "TCP"))
    if _LAYERS[protocol] != _LAYERS[inside]:
        raise refused(f"A listener of {protocol} cannot have instances of {inside}")
    certificate = given.get("SSLCertificateId", "")
    if protocol in ("HTTPS", "SSL"):
        if not certificate:
            raise refused(f"A listener of {protocol} must have an SSL certificate")
        checked_certificate(call, certificate)
    elif certificate:
        raise refused(f"A listener of {protocol} cannot have an SSL certificate")
    return ClassicListener(
        number(given["LoadBalancerPort"], 1, 65535, "LoadBalancerPort"),
        protocol,
        number(given["InstancePort"], 1, 65535, "InstancePort"),
        inside,
        certificate,
    )


def _protocol(given: str) -> Protocol:
    if found := _PROTOCOLS.get(given.upper()):
        return found
    raise ServiceError(
        "UnsupportedProtocol", f"The protocol '{given}' is not one of HTTP, HTTPS, TCP and SSL"
    )
