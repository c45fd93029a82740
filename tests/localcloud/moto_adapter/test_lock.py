"""Whatever is asked, nobody waits, talks to others or computes for long while the state lock is held."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from moto.core.utils import get_service_model

from tests.localcloud.lock_watch.watch import Watch
from tests.localcloud.moto_adapter.bench import VERSIONS, Bench
from tests.localcloud.moto_adapter.generated import parameters, query_of
from tests.localcloud.moto_adapter.test_other_sweeps import member_query
from tests.localcloud.moto_adapter.test_s3_contents import (
    Bucket,
    complete,
    copy_a_part,
    copy_with_checksum,
    post_a_form,
    put,
    put_a_part,
)

LARGE = b"x" * (5 << 20)


@pytest.fixture
def watch(bench: Bench) -> Generator[Watch]:
    before = vars(bench.state).copy()
    watch = Watch()
    watch.take(bench.state)
    watch.begin()
    yield watch
    watch.end()
    vars(bench.state).update(lock=before["lock"], _changed=before["_changed"])


def told(watch: Watch) -> str:
    return "\n\n".join(f"{what}: {who}" for what, who in watch.wrongs.items())


def asked(bench: Bench, service: str, operation: str, **given: object) -> bytes:
    target = {"sqs": "AmazonSQS", "acm": "CertificateManager"}[service]
    headers = {"x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.0"}
    return bench.send(service, json.dumps(given, default=str).encode(), headers=headers).body


WRONGS: dict[str, Callable[[Path], object]] = {
    "time.sleep": lambda _: time.sleep(0),
    "Event.wait": lambda _: threading.Event().wait(0),
    "_hashlib.sha256": lambda _: hashlib.sha256(LARGE),
    "os.mkdir": lambda folder: (folder / "made").mkdir(),
    "open": lambda folder: (folder / "file").write_bytes(b""),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_the_watch_sees_what_is_wrong_under_the_lock_alone(
    bench: Bench, watch: Watch, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "outside").mkdir()
    WRONGS[wrong](tmp_path / "outside")
    assert not watch.wrongs
    with bench.state.lock:
        WRONGS[wrong](tmp_path)
    (found,) = watch.wrongs
    assert found.startswith(wrong.removeprefix("_hashlib.")) or wrong.partition(".")[2] in found


@pytest.mark.parametrize("service", ["ec2", "iam", "sts", "sns"])
def test_every_operation_in_forms(bench: Bench, watch: Watch, service: str) -> None:
    model = get_service_model(service)
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        form = query_of(shape, parameters(shape))
        form = form if service == "ec2" else member_query(form)
        for given in ({}, form):
            said = {"Action": operation, "Version": VERSIONS[service], **given}
            bench.send(service, "&".join(f"{name}={value}" for name, value in said.items()).encode())
    assert not watch.wrongs, told(watch)


@pytest.mark.parametrize("service", ["sqs", "acm"])
def test_every_operation_in_json(bench: Bench, watch: Watch, service: str) -> None:
    model = get_service_model(service)
    for operation in model.operation_names:
        asked(bench, service, operation, **parameters(model.operation_model(operation).input_shape))
    assert not watch.wrongs, told(watch)


def test_contents_of_objects(bench: Bench, watch: Watch) -> None:
    bucket = Bucket(bench)
    bucket.call("PUT", "/source", LARGE)
    for call in (put, put_a_part, complete, copy_a_part, copy_with_checksum, post_a_form):
        call(bucket)
    assert bucket.read("/source") == LARGE
    assert not watch.wrongs, told(watch)


def test_keys_and_certificates(bench: Bench, watch: Watch) -> None:
    assert b"BEGIN RSA" in bench.ask("CreateKeyPair", KeyName="watched").body
    requested = json.loads(asked(bench, "acm", "RequestCertificate", DomainName="watched.example"))
    assert b"BEGIN" in asked(bench, "acm", "GetCertificate", CertificateArn=requested["CertificateArn"])
    assert not watch.wrongs, told(watch)


def test_long_polls(bench: Bench, watch: Watch) -> None:
    url = json.loads(asked(bench, "sqs", "CreateQueue", QueueName="watched"))["QueueUrl"]
    asked(bench, "sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    assert not watch.wrongs, told(watch)
