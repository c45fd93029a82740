"""Queues hear what happens to objects, as they have asked to, and what cannot be asked is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.objects.buckets.conftest import Served, refused


def wish(arn: str, *events: str, prefix: str = "", suffix: str = "", id_: str = "") -> dict[str, Any]:
    rules = [{"Name": name, "Value": it} for name, it in (("prefix", prefix), ("suffix", suffix)) if it]
    found: dict[str, Any] = {"QueueArn": arn, "Events": list(events)}
    if rules:
        found["Filter"] = {"Key": {"FilterRules": rules}}
    return {**found, **({"Id": id_} if id_ else {})}


def notify(served: Served, bucket: str, *wishes: dict[str, Any]) -> None:
    served.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(wishes)}
    )


def told(messages: list[Any]) -> list[tuple[str, str]]:
    return [(it["eventName"], it["s3"]["object"]["key"]) for m in messages for it in m["Records"]]


def test_a_queue_hears_of_every_way_in_which_objects_come_and_go(served: Served) -> None:
    s3, bucket, (url, arn) = served.s3, served.bucket(), served.queue()
    notify(
        served,
        bucket,
        wish(arn, "s3:ObjectCreated:*", prefix="in/", suffix=".csv", id_="mine"),
        wish(arn, "s3:ObjectRemoved:*", "s3:ObjectTagging:*"),
    )
    [test] = served.heard(url)
    assert (test["Event"], test["Bucket"]) == ("s3:TestEvent", bucket)
    s3.put_object(Bucket=bucket, Key="in/a b+ü.csv", Body=b"xyz")
    s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="in/c.csv", CopySource=f"{bucket}/in/a.txt")
    s3.put_object_tagging(Bucket=bucket, Key="in/c.csv", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="in/m.csv")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="in/m.csv", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="in/m.csv",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]},
    )
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/c.csv"}, {"Key": "none"}]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="in/m.csv", Body=b"v")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="in/m.csv")
    messages = served.heard(url)
    assert told(messages) == [
        ("ObjectCreated:Put", "in/a+b%2B%C3%BC.csv"),
        ("ObjectCreated:Copy", "in/c.csv"),
        ("ObjectTagging:Put", "in/c.csv"),
        ("ObjectCreated:CompleteMultipartUpload", "in/m.csv"),
        ("ObjectRemoved:Delete", "in/c.csv"),
        ("ObjectCreated:Put", "in/m.csv"),
        ("ObjectRemoved:DeleteMarkerCreated", "in/m.csv"),
    ]
    first, again = messages[0]["Records"][0], messages[5]["Records"][0]
    assert (first["s3"]["configurationId"], first["s3"]["bucket"]["arn"]) == (
        "mine",
        f"arn:aws:s3:::{bucket}",
    )
    assert (first["s3"]["object"]["size"], "versionId" in first["s3"]["object"]) == (3, False)
    assert again["s3"]["object"]["versionId"] == version
    sequencers = [it["Records"][0]["s3"]["object"]["sequencer"] for it in messages]
    assert sequencers == sorted(sequencers)
    assert len(set(sequencers)) >= len(sequencers) - 1  # tags change nothing that is numbered


def test_what_cannot_be_asked_is_refused_and_leaves_what_was(served: Served) -> None:
    bucket, (_, arn) = served.bucket(), served.queue()
    good = wish(arn, "s3:ObjectCreated:*", prefix="a/", id_="kept")
    notify(served, bucket, good)
    missing = arn.rpartition(":")[0] + ":nobody"
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    for wishes in (
        [wish(missing, "s3:ObjectCreated:*")],
        [wish(elsewhere, "s3:ObjectCreated:*")],
        [wish(arn, "s3:ObjectCreated:Never")],
        [wish(arn, "s3:ObjectCreated:Put", prefix="a/b/"), wish(arn, "s3:ObjectCreated:*", prefix="a/")],
        [wish("arn:aws:sqs:nowhere", "s3:ObjectCreated:*")],
    ):
        with refused("InvalidArgument"):
            notify(served, bucket, *wishes)
    found = served.s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert found == [{**good, "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "a/"}]}}}]


@pytest.mark.parametrize(("suffix", "other"), [(".csv", ".txt"), (".tar.gz", ".zip")])
def test_wishes_that_no_key_fits_both_of_do_not_overlap(served: Served, suffix: str, other: str) -> None:
    bucket, (_, arn) = served.bucket(), served.queue()
    notify(
        served,
        bucket,
        wish(arn, "s3:ObjectCreated:*", suffix=suffix),
        wish(arn, "s3:ObjectCreated:Put", suffix=other),
    )
