"""The way to one region of AWS: its clients, and threads to call them from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pavedroad.clouds.aws.errors import translated

if TYPE_CHECKING:  # the stubs are there for development only
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

Answer = TypeVar("Answer")

_THREADS = 16


class Link:
    """Clients are made on first use, one at a time, since a boto3 session is not for several threads."""

    def __init__(self, session: boto3.Session, *, region: str, endpoint_url: str | None) -> None:
        self.region = region
        self._session = session
        self._endpoint_url = endpoint_url
        self._making = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"cloud-{region}")
        self._config = Config(
            connect_timeout=3,
            read_timeout=60,
            max_pool_connections=_THREADS,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path"},
            # The cloud says itself what it takes: health checks may be quicker elsewhere than on AWS.
            parameter_validation=False,
        )

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do blocking work in a thread; what AWS refuses comes as the platform's errors."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise translated(error, self.region) from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    @cached_property
    def ec2(self) -> EC2Client:
        return self._client("ec2")

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        return self._client("autoscaling")

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        return self._client("elbv2")

    @cached_property
    def s3(self) -> S3Client:
        return self._client("s3")

    @cached_property
    def sts(self) -> STSClient:
        return self._client("sts")

    @cached_property
    def account(self) -> str:
        """Asked of STS once; for use in a thread."""
        return self.sts.get_caller_identity()["Account"]

    def _client(self, service: str) -> Any:
        with self._making:
            return cast("Any", self._session).client(
                service, region_name=self.region, endpoint_url=self._endpoint_url, config=self._config
            )
