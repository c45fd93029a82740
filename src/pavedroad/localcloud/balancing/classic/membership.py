"""Classic load balancers as Auto Scaling groups use them (`Balancers`), by their names."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic.asked import balancer_named
from pavedroad.localcloud.balancing.classic.health import worst
from pavedroad.localcloud.balancing.classic.realising import keep
from pavedroad.localcloud.ports import Registration


class ClassicMembership:
    """One account and region. Changes are told to the host by the controller, a moment later."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def exists(self, source: str) -> bool:
        return any(it.name == source for it in self._call.store.classics.values())

    def register(self, source: str, instance_id: str) -> None:
        classic = balancer_named(self._call, source)
        if instance_id not in classic.instances:
            keep(self._call, replace(classic, instances=(*classic.instances, instance_id)))

    def deregister(self, source: str, instance_id: str) -> None:
        if not self.exists(source):
            return
        classic = balancer_named(self._call, source)
        if instance_id in classic.instances:
            left = tuple(it for it in classic.instances if it != instance_id)
            keep(self._call, replace(classic, instances=left))

    def registrations(self, source: str) -> dict[str, Registration]:
        call = self._call
        return worst(call.store, balancer_named(call, source), call.network, call.actual, call.is_up)
