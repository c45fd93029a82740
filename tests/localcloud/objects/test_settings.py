"""What is said of objects: metadata, tags, encryption, ACLs, locks; and what copies take over of it."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pavedroad.localcloud.objects.owners import canonical_id
from tests.localcloud.objects.asking import ACCOUNT, Asking

KEY = {
    "SSECustomerAlgorithm": "AES256",
    "SSECustomerKey": base64.b64encode(b"k" * 32).decode(),
    "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(b"k" * 32, usedforsecurity=False).digest()).decode(),
}
OTHER_KEY = {
    "SSECustomerAlgorithm": "AES256",
    "SSECustomerKey": base64.b64encode(b"o" * 32).decode(),
    "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(b"o" * 32, usedforsecurity=False).digest()).decode(),
}


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


@pytest.fixture
def locking(tmp_path: Path) -> Asking:
    return Asking(tmp_path, "Enabled", locks_objects=True)


def test_what_is_put_is_told(s3: Asking) -> None:
    said: dict[str, Any] = {
        "ContentType": "text/x",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentDisposition": "inline",
        "CacheControl": "no-cache",
        "Expires": "not even a date",
        "WebsiteRedirectLocation": "/other",
        "StorageClass": "STANDARD_IA",
        "Metadata": {"one": "1", "empty": ""},
    }
    s3.put("k", b"x", **said, Tagging="a=b&c=")
    told = s3.ask("HeadObject", Key="k")
    assert said.items() <= told.items()
    assert told["TagCount"] == 2
    assert told["ServerSideEncryption"] == "AES256"
    s3.put("k", b"x", ContentEncoding="aws-chunked", Metadata={})
    told = s3.ask("HeadObject", Key="k")
    assert told["ContentType"] == "binary/octet-stream"
    assert not told.keys() & {"ContentEncoding", "StorageClass", "TagCount", "Expires"}
    s3.put("k", b"x", ContentEncoding="gzip,aws-chunked")
    assert s3.ask("HeadObject", Key="k")["ContentEncoding"] == "gzip"


def test_a_reader_may_ask_for_other_headers(s3: Asking) -> None:
    s3.put("k", b"x")
    told = s3.ask("GetObject", Key="k", ResponseContentType="text/y", ResponseExpires="soon")
    assert (told["ContentType"], told["Expires"]) == ("text/y", "soon")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"Metadata": {"a": "b" * 2048}}, "MetadataTooLarge"),
        ({"StorageClass": "BEST"}, "InvalidStorageClass"),
        ({"WebsiteRedirectLocation": "other"}, "InvalidRedirectLocation"),
        ({"Tagging": "a=1&a=2"}, "InvalidArgument"),
        ({"Tagging": "&".join(f"k{number}=v" for number in range(11))}, "BadRequest"),
        ({"Tagging": f"{'k' * 129}=v"}, "InvalidTag"),
        ({"Tagging": "aws:k=v"}, "InvalidTag"),
        ({"ACL": "anything"}, "InvalidArgument"),
        ({"ACL": "private", "GrantRead": "id=x"}, "InvalidRequest"),
        ({"GrantRead": 'emailAddress="a@b"'}, "UnresolvableGrantByEmailAddress"),
        ({"GrantRead": 'uri="http://nobody"'}, "InvalidArgument"),
        ({"ServerSideEncryption": "rot13"}, "InvalidArgument"),
        ({"SSEKMSKeyId": "k", "ServerSideEncryption": "AES256"}, "InvalidArgument"),
        ({**KEY, "ServerSideEncryption": "AES256"}, "InvalidArgument"),
        ({**KEY, "SSECustomerKeyMD5": OTHER_KEY["SSECustomerKeyMD5"]}, "InvalidArgument"),
        ({**KEY, "SSECustomerKey": "c2hvcnQ="}, "InvalidArgument"),
        ({"SSECustomerAlgorithm": "AES256"}, "InvalidArgument"),
        ({**KEY, "SSECustomerAlgorithm": "DES"}, "InvalidEncryptionAlgorithmError"),
        ({"ObjectLockLegalHoldStatus": "ON"}, "InvalidRequest"),
        ({"Key": "k" * 1025}, "KeyTooLongError"),
        ({"Key": "é" * 513}, "KeyTooLongError"),
    ],
)
@pytest.mark.parametrize("operation", ["PutObject", "CreateMultipartUpload", "CopyObject"])
def test_what_s3_does_not_know_is_refused_and_nothing_is_put(
    s3: Asking, operation: str, said: dict[str, Any], code: str
) -> None:
    s3.put("source")
    more = {"CopySource": "bucket/source", "TaggingDirective": "REPLACE", "MetadataDirective": "REPLACE"}
    asked = {"Key": "k", **(more if operation == "CopyObject" else {}), **said}
    assert s3.refused(operation, **asked).code == code
    assert list(s3.bucket.keys) == ["source"]
    assert not s3.bucket.uploads


def test_a_customers_key_is_needed_to_read(s3: Asking) -> None:
    s3.put("k", b"secret", **KEY)
    for operation in ("GetObject", "HeadObject"):
        told = s3.ask(operation, Key="k", **KEY)
        assert told["SSECustomerKeyMD5"] == KEY["SSECustomerKeyMD5"]
        assert "ServerSideEncryption" not in told
        assert s3.refused(operation, Key="k").code == "InvalidRequest"
        assert s3.refused(operation, Key="k", **OTHER_KEY).code == "AccessDenied"
    s3.put("plain", b"x")
    assert s3.refused("GetObject", Key="plain", **KEY).code == "InvalidRequest"
    assert s3.refused("CopyObject", Key="copy", CopySource="bucket/k").code == "InvalidRequest"
    shown = {f"CopySource{name}": value for name, value in KEY.items()}
    s3.ask("CopyObject", Key="copy", CopySource="bucket/k", **shown)
    assert s3.read("copy") == b"secret"
    begun = s3.ask("CreateMultipartUpload", Key="large", **KEY)
    part = {"Key": "large", "UploadId": begun["UploadId"], "PartNumber": 1}
    assert s3.refused("UploadPart", **part).code == "InvalidRequest"
    assert s3.refused("UploadPart", **part, **OTHER_KEY).code == "InvalidRequest"
    assert s3.ask("UploadPart", **part, **KEY)["SSECustomerAlgorithm"] == "AES256"


def test_the_buckets_encryption_is_that_of_what_says_nothing_else(s3: Asking) -> None:
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "some-id"},
        "BucketKeyEnabled": True,
    }
    s3.bucket.configuration["BucketEncryption"] = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    told = s3.put("k", b"x")
    assert told["SSEKMSKeyId"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/some-id"
    assert told["BucketKeyEnabled"]
    assert s3.put("k", b"x", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    told = s3.uploaded("k", b"x")
    assert told["ServerSideEncryption"] == "aws:kms"


def test_tags_are_put_told_and_taken(s3: Asking) -> None:
    s3.bucket.versioning = "Enabled"
    old = s3.put("k", b"x")["VersionId"]
    s3.put("k", b"y")
    tags = [{"Key": "b", "Value": "ü 1"}, {"Key": "a", "Value": ""}]
    s3.ask("PutObjectTagging", Key="k", VersionId=old, Tagging={"TagSet": tags})
    assert s3.ask("GetObjectTagging", Key="k", VersionId=old) == {"TagSet": tags, "VersionId": old}
    assert s3.ask("GetObjectTagging", Key="k")["TagSet"] == []
    assert s3.result("DeleteObjectTagging", Key="k", VersionId=old).status == 204
    assert s3.ask("GetObjectTagging", Key="k", VersionId=old)["TagSet"] == []
    marker = s3.ask("DeleteObject", Key="k")["VersionId"]
    assert s3.refused("GetObjectTagging", Key="k").code == "NoSuchKey"
    assert s3.refused("GetObjectTagging", Key="k", VersionId=marker).code == "MethodNotAllowed"


def test_acls_are_put_by_name_header_and_document(s3: Asking) -> None:
    s3.put("k", b"x")
    told = s3.ask("GetObjectAcl", Key="k")
    assert [(it["Grantee"]["ID"], it["Permission"]) for it in told["Grants"]] == [
        (canonical_id(ACCOUNT), "FULL_CONTROL")
    ]
    s3.ask("PutObjectAcl", Key="k", ACL="public-read")
    public = s3.ask("GetObjectAcl", Key="k")["Grants"]
    assert [it["Permission"] for it in public] == ["FULL_CONTROL", "READ"]
    other = "ab" * 32
    s3.ask("PutObjectAcl", Key="k", GrantRead=f'id="{other}", uri="{public[1]["Grantee"]["URI"]}"')
    granted = s3.ask("GetObjectAcl", Key="k")["Grants"]
    assert [it["Grantee"]["Type"] for it in granted] == ["CanonicalUser", "Group"]
    document = {"Owner": told["Owner"], "Grants": public}
    s3.ask("PutObjectAcl", Key="k", AccessControlPolicy=document)
    assert s3.ask("GetObjectAcl", Key="k")["Grants"] == public
    wrong = {**document, "Grants": [{**public[0], "Permission": "ALL"}]}
    assert s3.refused("PutObjectAcl", Key="k", AccessControlPolicy=wrong).code == "MalformedXML"
    assert s3.refused("PutObjectAcl", Key="k").code == "MissingSecurityHeader"
    s3.bucket.configuration["PublicAccessBlock"] = {"BlockPublicAcls": True}
    assert s3.refused("PutObjectAcl", Key="k", ACL="public-read").code == "AccessDenied"
    assert s3.refused("PutObject", Key="k", ACL="public-read").code == "AccessDenied"
    s3.bucket.configuration["BucketOwnershipControls"] = {
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    }
    assert s3.refused("PutObject", Key="k", ACL="public-read").code == "AccessControlListNotSupported"
    s3.put("k", b"x", ACL="bucket-owner-full-control")


def test_a_locked_version_stays_and_what_hides_it_may_come_and_go(locking: Asking) -> None:
    s3 = locking
    until = s3.now + timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    assert s3.refused("PutObject", Key="k", **lock).code == "InvalidRequest", "nothing says what it is"
    version = s3.put("k", b"x", **lock, ChecksumAlgorithm="CRC32")["VersionId"]
    told = s3.ask("HeadObject", Key="k")
    assert lock.items() <= told.items()
    assert s3.refused("DeleteObject", Key="k", VersionId=version).code == "AccessDenied"
    many = s3.ask("DeleteObjects", Delete={"Objects": [{"Key": "k", "VersionId": version}]})
    assert many["Errors"][0]["Code"] == "AccessDenied"
    marker = s3.ask("DeleteObject", Key="k")["VersionId"]
    s3.ask("DeleteObject", Key="k", VersionId=marker)
    s3.ask("DeleteObject", Key="k", VersionId=version, BypassGovernanceRetention=True)
    assert not s3.bucket.keys
    lock["ObjectLockMode"] = "COMPLIANCE"
    version = s3.put("k", b"x", **lock, ChecksumAlgorithm="CRC32")["VersionId"]
    bypassed = {"Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
    assert s3.refused("DeleteObject", **bypassed).code == "AccessDenied"
    s3.later(days=2)
    s3.ask("DeleteObject", **bypassed)


def test_retention_is_lengthened_and_otherwise_only_by_who_bypasses_it(locking: Asking) -> None:
    s3 = locking
    s3.put("k", b"x")
    error = s3.refused("GetObjectRetention", Key="k")
    assert (error.code, error.status) == ("NoSuchObjectLockConfiguration", 404)

    def retain(mode: str, days: int, **more: Any) -> str:
        asked = {"Retention": {"Mode": mode, "RetainUntilDate": s3.now + timedelta(days=days)}, **more}
        try:
            s3.ask("PutObjectRetention", Key="k", **asked)
        except Exception as error:
            refused: Any = error
            return refused.code
        return ""

    assert retain("GOVERNANCE", -1) == "InvalidArgument"
    assert retain("governance", 1) == "MalformedXML"
    assert retain("GOVERNANCE", 5) == ""
    assert retain("GOVERNANCE", 6) == ""
    assert retain("GOVERNANCE", 5) == "AccessDenied"
    assert retain("COMPLIANCE", 7) == "AccessDenied"
    assert retain("GOVERNANCE", 5, BypassGovernanceRetention=True) == ""
    assert s3.refused("PutObjectRetention", Key="k", Retention={}).code == "AccessDenied"
    s3.ask("PutObjectRetention", Key="k", Retention={}, BypassGovernanceRetention=True)
    assert retain("COMPLIANCE", 5) == ""
    assert retain("GOVERNANCE", 9, BypassGovernanceRetention=True) == "AccessDenied"
    assert retain("COMPLIANCE", 4, BypassGovernanceRetention=True) == "AccessDenied"
    assert s3.ask("GetObjectRetention", Key="k")["Retention"]["Mode"] == "COMPLIANCE"


def test_a_hold_holds_until_it_is_taken_off(locking: Asking) -> None:
    s3 = locking
    version = s3.put("k", b"x", ObjectLockLegalHoldStatus="ON", ChecksumAlgorithm="CRC32")["VersionId"]
    gone = {"Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
    assert s3.refused("DeleteObject", **gone).code == "AccessDenied"
    assert s3.refused("PutObjectLegalHold", Key="k", LegalHold={"Status": "on"}).code == "MalformedXML"
    s3.ask("PutObjectLegalHold", Key="k", LegalHold={"Status": "OFF"})
    assert s3.ask("GetObjectLegalHold", Key="k")["LegalHold"] == {"Status": "OFF"}
    s3.ask("DeleteObject", **gone)


def test_the_buckets_retention_is_that_of_what_says_nothing_else(locking: Asking) -> None:
    s3 = locking
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    s3.bucket.configuration["ObjectLockConfiguration"] = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put("k", b"x")
    told = s3.ask("HeadObject", Key="k")
    assert told["ObjectLockMode"] == "GOVERNANCE"
    assert told["ObjectLockRetainUntilDate"] == s3.now + timedelta(days=3)


def test_copies_take_over_what_they_are_told_to(s3: Asking) -> None:
    said: dict[str, Any] = {"ContentType": "text/x", "Metadata": {"a": "1"}}
    source = {
        "StorageClass": "STANDARD_IA",
        "WebsiteRedirectLocation": "/x",
        "Tagging": "t=1",
        "ACL": "public-read",
    }
    s3.put("a b/ü?", b"x", **said, **source)
    copy: dict[str, Any] = {"Key": "copy", "CopySource": "bucket/a%20b/%C3%BC%3F"}
    s3.ask("CopyObject", **copy)
    told = s3.ask("HeadObject", Key="copy")
    assert said.items() <= told.items()
    assert not told.keys() & {"StorageClass", "WebsiteRedirectLocation"}
    assert s3.ask("GetObjectTagging", Key="copy")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert len(s3.ask("GetObjectAcl", Key="copy")["Grants"]) == 1
    s3.ask("CopyObject", **copy, MetadataDirective="REPLACE", TaggingDirective="REPLACE", Metadata={"b": "2"})
    told = s3.ask("HeadObject", Key="copy")
    assert (told["Metadata"], told["ContentType"]) == ({"b": "2"}, "binary/octet-stream")
    assert "TagCount" not in told
    for name in ("MetadataDirective", "TaggingDirective"):
        assert s3.refused("CopyObject", **copy, **{name: "MOVE"}).code == "InvalidArgument"


def test_a_copy_to_itself_changes_something(s3: Asking) -> None:
    s3.put("k", b"x", Metadata={"a": "1"})
    itself: dict[str, Any] = {"Key": "k", "CopySource": "bucket/k"}
    assert s3.refused("CopyObject", **itself).code == "InvalidRequest"
    s3.ask("CopyObject", **itself, StorageClass="STANDARD_IA")
    assert s3.ask("HeadObject", Key="k")["Metadata"] == {"a": "1"}
    s3.ask("CopyObject", **itself, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.ask("HeadObject", Key="k")["Metadata"] == {"b": "2"}
    assert s3.read("k") == b"x"


def test_sources_are_found_by_bucket_key_and_version(s3: Asking) -> None:
    s3.bucket.versioning = "Enabled"
    old = s3.put("k", b"old")["VersionId"]
    s3.put("k", b"new")
    told = s3.ask("CopyObject", Key="k", CopySource=f"/bucket/k?versionId={old}")
    assert told["CopySourceVersionId"] == old
    assert s3.read("k") == b"old"
    marker = s3.ask("DeleteObject", Key="k")["VersionId"]
    for source, code in (
        ("bucket/k", "NoSuchKey"),
        (f"bucket/k?versionId={marker}", "InvalidRequest"),
        (f"bucket/k?versionId={'x' * 32}", "NoSuchVersion"),
        ("other/k", "NoSuchBucket"),
        ("bucket", "InvalidArgument"),
        ("bucket/k%2525", "NoSuchKey"),
    ):
        assert s3.refused("CopyObject", Key="copy", CopySource=source).code == code, source


def test_an_archived_object_is_read_when_it_has_been_restored(s3: Asking) -> None:
    s3.put("k", b"x", StorageClass="GLACIER")
    assert s3.refused("GetObject", Key="k").code == "InvalidObjectState"
    assert s3.refused("CopyObject", Key="copy", CopySource="bucket/k").code == "InvalidObjectState"
    assert s3.ask("HeadObject", Key="k")["StorageClass"] == "GLACIER"
    restore = {"Key": "k", "RestoreRequest": {"Days": 2}}
    assert [s3.result("RestoreObject", **restore).status for _ in range(2)] == [202, 200]
    assert s3.read("k") == b"x"
    assert 'ongoing-request="false"' in s3.ask("HeadObject", Key="k")["Restore"]
    s3.later(days=4)
    assert s3.refused("GetObject", Key="k").code == "InvalidObjectState"
    s3.put("k", b"x")
    assert s3.refused("RestoreObject", **restore).code == "InvalidObjectState"


def test_attributes_are_those_that_are_asked_for(s3: Asking) -> None:
    etag = s3.put("k", b"x", ChecksumAlgorithm="SHA256")["ETag"].strip('"')
    asked = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = s3.ask("GetObjectAttributes", Key="k", ObjectAttributes=asked)
    assert (told["ETag"], told["ObjectSize"], told["StorageClass"]) == (etag, 1, "STANDARD")
    assert told["Checksum"]["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert "ObjectParts" not in told
    assert "ETag" not in s3.ask("GetObjectAttributes", Key="k", ObjectAttributes=["ObjectSize"])
    for asked in ([], ["etag"]):
        error = s3.refused("GetObjectAttributes", Key="k", ObjectAttributes=asked)
        assert error.code in {"InvalidRequest", "InvalidArgument"}
