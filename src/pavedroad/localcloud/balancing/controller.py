"""The thread that keeps the host told: instances that come and go, targets that have drained, listeners
that could not be opened where they were."""

from __future__ import annotations

import logging
from dataclasses import replace

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.draining import Drains
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.ports import can_open, choose_port
from pavedroad.localcloud.balancing.publisher import NetworkOf, Publisher
from pavedroad.localcloud.balancing.store import Store, Stores
from pavedroad.localcloud.ports import Network
from pavedroad.localcloud.state import State
from pavedroad.localcloud.watch import RESYNC_SECONDS, Watch

_DRAINING_SECONDS = 0.1
"""How often to look while something drains: what is in flight is no change of state."""
_REST_SECONDS = 0.02
_REST_RATIO = 5
"""Rest this many times what looking took, so that many targets never take more than a sixth of the time."""

_log = logging.getLogger(__name__)


class Controller:
    """Level-triggered: each step compares all that is kept with what EC2 and the host say.

    `opening` are the listeners that calls still wait for, and look after themselves.
    """

    def __init__(
        self,
        *,
        state: State,
        stores: Stores,
        publisher: Publisher,
        link: HostLink,
        network: NetworkOf,
        clock: Clock,
        opening: set[str],
    ) -> None:
        self._state = state
        self._stores = stores
        self._publisher = publisher
        self._link = link
        self._network = network
        self._clock = clock
        self._opening = opening
        self._drains = Drains(link.actual)
        self._draining = False
        self._watch = Watch(
            "load balancing",
            state,
            self.step,
            resync=lambda: _DRAINING_SECONDS if self._draining else RESYNC_SECONDS,
            rest_ratio=_REST_RATIO,
            least_rest=_REST_SECONDS,
        )

    def start(self) -> None:
        self.step()
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        """One look at everything, in the caller's thread; group by group, so that calls need not wait for
        all of it."""
        draining: list[Member] = []
        revision = 0
        for store in self._stores:
            try:
                self._look_at_groups(store)
                with self._state.lock:
                    if self._reopen(store):
                        self._state.touch()
                    revision = self._publisher.publish(store).revision
            except Exception:
                _log.exception("The load balancers of %s could not be looked after", store.region)
            with self._state.lock:
                draining += _draining(store)
        with self._state.lock:
            self._drains.told(draining, revision)
            self._draining = bool(draining)

    def _look_at_groups(self, store: Store) -> None:
        with self._state.lock:
            users, arns = store.users(), tuple(store.groups)
        for number, arn in enumerate(arns):
            if number:
                self._state.give_way()
            with self._state.lock:
                if group := store.groups.get(arn):
                    self._look_after(store, group, users.get(arn, set()))

    def _look_after(self, store: Store, group: TargetGroup, users: set[str]) -> None:
        network = self._network(store.account, store.region)
        for member in tuple(store.members_of(group.arn)):
            unused = member.drain_until is not None and not users
            if unused or self._has_left(group, member, network):
                store.drop(store.members[group.arn], member.key)
                self._state.touch()
        if users:
            self._publisher.look_at(store, group, users)

    def _has_left(self, group: TargetGroup, member: Member, network: Network) -> bool:
        """It has drained, or ended while it did, or EC2 has forgotten it."""
        if group.target_type == "instance":
            endpoint = network.endpoint(member.id)
            if endpoint is None:
                return True
            if member.drain_until is not None and endpoint.state != "running":
                return True
        return self._drains.is_over(member, self._clock.now().timestamp())

    def _reopen(self, store: Store) -> bool:
        """Move listeners whose port somebody else has taken, or that this user may no longer bind."""
        changed = False
        for listener in tuple(store.listeners.values()):
            if listener.arn in self._opening or self._link.actual.refused(listener.arn) is None:
                continue
            addresses = store.balancers[listener.balancer_arn].addresses
            if can_open(addresses, listener.bound_port):
                continue
            taken = {it.bound_port for it in store.listeners_of(listener.balancer_arn)}
            if (port := choose_port(addresses, listener.port, taken)) is not None:
                _log.warning("Listener %s moves to port %d", listener.arn, port)
                store.put(store.listeners, listener.arn, replace(listener, bound_port=port))
                changed = True
        return changed


def _draining(store: Store) -> list[Member]:
    return [
        member
        for members in store.members.values()
        for member in members.values()
        if member.drain_until is not None
    ]
