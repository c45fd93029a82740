"""Load balancing by one version of its API: one call at a time under the lock, and answered when Envoy serves
it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.host_link import HostLink, HostUnavailable
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.balancing.asked import Parameters
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.controller import Controller
from pavedroad.localcloud.balancing.listeners import free_port
from pavedroad.localcloud.balancing.monitored import MonitoredBalancing
from pavedroad.localcloud.balancing.operations import APPLICATION, Operation, Version
from pavedroad.localcloud.balancing.publisher import CertificatesOf, NetworkOf, Published, Publisher
from pavedroad.localcloud.balancing.store import FORM, Journal, Kept, Store, Stores
from pavedroad.localcloud.balancing.tagged import TaggedBalancing
from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.modelled import Wire
from pavedroad.localcloud.ports import Balancers, Faults
from pavedroad.localcloud.state import State

ROUTE_SECONDS = 10.0
_FOLLOW_SECONDS = 3.0
"""For changes that stand whether Envoy takes them in time or not."""
_PORTS_TRIED = 5

_log = logging.getLogger(__name__)


class LoadBalancing:
    """A `Durable` of the endpoint, with a controller that `start` sets going.

    Calls that change routing wait for Envoy with no lock held; what Envoy does not take is taken back. Of
    changes that may be, one at a time is before Envoy for each listener, so that each is judged alone.
    """

    form = FORM

    def __init__(
        self,
        state: State,
        network: NetworkOf,
        link: HostLink,
        clock: Clock,
        *,
        certificates: CertificatesOf,
        faults: Faults | None = None,
        version: Version = APPLICATION,
    ) -> None:
        self._version = version
        self._constraints = Constraints(version.model)
        self._certificates = certificates
        self._faults = faults
        self._state = state
        self._network = network
        self._link = link
        self._clock = clock
        self._wire = Wire(version.model, self._check)
        self._stores = Stores()
        self._publisher = Publisher(link, network, certificates, self._is_up)
        self._opening: set[str] = set()
        """Listeners whose calls still wait for them."""
        self._judged: set[str] = set()
        """Listeners with a change that may yet be taken back; read and changed under the state lock."""
        self._judgement = threading.Condition(state.lock)
        self._unsure: set[str] = set()
        """Listeners whose last change was taken back, which Envoy has not been seen to take: what impairs
        them now may be that change, and excuses no other."""
        self._controller = Controller(
            state=state,
            stores=self._stores,
            publisher=self._publisher,
            link=link,
            network=network,
            clock=clock,
            opening=self._opening,
        )

    def start(self) -> None:
        """Before the host's link starts, so that a host which balances already goes on doing so."""
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def dump(self) -> tuple[Kept, ...]:
        return self._stores.dump()

    def load(self, saved: Any) -> None:
        self._stores.load(saved)
        self._state.touch()

    def users_of_certificates(self, account: str, region: str) -> dict[str, list[str]]:
        """The balancers that show each certificate, by its ARN, for ACM; called with the lock held."""
        found: dict[str, list[str]] = {}
        for listener in self._stores.at(account, region).listeners.values():
            for certificate in listener.certificates:
                balancers = found.setdefault(certificate, [])
                if listener.balancer_arn not in balancers:
                    balancers.append(listener.balancer_arn)
        return found

    def certificates_in_use(self, account: str) -> set[str]:
        """By ARN, in all regions; called with the lock held."""
        return {
            certificate
            for store in self._stores
            if store.account == account
            for listener in store.listeners.values()
            for certificate in listener.certificates
        }

    def _is_up(self, zone: str) -> bool:
        return self._faults is None or not self._faults.zone_is_down(zone)

    def balancers(self, account: str, region: str) -> Balancers:
        """What there is there, for groups."""
        return self._version.members(self._call(self._stores.at(account, region), {}))

    def members(self) -> Iterator[tuple[str, str]]:
        """A security group's id and an address, for each that a balancer has; called with the lock held."""
        for store in self._stores:
            for balancer in store.balancers.values():
                for group_id in balancer.security_groups:
                    for address in balancer.addresses:
                        yield group_id, address

    def monitored(self) -> MonitoredBalancing:
        """For those who publish what was measured."""
        return MonitoredBalancing(self._stores, self._network, self._link.actual, self._is_up)

    def tagged(self, kind: type[TaggedBalancing] = TaggedBalancing) -> TaggedBalancing:
        """For the tagging API."""
        return kind(self._stores, self)

    def handle(self, request: ApiRequest) -> ApiResponse:
        try:
            action, parameters = self._wire.read(request)
            result = self.call(request.account, request.region, action, parameters)
            return self._wire.write(request, action, result)
        except ServiceError as error:
            return error_response(request, error)
        except Exception:
            _log.exception("A call of load balancing failed")
            return error_response(request, internal_failure())

    def call(self, account: str, region: str, action: str, parameters: Parameters) -> Parameters:
        """One operation; where it raises, nothing has changed."""
        operation = self._version.operations.get(action)
        if operation is None:
            raise ServiceError("UnsupportedOperation", f"{action} is not supported by this cloud.")
        with self._state.lock:
            call, journal, result = self._run(operation, account, region, parameters)
            if not journal:
                if not reads(action):
                    # What it asks for is there, but perhaps not on disk: who made it may have been told so.
                    self._state.touch()
                return result
            judged = call.store.listeners_in(journal) if operation.must_route else frozenset[str]()
            impaired = self._link.actual.troubles().keys() - self._unsure
            published = self._publisher.publish(call.store)
            self._judged |= judged
            self._opening.update(call.opens)
            self._state.touch()
        try:
            if operation.routes:
                self._settle(call, operation, journal, published)
                self._hold(call, operation, journal, published.listeners - impaired)
        finally:
            with self._state.lock:
                self._opening.difference_update(call.opens)
                self._judged -= judged
                self._judgement.notify_all()
        return result

    def _run(
        self, operation: Operation, account: str, region: str, parameters: Parameters
    ) -> tuple[Call, Journal, Parameters]:
        """With the state lock held, which it lets go while another change to the same listener is judged: it
        is run anew then, on what that has left."""
        deadline = time.monotonic() + ROUTE_SECONDS
        while True:
            store = self._stores.at(account, region)
            call = self._call(store, parameters)
            with store.journal() as journal:
                result = operation.run(call)
            if not operation.must_route or self._judged.isdisjoint(store.listeners_in(journal)):
                return call, journal, result
            journal.take_back()
            if not self._judgement.wait(deadline - time.monotonic()):
                words = "The load balancers have not taken other changes to this listener yet."
                raise ServiceError("ServiceUnavailable", words, 503)

    def _call(self, store: Store, parameters: Parameters) -> Call:
        return Call(
            parameters,
            store,
            self._network(store.account, store.region),
            self._link.actual,
            self._clock,
            self._certificates(store.account, store.region),
            self._is_up,
        )

    def _check(self, action: str, parameters: Parameters) -> None:
        """What is absent is not checked, so that it says so."""
        if action in self._version.operations:
            said = {key: it for key, it in parameters.items() if key not in self._version.shorter}
            self._constraints.check(action, said)

    def _hold(self, call: Call, operation: Operation, journal: Journal, listeners: frozenset[str]) -> None:
        """Take back what Envoy does not take of these listeners, which served all that they should."""
        troubles = filter(None, map(self._link.actual.impaired, sorted(listeners)))
        if operation.must_route and (trouble := next(troubles, None)):
            revision = self._take_back(call, journal)
            with suppress(HostUnavailable):
                self._link.route(revision, _FOLLOW_SECONDS)
                self._unsure -= listeners
            raise ServiceError("InvalidConfigurationRequest", f"The change cannot be served: {trouble}")
        self._unsure -= listeners

    def _settle(self, call: Call, operation: Operation, journal: Journal, published: Published) -> None:
        """Wait until Envoy has the change, or take it back."""
        try:
            self._link.route(published.revision, ROUTE_SECONDS if operation.must_route else _FOLLOW_SECONDS)
            for listener_arn in call.opens:
                self._open(call, listener_arn, journal)
        except HostUnavailable as error:
            if not operation.must_route:
                _log.warning("%s", error.sentence)
                return
            self._take_back(call, journal)
            raise ServiceError("ServiceUnavailable", error.sentence, 503) from error
        except ServiceError:
            self._take_back(call, journal)
            raise

    def _open(self, call: Call, listener_arn: str, journal: Journal) -> None:
        """A port that was free a moment ago may be taken by now: then the next one."""
        failed: set[int] = set()
        while (refused := self._link.actual.refused(listener_arn)) is not None:
            if len(failed) == _PORTS_TRIED:
                raise ServiceError("InvalidConfigurationRequest", f"The listener cannot be opened: {refused}")
            with self._state.lock, call.store.journal(journal):
                listener = call.listener(listener_arn)
                failed.add(listener.bound_port)
                balancer = call.store.balancers[listener.balancer_arn]
                port = free_port(call, balancer, listener.port, frozenset(failed))
                call.store.put(call.store.listeners, listener_arn, replace(listener, bound_port=port))
                revision = self._publisher.publish(call.store).revision
            self._link.route(revision, ROUTE_SECONDS)

    def _take_back(self, call: Call, journal: Journal) -> int:
        """The revision without the change."""
        with self._state.changing():
            changed = call.store.listeners_in(journal)
            journal.take_back()
            self._unsure |= changed & call.store.listeners.keys()
            return self._publisher.publish(call.store).revision
