"""Lifecycle rules say when objects end, and they do."""

from __future__ import annotations

from datetime import timedelta

from tests.localcloud.objects.buckets.conftest import Served


def test_objects_end_at_midnight_after_their_days(served: Served) -> None:
    s3, bucket = served.s3, served.bucket()
    rules = [
        {"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 2}},
        {
            "ID": "begun",
            "Status": "Enabled",
            "Filter": {},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
        {"ID": "off", "Status": "Disabled", "Filter": {}, "Expiration": {"Days": 1}},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    said = s3.put_object(Bucket=bucket, Key="tmp/a", Body=b"x")["Expiration"]
    ends = (served.clock.now() + timedelta(days=3)).replace(hour=0, minute=0, second=0)
    assert said == f'expiry-date="{ends:%a, %d %b %Y %H:%M:%S GMT}", rule-id="tmp"'
    assert s3.head_object(Bucket=bucket, Key="tmp/a")["Expiration"] == said
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="large")
    served.objects.expire()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    served.clock.advance(3 * 24 * 3600)
    served.objects.expire()
    assert "Uploads" not in served.client("s3").list_multipart_uploads(Bucket=bucket)
    assert [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]


def test_older_versions_end_and_markers_that_mark_nothing(served: Served) -> None:
    s3, bucket = served.s3, served.bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rules = [
        {
            "ID": "older",
            "Status": "Enabled",
            "Filter": {},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        }
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="twice", Body=body)
    s3.put_object(Bucket=bucket, Key="gone", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="gone")
    served.clock.advance(3 * 24 * 3600)
    for _ in range(2):
        served.objects.expire()
    found = s3.list_object_versions(Bucket=bucket)
    assert [(it["Key"], it["IsLatest"]) for it in found["Versions"]] == [("twice", True)]
    assert "DeleteMarkers" not in found
