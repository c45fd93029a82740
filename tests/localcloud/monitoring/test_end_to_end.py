"""A real cloud: a datapoint raises an alarm, which tells a topic, which reaches a web server and a queue."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


class Subscriber:
    """A web server that keeps what it is told, and confirms subscriptions as it should."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.failures = 0
        """How many notifications to answer with 503 first."""
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                refuse = kept.failures > 0 and body["Type"] == "Notification"
                kept.failures -= refuse
                self.send_response(503 if refuse else 200)
                self.send_header("content-length", "0")
                self.end_headers()
                if not refuse:
                    kept.told.append(({key.lower(): value for key, value in self.headers.items()}, body))

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"

    def messages(self, kind: str) -> list[dict[str, Any]]:
        return [body for _, body in self.told if body["Type"] == kind]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    started = Subscriber()
    yield started
    started.close()


@pytest.fixture
def topic(cloud: RunningCloud) -> Iterator[str]:
    sns = cloud.client("sns")
    arn = sns.create_topic(Name=f"pages-{uuid.uuid4().hex[:8]}")["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


@pytest.fixture
def queue(cloud: RunningCloud) -> Iterator[tuple[str, str]]:
    """Its URL and ARN."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"pages-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    url = f"{cloud.endpoint}/{url.split('/', 3)[3]}"
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    yield url, attributes["QueueArn"]
    sqs.delete_queue(QueueUrl=url)


def test_a_datapoint_comes_to_a_web_server_and_a_queue(
    cloud: RunningCloud, topic: str, queue: tuple[str, str], subscriber: Subscriber
) -> None:
    cloudwatch, sns, sqs = (cloud.client(name) for name in ("cloudwatch", "sns", "sqs"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1])
    pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    assert pending["SubscriptionArn"] == "pending confirmation"
    asked = eventually(lambda: subscriber.messages("SubscriptionConfirmation"))[0]
    assert httpx.get(asked["SubscribeURL"]).status_code == 200

    name, namespace = f"busy-{uuid.uuid4().hex[:8]}", f"Test/{uuid.uuid4().hex[:8]}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Load",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    subscriber.failures = 1
    at = datetime.now(UTC) - timedelta(minutes=1)
    cloudwatch.put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": "Load", "Value": 11, "Timestamp": at}]
    )
    try:
        (told,) = eventually(lambda: subscriber.messages("Notification"))
        assert told["TopicArn"] == topic
        alarm = json.loads(told["Message"])
        assert (alarm["AlarmName"], alarm["NewStateValue"]) == (name, "ALARM")
        received = eventually(lambda: sqs.receive_message(QueueUrl=queue[0]).get("Messages"))
        assert json.loads(json.loads(received[0]["Body"])["Message"]) == alarm
        headers = next(headers for headers, body in subscriber.told if body["Type"] == "Notification")
        assert headers["x-amz-sns-message-type"] == "Notification"
    finally:
        cloudwatch.delete_alarms(AlarmNames=[name])


def test_an_endpoint_that_never_answers_holds_up_nobody(cloud: RunningCloud, topic: str) -> None:
    sns = cloud.client("sns")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        began = time.monotonic()
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
        for number in range(20):
            sns.publish(TopicArn=topic, Message=str(number))
        assert time.monotonic() - began < 10


def test_a_wrong_token_confirms_nothing(cloud: RunningCloud, topic: str) -> None:
    link = f"{cloud.endpoint}/?Action=ConfirmSubscription&Version=2010-03-31&TopicArn={topic}&Token=guess"
    assert httpx.get(link).status_code == 400


def test_the_aws_command_line_puts_and_reads(cloud: RunningCloud) -> None:
    namespace = f"Test/{uuid.uuid4().hex[:8]}"

    def aws(*arguments: str) -> Any:
        command = [sys.executable, "-m", "awscli", "cloudwatch", *arguments, "--output", "json"]
        done = subprocess.run(command, check=False, env=cloud.environment(), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout) if done.stdout.strip() else None

    aws(
        "put-metric-data",
        "--namespace",
        namespace,
        "--metric-name",
        "Load",
        "--value",
        "4",
        "--unit",
        "Count",
    )
    listed = aws("list-metrics", "--namespace", namespace)
    assert listed["Metrics"] == [{"Namespace": namespace, "MetricName": "Load", "Dimensions": []}]
