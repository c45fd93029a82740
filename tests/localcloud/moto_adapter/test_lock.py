"""Whatever is asked, nobody waits, talks to others or computes for long while the state lock is held."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from pavedroad.localcloud.coverage import coverage
from pavedroad.localcloud.moto_adapter.stored.service import Stored
from pavedroad.localcloud.stored_services import SERVED
from tests.localcloud.asking.asking import Asking
from tests.localcloud.asking.preconditions import NOT_ANSWERED, prepare
from tests.localcloud.lock_watch.watch import Watch
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.everything import everything
from tests.localcloud.objects.test_contents import (
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


WITHOUT_THE_LOCK = {
    ("cloudwatch", "GetMetricData"),
    ("cloudwatch", "GetMetricStatistics"),
    ("cloudwatch", "ListMetrics"),
    ("cloudwatch", "PutMetricData"),
    ("ec2", "DescribeInstanceTypes"),
}
"""Operations whose services have other means."""
LONG_SECONDS = 1.0
"""Of the processor: a hundred times what most take, for machines that are busy."""


def told(watch: Watch) -> str:
    return "\n\n".join(f"{what}: {who}" for what, who in watch.wrongs.items())


def asked(bench: Bench, service: str, operation: str, **given: object) -> bytes:
    target = {"sqs": "AmazonSQS", "acm": "CertificateManager", "kms": "TrentService"}[service]
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


def test_every_operation_of_every_service(
    bench: Bench, watch: Watch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    served = {(it.service, operation) for it in coverage() for operation in it.real | it.stored}
    with everything(bench, tmp_path) as cloud:
        asking = Asking(cloud.call)
        asking.learn("", prepare(cloud.call))
        watch.doing = lambda: cloud.doing
        refused = asking.ask_all(served)
    assert refused == NOT_ANSWERED, {it: asking.refusals.get(it) for it in refused ^ NOT_ANSWERED}
    held = {(it.partition(" ")[0], it.partition(" ")[2]) for it in watch.holds}
    assert served - held - NOT_ANSWERED == WITHOUT_THE_LOCK
    assert {what: it for what, it in watch.holds.items() if it > LONG_SECONDS} == {}
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
    keys = Stored(next(it for it in SERVED if it.name == "kms"), bench.state)
    keys.prepare()  # which reads moto's files
    bench.services["kms"] = keys
    made = asked(bench, "kms", "CreateKey", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    assert b'"KeySpec": "RSA_2048"' in made
    assert not watch.wrongs, told(watch)


def test_long_polls(bench: Bench, watch: Watch) -> None:
    url = json.loads(asked(bench, "sqs", "CreateQueue", QueueName="watched"))["QueueUrl"]
    asked(bench, "sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    assert not watch.wrongs, told(watch)
