from __future__ import annotations

import http.client
import json
import os
import socket
import uuid
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud
from tests.localcloud.signing import signed_headers

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def ask(
    cloud: RunningCloud,
    service: str,
    body: bytes | Iterator[bytes] = b"",
    *,
    method: str = "POST",
    path: str = "/",
    region: str = "us-east-1",
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    sent = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
    if "Authorization" not in sent:
        whole = body if isinstance(body, bytes) else None
        url = f"{cloud.endpoint}{path}"
        sent = signed_headers(cloud.key, service, region, url, method, whole, sent)
    connection.request(method, path, body, sent, encode_chunked=not isinstance(body, bytes))
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, said


def code_of(body: bytes) -> str:
    for element in ElementTree.fromstring(body).iter():
        if element.tag.rpartition("}")[2] == "Code":
            return element.text or ""
    return ""


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        ("ec2", b"", "MissingAction"),
        ("ec2", b"Action=MakeCoffee&Version=2016-11-15", "InvalidAction"),
        ("ec2", b"\xff\xfe\x00", "MalformedQueryString"),
        ("ec2", b"Action=RunInstances&MinCount=x&MaxCount=1&Version=2016-11-15", None),
        ("ec2", b"Action=DescribeInstances&Filter.1.Value.1=x", "InvalidParameterValue"),
        ("ec2", b"Action=DescribeInstances&MaxResults=many", "InvalidParameterValue"),
        ("ec2", b"Action=DescribeImages&ImageId.1=%05%00&Version=2016-11-15", None),
        ("iam", b"", "MissingAction"),
        ("iam", b"Action=MakeCoffee&Version=2010-05-08", "InvalidAction"),
        ("sts", b"Action=MakeCoffee&Version=2011-06-15", "InvalidAction"),
        ("autoscaling", b"Action=MakeCoffee&Version=2011-01-01", "InvalidAction"),
        ("elasticloadbalancing", b"Action=MakeCoffee&Version=2015-12-01", "InvalidAction"),
        ("teapot", b"Action=MakeCoffee", "UnknownService"),
    ],
)
def test_what_is_wrong_is_an_aws_error_in_xml(
    cloud: RunningCloud, service: str, body: bytes, code: str | None
) -> None:
    status, headers, said = ask(cloud, service, body)
    assert status in (400, 404), said
    assert "html" not in headers["content-type"]
    assert b"Traceback" not in said
    assert b"<html" not in said.lower()
    assert code in (None, code_of(said)), said


def test_json_services_hear_of_errors_in_json(cloud: RunningCloud) -> None:
    status, headers, said = ask(
        cloud, "glue", b"{}", X_Amz_Target="AWSGlue.GetDatabases", Content_Type="application/json"
    )
    assert (status, headers["x-amzn-errortype"]) == (400, "UnknownService")
    assert json.loads(said)["__type"] == "UnknownService"


def test_s3_errors_are_s3s_xml(cloud: RunningCloud) -> None:
    status, _, said = ask(cloud, "s3", method="GET", path="/no-such-bucket/key")
    assert (status, code_of(said)) == (404, "NoSuchBucket")


def test_a_signature_that_is_none_and_no_signature_are_refused(cloud: RunningCloud) -> None:
    assert code_of(ask(cloud, "ec2", b"Action=DescribeVpcs", Authorization="Bearer x")[2]) == (
        "IncompleteSignature"
    )
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    connection.request("POST", "/", b"Action=DescribeVpcs", {"Content-Type": FORM})
    answer = connection.getresponse()
    assert answer.status == 403
    assert code_of(answer.read()) == "MissingAuthenticationToken"


def test_pages_from_elsewhere_may_not_call(cloud: RunningCloud) -> None:
    status, _, said = ask(cloud, "ec2", b"Action=DescribeVpcs", Origin="https://example.com")
    assert (status, code_of(said)) == (403, "AccessDenied")


def test_a_body_over_the_limit_is_refused_and_the_endpoint_lives_on(cloud: RunningCloud) -> None:
    status, _, said = ask(cloud, "ec2", b"Action=DescribeVpcs&Junk=" + b"x" * (17 * 2**20))
    assert (status, code_of(said)) == (413, "RequestEntityTooLarge")
    assert ask(cloud, "ec2", b"Action=DescribeVpcs&Version=2016-11-15")[0] == 200


def test_a_large_body_within_the_limit_is_read_to_its_end(cloud: RunningCloud) -> None:
    status, _, said = ask(cloud, "ec2", b"Action=DescribeVpcs&Version=2016-11-15&Junk=" + b"x" * (10 * 2**20))
    assert status in (200, 400), said


def test_chunked_bodies_are_read(cloud: RunningCloud) -> None:
    parts = iter([b"Action=Describe", b"Vpcs&Version=", b"2016-11-15"])
    assert b"<vpcId>" in ask(cloud, "ec2", parts)[2]


