"""Blobs in S3, in one bucket of this account and region."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from pavedroad.clouds.aws.errors import code_of
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import StoredObject
from pavedroad.clouds.ownership import stranger

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType

_CHUNK = 1 << 20
_FIRST_REGION = "us-east-1"  # the one region whose name S3 refuses as a location


class AwsObjects:
    """The `Objects` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._making_bucket = threading.Lock()
        self._made = False

    async def put_object(self, key: str, body: bytes) -> str:
        def put() -> str:
            bucket = self._bucket()
            self._link.s3.put_object(Bucket=bucket, Key=key, Body=body)
            return f"{bucket}/{key}"

        return await self._link.run(put)

    async def put_file(self, key: str, path: Path) -> str:
        def put() -> str:
            bucket = self._bucket()
            with path.open("rb") as body:
                self._link.s3.put_object(Bucket=bucket, Key=key, Body=body)
            return f"{bucket}/{key}"

        return await self._link.run(put)

    async def get_object(self, key: str) -> bytes:
        def get() -> bytes:
            return self._link.s3.get_object(Bucket=self._bucket(), Key=key)["Body"].read()

        return await self._link.run(get)

    async def get_file(self, key: str, path: Path) -> None:
        def get() -> None:
            body = self._link.s3.get_object(Bucket=self._bucket(), Key=key)["Body"]
            with path.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK):
                    file.write(chunk)

        await self._link.run(get)

    async def objects(self, prefix: str) -> list[StoredObject]:
        def list_all() -> list[StoredObject]:
            pages = self._link.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket(), Prefix=prefix
            )
            return [
                StoredObject(item.get("Key", ""), item.get("Size", 0))
                for page in pages
                for item in page.get("Contents", [])
            ]

        return await self._link.run(list_all)

    async def delete_object(self, key: str) -> None:
        await self._link.run(lambda: self._link.s3.delete_object(Bucket=self._bucket(), Key=key))

    def _bucket(self) -> str:
        """Made on first use; several processes may try at once."""
        name = f"pavedroad-{self._link.account}-{self._link.region}"
        with self._making_bucket:
            if not self._made:
                self._make(name)
                self._made = True
        return name

    def _make(self, name: str) -> None:
        s3, region = self._link.s3, self._link.region
        try:
            if region == _FIRST_REGION:
                s3.create_bucket(Bucket=name)
            else:
                place = cast("BucketLocationConstraintType", region)
                s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": place})
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":  # somebody else's account has taken the name
                why = "The name is fixed by account and region: whoever owns the bucket has to give it up."
                raise stranger("bucket", name, next_step=why) from None
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise
