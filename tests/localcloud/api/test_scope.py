from __future__ import annotations

import pytest

from pavedroad.localcloud.api.scope import Scope, scope_of, scope_of_form
from pavedroad.localcloud.errors import ServiceError


def signed(scope: str) -> dict[str, str]:
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def test_service_and_region_come_from_the_signature() -> None:
    found = scope_of(signed("AKIA1/20260101/eu-west-1/ec2/aws4_request"), "")
    assert found == Scope("ec2", "eu-west-1", "AKIA1")


def test_a_presigned_query_says_them_too() -> None:
    query = "X-Amz-Credential=AKIA1%2F20260101%2Fus-west-2%2Fs3%2Faws4_request&X-Amz-Expires=60"
    assert scope_of({}, query) == Scope("s3", "us-west-2", "AKIA1")


def test_the_global_region_is_the_first() -> None:
    assert scope_of(signed("A/20260101/aws-global/iam/aws4_request"), "").region == "us-east-1"


def test_unsigned_and_old_signatures_are_s3s() -> None:
    assert scope_of({}, "") == Scope("s3", "us-east-1", "")
    assert scope_of({"authorization": "AWS AKIA1:sig"}, "").service == "s3"
    assert scope_of({}, "AWSAccessKeyId=AKIA1&Signature=x&Expires=1") == Scope("s3", "us-east-1", "AKIA1")


@pytest.mark.parametrize("region", ["mars-1", "us-gov-west-1", "cn-north-1", "", "../../etc"])
def test_a_region_that_is_not_there_is_refused(region: str) -> None:
    with pytest.raises(ServiceError) as refused:
        scope_of(signed(f"A/20260101/{region}/ec2/aws4_request"), "")
    if "/" not in region:
        assert refused.value.code == "InvalidRegion"
        assert "us-east-1, us-east-2, us-west-1, us-west-2" in refused.value.message


def test_a_broken_signature_is_refused() -> None:
    with pytest.raises(ServiceError, match="IncompleteSignature"):
        scope_of({"authorization": "Bearer hello"}, "")
    with pytest.raises(ServiceError, match="AuthorizationQueryParametersError"):
        scope_of({}, "X-Amz-Credential=hello")


def test_a_signature_of_version_2_is_for_the_service_whose_api_version_it_names() -> None:
    query = "Action=DescribeImages&Version=2016-11-15&AWSAccessKeyId=AK&SignatureVersion=2&Signature=x"
    assert scope_of({}, query) == Scope("ec2", "us-east-1", "AK")
    assert scope_of({"host": "ec2.eu-west-1.localhost:4566"}, query) == Scope("ec2", "eu-west-1", "AK")
    assert scope_of({}, query.replace("2016-11-15", "1999-01-01")).service == "s3"


def test_a_form_says_itself_whom_it_is_for() -> None:
    saml = "Action=AssumeRoleWithSAML&Version=2011-06-15"
    assert scope_of_form({}, saml) == Scope("sts", "us-east-1", "")
    old = "Action=RunInstances&Version=2016-11-15&AWSAccessKeyId=AK&SignatureVersion=2&Signature=x"
    assert scope_of_form({}, old) == Scope("ec2", "us-east-1", "AK")