def test_a_client_that_waits_to_be_told_to_continue_is_told(cloud: RunningCloud) -> None:
    body = b"Action=DescribeVpcs&Version=2016-11-15"
    headers = signed_headers(
        cloud.key, "ec2", "us-east-1", cloud.endpoint, "POST", body, {"Content-Type": FORM}
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{cloud.port}\r\n{lines}"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", cloud.port), 30) as client:
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)
        answer = b""
        while part := client.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200")


def test_nonsense_instead_of_http_is_answered_and_forgotten(cloud: RunningCloud) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", cloud.port), 10) as client:
            client.sendall(nonsense)
            client.shutdown(socket.SHUT_WR)
            client.recv(1000)
    assert ask(cloud, "ec2", b"Action=DescribeVpcs&Version=2016-11-15")[0] == 200


def test_many_calls_share_a_connection(cloud: RunningCloud) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    connection.connect()
    first = connection.sock
    for _ in range(5):
        connection.request("GET", "/_pavedroad/health")
        answer = connection.getresponse()
        assert json.loads(answer.read())["status"] == "ok"
    assert connection.sock is first


@pytest.fixture
def bucket(cloud: RunningCloud) -> tuple[Any, str]:
    s3, name = cloud.client("s3"), f"bucket-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    return s3, name


def test_objects_come_back_as_they_were_whatever_their_names(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    for key in ("plain", "a/b/c", "with space+plus", "ünï/©ode", "per%2Fcent", "..dots", "tr/", "a//b"):
        content = os.urandom(50_000)
        s3.put_object(Bucket=name, Key=key, Body=content, Metadata={"my_key": "v", "other-key": "w"})
        head = s3.head_object(Bucket=name, Key=key)
        assert head["ContentLength"] == 50_000
        assert head["Metadata"] == {"my_key": "v", "other-key": "w"}
        assert s3.get_object(Bucket=name, Key=key)["Body"].read() == content
        part = s3.get_object(Bucket=name, Key=key, Range="bytes=10-19")
        assert part["Body"].read() == content[10:20]
    listed = {one["Key"] for one in s3.list_objects_v2(Bucket=name)["Contents"]}
    assert len(listed) == 8


def test_a_web_page_kept_in_s3_is_no_error_page(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key="index.html", Body=b"<html>hello</html>", ContentType="text/html")
    found = s3.get_object(Bucket=name, Key="index.html")
    assert (found["Body"].read(), found["ContentType"]) == (b"<html>hello</html>", "text/html")


def test_large_objects_are_uploaded_in_parts(bucket: tuple[Any, str], tmp_path: Any) -> None:
    s3, name = bucket
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(20 * 2**20))
    s3.upload_file(str(source), name, "large")
    s3.download_file(name, "large", str(target))
    assert target.read_bytes() == source.read_bytes()
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "large"})
    assert s3.head_object(Bucket=name, Key="copy")["ContentLength"] == 20 * 2**20


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "?tagging", b"\xff", "MalformedXML"),
        ("POST", "?delete", b"garbage", "MalformedXML"),
        ("PUT", "?cors", b"", "MissingRequestBodyError"),
        ("PUT", "?policy", b"{", "MalformedPolicy"),
        ("PUT", "?policy", b"[]", "MalformedPolicy"),
        ("GET", "?list-type=2&max-keys=x", b"", "InvalidArgument"),
    ],
)
def test_nonsense_for_s3_is_the_callers_fault_and_harms_nothing(
    cloud: RunningCloud, bucket: tuple[Any, str], method: str, path: str, body: bytes, code: str
) -> None:
    s3, name = bucket
    status, _, said = ask(cloud, "s3", body, method=method, path=f"/{name}{path}")
    assert (status, code_of(said)) == (400, code)
    s3.put_object(Bucket=name, Key="after", Body=b"x")


def test_no_answer_says_that_it_is_html(cloud: RunningCloud, bucket: tuple[Any, str]) -> None:
    _, name = bucket
    _, headers, _ = ask(cloud, "s3", method="OPTIONS", path=f"/{name}/key")
    assert "html" not in headers.get("content-type", "")


def test_what_is_not_there_in_s3_is_said_so(bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=name, Key="nothing")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=name, Key="nothing")


def test_presigned_addresses_open_without_credentials(cloud: RunningCloud, bucket: tuple[Any, str]) -> None:
    s3, name = bucket
    s3.put_object(Bucket=name, Key="shared", Body=b"for you")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "shared"})
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    connection.request("GET", url.removeprefix(cloud.endpoint))
    assert connection.getresponse().read() == b"for you"


def test_the_homes_own_key_is_the_accounts(cloud: RunningCloud) -> None:
    said = cloud.client("sts").get_caller_identity()
    assert (said["Account"], said["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")
