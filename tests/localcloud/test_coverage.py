"""The page of operations tells the truth: it is what the code says, and what the cloud answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pavedroad.localcloud.coverage import Coverage, coverage, page, stored_coverage
from tests.localcloud.moto_adapter.generated import parameters
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "operations.md"
UNSUPPORTED = {"UnsupportedOperation", "NotImplemented", "UnknownOperationException", "InvalidAction"}


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("service", [*coverage(), *stored_coverage()], ids=lambda it: it.service)
def test_no_operation_is_claimed_that_the_service_does_not_have(service: Coverage) -> None:
    assert service.real <= set(service.all)
    assert service.stored <= set(service.all)
    assert not service.real & service.stored


@pytest.mark.slow
@pytest.mark.parametrize(
    "service",
    [it for it in coverage() if it.service != "s3"],
    ids=lambda it: it.service,
)
def test_what_is_absent_says_so_and_nothing_else_does(service: Coverage, fresh_cloud: RunningCloud) -> None:
    """S3 is left out: its operations are paths, and an unknown one is another's."""
    client: Any = boto3.client(  # pyright: ignore[reportUnknownMemberType, reportCallIssue]
        service.service,  # pyright: ignore[reportArgumentType]
        region_name="eu-west-1",
        endpoint_url=fresh_cloud.endpoint,
        aws_access_key_id=fresh_cloud.key.access_key_id,
        aws_secret_access_key=fresh_cloud.key.secret_access_key,
        config=Config(retries={"max_attempts": 1}, parameter_validation=False),
    )
    names = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    wrong: list[str] = []
    for operation in service.all:
        if operation not in names:
            continue
        try:
            # EC2 looks at what it is given before it says that it cannot do it.
            needed = client.meta.service_model.operation_model(operation).input_shape
            getattr(client, names[operation])(**(parameters(needed) if service.service == "ec2" else {}))
            code = ""
        except ClientError as refusal:
            said: Any = refusal.response
            code = said["Error"]["Code"]
            if said["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                wrong.append(f"{operation} failed: {refusal}")
        except (TypeError, KeyError, ValueError):
            continue  # this client cannot send it without its parameters
        if operation in service.absent:
            # Parameters are looked at first: what is refused for them is refused all the same.
            if not code or not (code in UNSUPPORTED or code.startswith(("Missing", "Invalid", "Validation"))):
                wrong.append(f"{operation} is absent and answered {code or 'well'}")
        elif code in UNSUPPORTED and operation in service.real:
            wrong.append(f"{operation} is real and answered {code}")
    assert not wrong, "\n".join(wrong)
    eventually(lambda: (told := fresh_cloud.health)["saved_revision"] == told["revision"])
    assert fresh_cloud.health["status"] == "ok"
