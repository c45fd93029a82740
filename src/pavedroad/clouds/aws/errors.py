"""What AWS refuses, as the platform's errors, with AWS's own sentence."""

from __future__ import annotations

from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from pavedroad.core.errors import (
    CapacityRefused,
    CloudFailed,
    InvalidInput,
    NotFound,
    PavedError,
    Unavailable,
)

_CAPACITY = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientCapacity",
        "InstanceLimitExceeded",
        "VcpuLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "Unsupported",
    }
)
_OTHER_REGION = "Name one of the cloud's regions, such as us-east-1."
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})
_MISSING_ENDINGS = (".NotFound", "NotFound", "NotFoundException", ".Malformed", ".Unavailable")


def code_of(error: BaseException) -> str:
    """AWS's code, empty where the error is not an answer of AWS."""
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""


def sentence_of(error: ClientError) -> str:
    """AWS's own words."""
    return error.response.get("Error", {}).get("Message", "").strip() or "it gave no reason"


def is_missing(error: BaseException) -> bool:
    """Whether AWS says that there is no such thing."""
    code = code_of(error)
    if code == "ValidationError" and isinstance(error, ClientError):
        return "not found" in sentence_of(error).lower()  # AutoScaling has no code of its own for it
    return code in _MISSING or code.endswith(_MISSING_ENDINGS)


def translated(error: BotoCoreError | ClientError | ResponseParserError, region: str) -> PavedError:
    """The platform's error."""
    if isinstance(error, ClientError):
        code, operation = code_of(error), error.operation_name
        if is_missing(error):
            return NotFound(sentence_of(error))
        if code == "InvalidRegion":
            return InvalidInput(sentence_of(error), next_step=_OTHER_REGION)
        kind = CapacityRefused if code in _CAPACITY else CloudFailed
        return kind(f"The cloud refused {operation}: {sentence_of(error)} ({code})", aws_code=code)
    if isinstance(error, ResponseParserError):
        return CloudFailed(f"The cloud in {region} gave an answer that is none of AWS's.")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return Unavailable(
            f"There are no complete credentials for the cloud in {region}.",
            next_step="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
        )
    if isinstance(error, exceptions.ConnectionError | HTTPClientError):
        return Unavailable(
            f"The cloud in {region} does not answer: {error}",
            next_step="See whether it runs: paved status.",
        )
    if isinstance(error, exceptions.InvalidRegionError):
        return InvalidInput(f"{region!r} is not a region's name.", next_step=_OTHER_REGION)
    return CloudFailed(f"The cloud could not be asked: {error}")
