"""What released versions have saved is taken up whole, and what cannot be taken up is left as it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.places import KEY_FILE
from pavedroad.localcloud.api import container
from pavedroad.localcloud.unreadable import EXIT_STATUS
from tests.localcloud.api.alone import api_alone, released
from tests.localcloud.released.plain import lacking
from tests.localcloud.released.rich import contents, listing

ACCOUNT = "123456789012"


@pytest.mark.parametrize("form", ["schema-2", "schema-3"])
def test_a_cloud_of_a_released_version_goes_on(tmp_path: Path, form: str) -> None:
    """And once more from what this version has made of it."""
    home = released(form, tmp_path)
    with api_alone(home) as api:
        api.start()
        if form == "schema-2":
            api.client("sns").create_topic(Name="another")
            api.client("sns").delete_topic(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:another")
            api.kill()
            assert container.schema_of((home / "state.snapshot").read_bytes()) == container.SCHEMA
            assert container.schema_of((home / "state.snapshot.schema-2").read_bytes()) == 2
            api.start()
        said = json.loads((home / "listing.json").read_text(), object_hook=_without_made_up)
        said["s3 us-east-1 list_buckets"]["Buckets"].sort(key=lambda it: it["Name"])
        assert not lacking(said, listing(api.client))
        s3 = api.client("s3")
        assert s3.get_object(Bucket="kept", Key="object")["Body"].read() == b"x" * 40_000
        [part] = s3.list_parts(Bucket="kept", Key="parts", UploadId=upload(s3))["Parts"]
        assert part["Size"] == 30_000


def _without_made_up(told: dict[str, Any]) -> dict[str, Any]:
    """What was the same for everybody and everything in S3 then."""
    return {name: it for name, it in told.items() if name not in ("Owner", "Initiator", "Initiated")}


def upload(s3: Any) -> str:
    return s3.list_multipart_uploads(Bucket="kept")["Uploads"][0]["UploadId"]


def test_every_version_of_an_object_is_kept(tmp_path: Path) -> None:
    with api_alone(tmp_path / "home") as api:
        api.start()
        s3 = api.client("s3")
        s3.create_bucket(Bucket="kept")
        s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        for body in (b"first", b"x" * 40_000, b"third"):
            s3.put_object(Bucket="kept", Key="key", Body=body)
        s3.delete_object(Bucket="kept", Key="key")
        before = contents(s3)
        api.kill()
        api.start()
        assert len(before) == 3
        assert contents(api.client("s3")) == before


def everything(home: Path) -> dict[str, str]:
    """Each file that a start could spoil, by its content. The key is made where there is none."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file() and path.name != KEY_FILE
    }


def test_a_process_that_cannot_read_its_state_changes_nothing_and_says_so(tmp_path: Path) -> None:
    home = released("schema-2", tmp_path)
    path = home / "state.snapshot"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[: len(content) - 100])
    before = everything(home)
    with api_alone(home) as api:
        status, (sentence, next_step) = api.refuses()
    assert status == EXIT_STATUS
    assert str(path) in sentence
    assert "Put a copy of it in its place" in next_step
    assert before.items() <= everything(home).items()


def test_a_state_that_is_missing_is_not_begun_anew(tmp_path: Path) -> None:
    home = released("schema-2", tmp_path)
    (home / "state.snapshot").unlink()
    before = everything(home)
    with api_alone(home) as api:
        status, (sentence, _) = api.refuses()
        assert status == EXIT_STATUS
        assert (
            sentence
            == f"The saved state {home}/state.snapshot is missing, and {home}/objects holds what it knew of."
        )
        assert before.items() <= everything(home).items()
