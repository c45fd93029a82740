"""The API process's parts, put together: state, services, controllers, the host's link, snapshots."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pavedroad.core import cloud_key
from pavedroad.core.clock import SystemClock
from pavedroad.core.networking import OUTSIDE, SAID, Mode
from pavedroad.core.places import KEY_FILE
from pavedroad.localcloud.api.ec2.captures import Captures
from pavedroad.localcloud.api.ec2.controller import Controller
from pavedroad.localcloud.api.ec2.layers import LayerStore, LayerUpkeep
from pavedroad.localcloud.api.ec2.walls import Walls
from pavedroad.localcloud.api.garbage import LongLived
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.server import Endpoint
from pavedroad.localcloud.api.services import Durable, Service
from pavedroad.localcloud.api.signatures.gate import AnyCredentials, SignedOnly
from pavedroad.localcloud.api.signatures.keys import any_of, home_key
from pavedroad.localcloud.api.snapshots import NotSaved, Snapshots
from pavedroad.localcloud.autoscaling.service import AutoScaling
from pavedroad.localcloud.balancing.classic.operations import CLASSIC
from pavedroad.localcloud.balancing.endpoint import ElasticLoadBalancing
from pavedroad.localcloud.balancing.operations import APPLICATION
from pavedroad.localcloud.balancing.service import LoadBalancing
from pavedroad.localcloud.balancing.tagged import TaggedClassics
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.errors import unavailable
from pavedroad.localcloud.faults.kinds import Reach
from pavedroad.localcloud.faults.routes import FaultRoutes
from pavedroad.localcloud.faults.service import FaultInjection
from pavedroad.localcloud.faults.tunnels import tunnels_possible
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.monitoring.tagged import TaggedAlarms
from pavedroad.localcloud.moto_adapter import ec2_layers, ec2_outages
from pavedroad.localcloud.moto_adapter.buckets import serve_buckets
from pavedroad.localcloud.moto_adapter.certificates import AcmService, MotoCertificates
from pavedroad.localcloud.moto_adapter.compute import MotoCompute
from pavedroad.localcloud.moto_adapter.ec2_capture import captures
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.ec2_monitored import running_instances
from pavedroad.localcloud.moto_adapter.ec2_service import Ec2Service
from pavedroad.localcloud.moto_adapter.ec2_struck import MotoInstances
from pavedroad.localcloud.moto_adapter.ec2_walls import security_groups
from pavedroad.localcloud.moto_adapter.forgetting import forget
from pavedroad.localcloud.moto_adapter.install import account_of, install
from pavedroad.localcloud.moto_adapter.kept_objects import kept_objects
from pavedroad.localcloud.moto_adapter.kept_queues import kept_queues
from pavedroad.localcloud.moto_adapter.keys import session_keys, user_keys
from pavedroad.localcloud.moto_adapter.machines import MotoMachines
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from pavedroad.localcloud.moto_adapter.outlets import deliver_to
from pavedroad.localcloud.moto_adapter.server_certificates import IamService
from pavedroad.localcloud.moto_adapter.services import NAMES, MotoService
from pavedroad.localcloud.moto_adapter.snapshot import MotoState
from pavedroad.localcloud.moto_adapter.stored.service import stored_services
from pavedroad.localcloud.moto_adapter.tagged import TaggedByMoto
from pavedroad.localcloud.moto_adapter.topics import topics_of
from pavedroad.localcloud.objects.service import ObjectStorage
from pavedroad.localcloud.ports import Queues, Scaling
from pavedroad.localcloud.publishing.controller import Publishing
from pavedroad.localcloud.publishing.views import InstanceView
from pavedroad.localcloud.queues.service import Queueing
from pavedroad.localcloud.state import State
from pavedroad.localcloud.stored_services import REFUSED
from pavedroad.localcloud.tagging.service import Tagging
from pavedroad.localcloud.wanted import Guest, GuestStatus
from pavedroad.localcloud.watch import Watch

_log = logging.getLogger(__name__)
_CLEAN_EVERY = 300.0
_DATAPOINT_CALLS = 2
"""At once: they are all work, so more of them would only keep the processor from others."""


class Cloud:
    """`endpoint` serves it; `start` and `close` are called once each."""

    def __init__(
        self,
        home: Path,
        host_socket: Path,
        block: Block,
        network: Mode = "shared",
        *,
        annex: bool = False,
        is_open: bool = False,
    ) -> None:
        self._network: Mode = network
        self._annex = annex
        self._began = time.monotonic()
        self._state = State()
        self._blobs = BlobStore(home / "objects")
        install(block)
        keys = any_of(home_key(cloud_key.read(home / KEY_FILE)), session_keys, user_keys)
        self._gate = AnyCredentials() if is_open else SignedOnly(keys)
        self._link = HostLink(host_socket)
        self._link.followers.append(lambda _: self._state.ring())
        layers = LayerStore(home / "images" / "layers")
        clock = self._clock = SystemClock()
        self._queueing = Queueing(self._state, clock)
        deliver_to(self._queueing)
        self._objects = ObjectStorage(self._state, clock, self._blobs, self._queues, topics_of)
        serve_buckets(self._objects)
        ec2 = Ec2Service(self._state, self._objects, layers, self._link.console)
        own = network == "namespaces"
        reach = Reach(losses=own, delays=own and tunnels_possible())
        self._faults = FaultInjection(self._state, MotoInstances(), clock, home, reach=reach)
        self._balancing, self._classic = (
            LoadBalancing(
                self._state,
                MotoNetwork,
                self._link,
                clock,
                certificates=MotoCertificates,
                faults=self._faults,
                version=api,
            )
            for api in (APPLICATION, CLASSIC)
        )
        load_balancers = ElasticLoadBalancing(self._balancing, self._classic)
        self._monitoring = Monitoring(
            self._state, clock, Outlets(self._policies, topics_of, MotoMachines), home / "metrics"
        )
        self._scaling = AutoScaling(
            self._state,
            MotoCompute,
            load_balancers.balancers,
            clock,
            metrics=self._monitoring.metrics,
            topics=topics_of,
            queues=self._queues,
        )
        monitored = self._balancing.monitored()
        self._publishing = Publishing(
            self._state,
            clock,
            self._link.measurements,
            self._monitoring.metrics,
            instances_of=self._measured_instances,
            balancers_of=monitored.balancers,
            groups_of=monitored.groups,
            classics_of=self._classic.monitored().classics,
        )
        self._moto = [MotoService(name, self._state) for name in NAMES]
        self._moto.append(IamService(self._state, load_balancers.certificates_in_use))
        self._moto.append(AcmService(self._state, load_balancers.users_of_certificates))
        services: list[Service] = [
            ec2,
            load_balancers,
            self._scaling,
            self._monitoring,
            self._queueing,
            self._objects,
            *self._moto,
            *stored_services(self._state),
            Tagging(
                self._state,
                (
                    self._balancing.tagged(),
                    self._classic.tagged(TaggedClassics),
                    self._queueing.tagged(),
                    self._objects.tagged(),
                    TaggedAlarms(self._monitoring.region, self._monitoring.call),
                    TaggedByMoto(self._state),
                ),
            ),
        ]
        self._faults.zone_returned.append(self._scaling.zone_returned)
        ec2_outages.heed(self._faults)
        self._controller = Controller(self._state, MotoFleet(), _Guests(self._link), faults=self._faults)
        self._walls: Walls | None = None
        if network == "namespaces":
            self._walls = Walls(self._state, self._link, security_groups, self._balanced)
        self._layers = LayerUpkeep(
            self._state,
            layers,
            self._objects,
            registered=ec2_layers.registered,
            in_use=ec2_layers.in_use,
            saved=lambda: self._snapshots.saved_revision,
        )
        self._captures = Captures(self._state, captures, self._link.actual.guest, self._link.make_layer)
        self._snapshots = Snapshots(
            home / "state.snapshot",
            self._state,
            {
                "moto": MotoState({"sqs": self._take_queues, "s3": self._take_objects}),
                "faults": self._faults,
                load_balancers.name: self._balancing,
                "elb": self._classic,
                **_durable(services),
            },
            writer=version("pavedroad"),
            beside=(home / "instances", home / "objects"),
            written=self._clean,
        )
        self._cleaned_at = time.monotonic()
        self._cleaning = threading.Lock()
        self._quiet = Watch(
            "contents", self._state, self._clean_when_quiet, resync=lambda: 30.0, least_rest=30.0
        )
        self._held: set[str] = set()
        self._long_lived = LongLived()
        self.endpoint = Endpoint(
            services,
            account_of,
            self._health,
            gate=self._gate,
            settle=self._keep,
            hinders=self._faults.hinders,
            pages=FaultRoutes(self._faults),
            apart={self._monitoring.name: _DATAPOINT_CALLS},
            drafts=self._blobs.drafts,
            refused=REFUSED,
        )

    def start(self, *, fresh: bool) -> None:
        """`fresh` says that the host starts too, so that nothing runs yet. `StateUnreadable` before anything
        has been done, or told to the host."""
        if self._snapshots.restore() and fresh:
            for instance in MotoFleet().instances():
                instance.life.power_on_again()
        self._snapshots.begin()
        # The host is told first what should run and be balanced: where it does already, it goes on.
        self._controller.step()
        self._balancing.start()
        self._classic.start()
        if self._walls is not None:
            self._walls.step()
            self._walls.start()
        self._link.start()
        self._controller.start()
        self._captures.start()
        self._layers.start()
        self._quiet.start()
        self._faults.start()
        self._scaling.start()
        self._monitoring.start()
        self._publishing.start()
        self._snapshots.start()
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()

    def close(self) -> None:
        self._publishing.stop()
        self._monitoring.stop()
        self._scaling.stop()
        self._balancing.stop()
        self._classic.stop()
        self._faults.stop()
        self._layers.stop()
        self._quiet.stop()
        self._captures.stop()
        if self._walls is not None:
            self._walls.stop()
        self._controller.close()
        self._link.close()
        self._snapshots.close()
        self._long_lived.end()

    def _take_queues(self, kept: dict[str, dict[str, Any]]) -> None:
        self._queueing.load(kept_queues(kept))

    def _take_objects(self, kept: dict[str, dict[str, Any]]) -> None:
        self._objects.load(kept_objects(kept))

    def _queues(self, _account: str, _region: str) -> Queues:
        return self._queueing

    def _policies(self, _account: str, _region: str) -> Scaling:
        return self._scaling

    def _prepare(self) -> None:
        """Import the rest of moto before somebody asks for it; look whether all contents are there."""
        for service in (*self._moto, self._objects):
            try:
                service.prepare()
            except Exception:
                _log.exception("%s could not be prepared", service.name)
        self._objects.look_at_all()
        # What is imported stays: the collector, which stops every call, need not look through it again.
        gc.freeze()
        self._long_lived.begin()

    def _keep(self) -> None:
        """What a call has changed outlives this process from when its answer goes out."""
        if revision := self._state.take_own_revision():
            try:
                self._snapshots.keep(revision)
            except NotSaved as error:
                raise unavailable(f"It may have been done, and may be lost: {error}") from error

    def _balanced(self) -> Iterator[tuple[str, str]]:
        """Security groups and addresses of all load balancers."""
        yield from self._balancing.members()
        yield from self._classic.members()

    def _measured_instances(self) -> Iterator[InstanceView]:
        """Those that still warm up are left out of their groups' metrics."""
        warming = self._scaling.warming()
        for instance in running_instances():
            yield replace(instance, group_name=None) if instance.id in warming else instance

    def _clean_when_quiet(self) -> None:
        """As after a save, where nothing is left to save: what was deleted last goes all the same."""
        if self._snapshots.saved_revision == self._state.revision:
            self._clean()

    def _clean(self) -> None:
        """Now and then: forget what AWS would, and delete the contents that no object held, this time and
        the last."""
        with self._cleaning:
            if time.monotonic() - self._cleaned_at < _CLEAN_EVERY:
                return
            self._cleaned_at = time.monotonic()
            self._long_lived.look_at_all()
            with self._state.lock:
                forget(self._clock.now())
                self._objects.expire()
                held = self._objects.held()
            self._blobs.keep_only(held | self._held)
            self._held = held

    def _said_of_host(self) -> str:
        actual = self._link.actual
        if (since := actual.lost_at) is not None:
            return f"not connected, or not yet what it was, since {since:%H:%M:%S} UTC"
        return "connected" if actual.epoch else "not connected"

    def _health(self) -> Mapping[str, object]:
        with self._state.lock:
            revision, damaged = self._state.revision, self._objects.failure
        failure = self._snapshots.failure or self._monitoring.failure or self._blobs.failure or damaged
        failure = failure or self._link.failure
        return {
            "status": failure or "ok",
            "host": self._said_of_host(),
            "limits": self._publishing.limited_by or "not known yet",
            "confinement": self._publishing.confined or "not known yet",
            "credentials": self._gate.credentials,
            "network": self._network,
            "security_groups": SAID[self._network],
            "listening": self._link.actual.listening or "not known yet",
            **({"outside": OUTSIDE} if self._annex else {}),
            "pid": os.getpid(),
            "listeners": self._link.actual.troubles() or "ok",
            "long_polls": self.endpoint.waiting,
            "revision": revision,
            "saved_revision": self._snapshots.saved_revision,
            "uptime_seconds": round(time.monotonic() - self._began, 3),
        }


class _Guests:
    """The host's link as the EC2 controller sees it."""

    def __init__(self, link: HostLink) -> None:
        self._link = link

    def guest(self, guest_id: str) -> GuestStatus | None:
        return self._link.actual.guest(guest_id)

    def want_guests(self, guests: dict[str, Guest | None]) -> int:
        return self._link.want_guests(guests)

    def taken(self, revision: int) -> bool:
        return self._link.taken(revision)


def _durable(services: list[Service]) -> dict[str, Durable]:
    return {service.name: service for service in services if isinstance(service, Durable)}
