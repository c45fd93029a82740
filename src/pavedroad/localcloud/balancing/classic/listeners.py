"""Operations on the listeners of classic load balancers, and on their health checks."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing.asked import Parameters, refused
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic.asked import (
    asked_balancer,
    checked_certificate,
    duplicate,
    read_check,
    read_listeners,
)
from pavedroad.localcloud.balancing.classic.balancers import written_check
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicListener
from pavedroad.localcloud.balancing.classic.policies import with_predefined
from pavedroad.localcloud.balancing.classic.realising import keep
from pavedroad.localcloud.errors import ServiceError

_MOST = 100


def create_listeners(call: Call) -> Parameters:
    """One that is there just so is passed over."""
    classic = asked_balancer(call)
    there = {it.port: it for it in classic.listeners}
    for listener in read_listeners(call, call.parameters["Listeners"]):
        before = there.get(listener.port)
        if before is None:
            there[listener.port] = listener
        elif replace(before, policies=()) != listener:
            raise duplicate(listener.port)
    if len(there) > _MOST:
        raise refused(f"A load balancer can have at most {_MOST} listeners")
    keep(call, with_predefined(_listening(classic, there)))
    return {}


def delete_listeners(call: Call) -> Parameters:
    """Ports without a listener are passed over."""
    classic = asked_balancer(call)
    leaving = set(call.parameters["LoadBalancerPorts"])
    keep(call, _listening(classic, {it.port: it for it in classic.listeners if it.port not in leaving}))
    return {}


def set_certificate(call: Call) -> Parameters:
    classic = asked_balancer(call)
    listener = listener_at(classic, call.parameters["LoadBalancerPort"])
    if listener.protocol not in ("HTTPS", "SSL"):
        raise refused(f"A listener of {listener.protocol} cannot have an SSL certificate")
    certificate = checked_certificate(call, call.parameters["SSLCertificateId"])
    keep(call, with_listener(classic, replace(listener, certificate=certificate)))
    return {}


def configure_health_check(call: Call) -> Parameters:
    classic = asked_balancer(call)
    check = read_check(call.parameters["HealthCheck"])
    keep(call, replace(classic, check=check))
    return {"HealthCheck": written_check(check)}


def listener_at(classic: Classic, port: int) -> ClassicListener:
    for listener in classic.listeners:
        if listener.port == port:
            return listener
    raise ServiceError("ListenerNotFound", f"There is no listener on the port {port} of '{classic.name}'")


def with_listener(classic: Classic, listener: ClassicListener) -> Classic:
    return _listening(classic, {**{it.port: it for it in classic.listeners}, listener.port: listener})


def _listening(classic: Classic, listeners: dict[int, ClassicListener]) -> Classic:
    return replace(classic, listeners=tuple(listeners[port] for port in sorted(listeners)))
