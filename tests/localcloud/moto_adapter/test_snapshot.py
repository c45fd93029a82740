"""What moto keeps beside its backends comes back too; what it makes in passing hinders no saving."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pavedroad.localcloud.api.services import Durable
from pavedroad.localcloud.moto_adapter import snapshot
from tests.localcloud.moto_adapter.bench import Answer, Bench

_NOTIFY = """<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CloudFunctionConfiguration>
<CloudFunction>arn:aws:lambda:us-east-1:123456789012:function:none</CloudFunction><Event>s3:ObjectCreated:*</Event>
</CloudFunctionConfiguration></NotificationConfiguration>"""

_SIGNED = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}


def s3(bench: Bench, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    answer = bench.send("s3", body, method=method, path=path, headers=_SIGNED)
    return answer.status, answer.body


def restart(bench: Bench) -> None:
    """As a new process has it: what was written down, and nothing that is kept beside it."""
    parts: tuple[Durable, ...] = (snapshot.MotoState(), bench.objects)
    for part in parts:
        saved = part.form.encode(part.dump())
        part.load(part.form.decode(saved, part.form.version))


def test_a_bucket_that_is_made_again_after_a_restart_keeps_its_objects(bench: Bench) -> None:
    assert s3(bench, "PUT", "/kept-bucket")[0] == 200
    assert s3(bench, "PUT", "/kept-bucket/key", b"precious")[0] == 200
    restart(bench)
    assert s3(bench, "PUT", "/kept-bucket")[0] == 200  # as us-east-1 answers the owner
    assert s3(bench, "GET", "/kept-bucket/key") == (200, b"precious")


@pytest.mark.filterwarnings("ignore")
def test_a_bucket_that_would_notify_a_function_can_be_saved(bench: Bench) -> None:
    assert s3(bench, "PUT", "/telling-bucket")[0] == 200
    s3(bench, "PUT", "/telling-bucket?notification", _NOTIFY.encode())
    s3(bench, "PUT", "/telling-bucket/key", b"said")
    restart(bench)
    assert s3(bench, "GET", "/telling-bucket/key") == (200, b"said")


def test_a_queue_and_its_messages_are_saved(bench: Bench) -> None:
    def ask(action: str, **more: str) -> Answer:
        form = {"Version": "2012-11-05", "QueueUrl": "http://localhost/123456789012/kept-queue", **more}
        return Answer(bench.send("sqs", urlencode({"Action": action, **form}).encode()))

    ask("CreateQueue", QueueName="kept-queue")
    ask("SendMessage", MessageBody="precious")
    restart(bench)
    assert ask("ReceiveMessage").first("Body") == "precious"
    assert ask("SendMessage", MessageBody="more").status == 200
    assert ask("DeleteQueue").status == 200
    restart(bench)


@pytest.mark.parametrize(("opened", "closed"), [("[" * 900, "]" * 900), ('{"a":[' * 450, "]}" * 450)])
def test_a_document_that_is_nested_deeply_hinders_no_saving(bench: Bench, opened: str, closed: str) -> None:
    policy = f'{{"Statement":{opened}{closed}}}'

    def ask(action: str, **more: str) -> Answer:
        form = {"Action": action, "Version": "2010-03-31", "Name": "deep", **more}
        return Answer(bench.send("sns", urlencode(form).encode()))

    arn = ask("CreateTopic").first("TopicArn")
    said = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
    assert ask("SetTopicAttributes", **said).status == 200
    restart(bench)
    assert ask("GetTopicAttributes", TopicArn=arn).status == 200
    assert ask("DeleteTopic", TopicArn=arn).status == 200


def test_an_encrypted_volume_hinders_no_saving(bench: Bench) -> None:
    asked = {"AvailabilityZone": "us-east-1a", "Size": "1", "Encrypted": "true"}
    form = urlencode({"Action": "CreateVolume", "Version": "2016-11-15", **asked})
    assert Answer(bench.send("ec2", form.encode())).status == 200
    restart(bench)
