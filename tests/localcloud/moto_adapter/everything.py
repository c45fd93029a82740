"""All services in this process with something of everything, and a host that does at once what it is told."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from moto.backends import get_backend

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.ec2.controller import Controller
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.autoscaling.service import AutoScaling
from pavedroad.localcloud.balancing.classic.operations import CLASSIC
from pavedroad.localcloud.balancing.endpoint import ElasticLoadBalancing
from pavedroad.localcloud.balancing.operations import APPLICATION
from pavedroad.localcloud.balancing.service import LoadBalancing
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.moto_adapter import snapshot
from pavedroad.localcloud.moto_adapter.buckets import serve_buckets
from pavedroad.localcloud.moto_adapter.certificates import MotoCertificates
from pavedroad.localcloud.moto_adapter.compute import MotoCompute
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.kept_objects import kept_objects
from pavedroad.localcloud.moto_adapter.kept_queues import kept_queues
from pavedroad.localcloud.moto_adapter.machines import MotoMachines
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from pavedroad.localcloud.moto_adapter.outlets import deliver_to
from pavedroad.localcloud.moto_adapter.tagged import TaggedByMoto
from pavedroad.localcloud.moto_adapter.topics import topics_of
from pavedroad.localcloud.queues.service import Queueing
from pavedroad.localcloud.tagging.service import Tagging
from tests.localcloud.api.alone import released
from tests.localcloud.asking.asking import Json
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.generated import model_of, wire
from tests.localcloud.moto_adapter.test_released_parts import parts_of
from tests.localcloud.whole.fast_forward import PromptHost

SIGNED_FOR = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "cloudwatch": "monitoring",
    "resourcegroupstaggingapi": "tagging",
}
_READ = 100_000
"""Bytes of an answer: longer ones tell of nothing that is needed, and take long to read."""
_SIGNED = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}


class Everything:
    """`call` is as boto3's clients make calls. The clock of our own services stands."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.doing = ""
        """The service and the operation that is called."""
        self.clock = ManualClock(datetime.now(UTC))
        state = bench.state
        self.queues = Queueing(state, self.clock)
        link = _Served(folder / "none.sock")
        self.balancing, self.classic = (
            LoadBalancing(
                state, MotoNetwork, link, self.clock, certificates=MotoCertificates, version=version
            )
            for version in (APPLICATION, CLASSIC)
        )
        balancers = ElasticLoadBalancing(self.balancing, self.classic)
        self.monitoring = Monitoring(
            state, self.clock, Outlets(lambda *_: self.scaling, topics_of, MotoMachines)
        )
        self.scaling = AutoScaling(
            state,
            MotoCompute,
            balancers.balancers,
            self.clock,
            metrics=self.monitoring.metrics,
            topics=topics_of,
            queues=lambda _account, _region: self.queues,
        )
        self.objects = bench.object_storage()
        services = (balancers, self.monitoring, self.scaling, self.queues, self.objects)
        tags = (self.queues.tagged(), self.objects.tagged(), TaggedByMoto(state))
        bench.services["tagging"] = Tagging(state, tags)
        bench.services.update({it.name: it for it in services})
        self._machines = Controller(state, MotoFleet(), PromptHost(), self.clock.now)
        self._moto = snapshot.MotoState(
            {
                "sqs": lambda kept: self.queues.load(kept_queues(kept)),
                "s3": lambda kept: self.objects.load(kept_objects(kept)),
            }
        )

    def load(self, parts: Json) -> None:
        self._moto.load(parts["moto"])
        self.balancing.load(parts["elasticloadbalancing"])
        self.monitoring.load(parts["monitoring"])
        self.scaling.load(parts["autoscaling"])
        self.settle()

    def settle(self) -> None:
        """The controllers look until nothing changes any more."""
        for _ in range(5):
            self._machines.step()
            self.scaling.step()
            self.monitoring.step()

    def call(self, service: str, operation: str, made: Json) -> Json:
        method, path, headers, body = wire(service, operation, made)
        self.doing = f"{service} {operation}"
        name = SIGNED_FOR.get(service, service)
        answer = self.bench.send(name, body, method=method, path=path, headers={**_SIGNED, **headers})
        model = model_of(service)
        asked = model.operation_model(operation)
        if answer.status == 200 and (asked.has_event_stream_output or len(answer.body) > _READ):
            return {}
        response = {
            "status_code": answer.status,
            "headers": HeadersDict(answer.headers),  # pyright: ignore[reportArgumentType]
            "body": answer.body,
        }
        said: Any = create_parser(model.resolved_protocol).parse(response, asked.output_shape)
        if answer.status >= 300:
            raise ClientError(said, operation)
        return said


@contextmanager
def everything(bench: Bench, folder: Path) -> Generator[Everything]:
    """What was there comes back afterwards."""
    moto = snapshot.MotoState()
    before, services = moto.dump(), dict(bench.services)
    made = Everything(bench, folder)
    deliver_to(made.queues)
    serve_buckets(made.objects)
    made.load(parts_of(released("schema-3", folder)))
    try:
        yield made
    finally:
        deliver_to(bench.queues)
        serve_buckets(bench.objects)
        bench.services.clear()
        bench.services.update(services)
        for service in moto.dump():  # also what was not there yet
            for regions in get_backend(service).values():  # pyright: ignore
                dict.clear(regions)
        moto.load(before)


class _Served(HostLink):
    """A host where whatever should be served is served."""

    def route(self, revision: int, seconds: float) -> None:
        pass
