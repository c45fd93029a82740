"""EC2 and moto's other services in this process: requests in, responses out, without a socket or a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.ec2.layers import LayerStore
from pavedroad.localcloud.api.errors import legible
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse, Service
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.moto_adapter.buckets import serve_buckets
from pavedroad.localcloud.moto_adapter.certificates import AcmService
from pavedroad.localcloud.moto_adapter.ec2_service import Ec2Service
from pavedroad.localcloud.moto_adapter.install import account_of, install
from pavedroad.localcloud.moto_adapter.outlets import deliver_to
from pavedroad.localcloud.moto_adapter.server_certificates import IamService
from pavedroad.localcloud.moto_adapter.services import MotoService
from pavedroad.localcloud.moto_adapter.topics import topics_of
from pavedroad.localcloud.objects.service import ObjectStorage
from pavedroad.localcloud.queues.service import Queueing
from pavedroad.localcloud.state import State

FORM = "application/x-www-form-urlencoded; charset=utf-8"
VERSIONS = {
    "ec2": "2016-11-15",
    "iam": "2010-05-08",
    "sts": "2011-06-15",
    "sns": "2010-03-31",
    "sqs": "2012-11-05",
}


class Bench:
    """One a process: moto's state is the process's."""

    def __init__(self, folder: Path) -> None:
        install(Block(0))
        self.state = State()
        self.clock = ManualClock(datetime.now(UTC))
        self.queues = Queueing(self.state, self.clock)
        deliver_to(self.queues)
        self.contents = BlobStore(folder / "objects")
        self.objects = self.object_storage()
        serve_buckets(self.objects)
        self.ec2 = Ec2Service(self.state, self.objects, LayerStore(folder / "layers"), lambda _: b"said")
        moto = {name: MotoService(name, self.state) for name in ("sts", "sns", "route53")}
        moto["iam"] = IamService(self.state, lambda _: set())
        self.services: dict[str, Service] = {"ec2": self.ec2, "sqs": self.queues, **moto}
        self.services["s3"] = self.objects
        self.services["acm"] = AcmService(self.state, lambda _account, _region: {})

    def object_storage(self) -> ObjectStorage:
        """S3 without a bucket."""
        return ObjectStorage(self.state, self.clock, self.contents, lambda *_: self.queues, topics_of)

    def send(
        self,
        service: str,
        body: bytes = b"",
        *,
        region: str = "us-east-1",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        path, _, query = path.partition("?")
        known = {"host": "localhost:4566", "content-type": FORM, **(headers or {})}
        request = ApiRequest(
            service,
            region,
            account_of("any"),
            method,
            path,
            query,
            known,
            BytesIO(body),
            len(body),
            "request-1",
        )
        answer = legible(self.services[service].handle(request))
        if answer.content is None:
            return answer
        with answer.content.file as file:
            return replace(answer, body=file.read(answer.content.length), content=None)

    def ask(
        self,
        action: str,
        parameters: Mapping[str, object] | None = None,
        /,
        *,
        service: str = "ec2",
        region: str = "us-east-1",
        **more: object,
    ) -> Answer:
        """One action with parameters by their names on the wire."""
        form = {"Action": action, "Version": VERSIONS[service], **(parameters or {}), **more}
        return Answer(self.send(service, urlencode(form).encode(), region=region))


class Answer:
    """A response's XML, read without its namespace."""

    def __init__(self, response: ApiResponse) -> None:
        self.status = response.status
        self.body = response.body
        self.root = ElementTree.fromstring(response.body)
        for element in self.root.iter():
            element.tag = element.tag.rpartition("}")[2]

    @property
    def code(self) -> str:
        return self.first("Code") if self.status >= 400 else ""

    @property
    def message(self) -> str:
        return self.first("Message")

    def first(self, tag: str) -> str:
        return next((element.text or "" for element in self.root.iter(tag)), "")

    def every(self, path: str) -> list[str]:
        return [element.text or "" for element in self.root.findall(path)]


def filters(**named: str | list[str]) -> dict[str, str]:
    """As parameters; `_` stands for `-`, and `__` for `.`."""
    form: dict[str, str] = {}
    for number, (name, values) in enumerate(named.items(), start=1):
        form[f"Filter.{number}.Name"] = name.replace("__", ".").replace("_", "-")
        for position, value in enumerate([values] if isinstance(values, str) else values, start=1):
            form[f"Filter.{number}.Value.{position}"] = value
    return form
