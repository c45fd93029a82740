"""Its operations, over all that is tagged in one region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.paging import page
from pavedroad.localcloud.tagging.model import Tagged, Tags

T = TypeVar("T")
Result = dict[str, Any]
_MOST_RESOURCES = 100
_MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` have AWS's names and the model's types."""

    account: str
    region: str
    sources: Sequence[Tags]
    parameters: Mapping[str, Any]

    def tagged(self) -> Iterator[Tagged]:
        return (it for source in self.sources for it in source.tagged(self.account, self.region) if it.tags)


def get_resources(call: Call) -> Result:
    limit = call.parameters.get("ResourcesPerPage", _MOST_RESOURCES)
    if not 1 <= limit <= _MOST_RESOURCES:
        raise _invalid(f"ResourcesPerPage must be between 1 and {_MOST_RESOURCES}")
    arns, filters = call.parameters.get("ResourceARNList", ()), call.parameters.get("TagFilters", ())
    kinds = call.parameters.get("ResourceTypeFilters", ())
    if arns and (filters or kinds or call.parameters.get("PaginationToken")):
        raise _invalid("ResourceARNList cannot be given with filters or a PaginationToken")
    found = (
        it
        for it in call.tagged()
        if (not arns or it.arn in arns)
        and (not kinds or it.kind in kinds or it.kind.partition(":")[0] in kinds)
        and all(_passes(it.tags, wanted) for wanted in filters)
    )
    shown, token = _page(call, sorted(found, key=lambda it: it.arn), lambda it: (it.arn,), limit)
    described = [{"ResourceARN": it.arn, "Tags": _listed(it.tags)} for it in shown]
    return {"ResourceTagMappingList": described, "PaginationToken": token}


def get_tag_keys(call: Call) -> Result:
    keys = sorted({key for it in call.tagged() for key in it.tags})
    shown, token = _page(call, keys, lambda key: (key,), _MOST_NAMES)
    return {"TagKeys": shown, "PaginationToken": token}


def get_tag_values(call: Call) -> Result:
    wanted = call.parameters["Key"]
    values = sorted({it.tags[wanted] for it in call.tagged() if wanted in it.tags})
    shown, token = _page(call, values, lambda value: (value,), _MOST_NAMES)
    return {"TagValues": shown, "PaginationToken": token}


def tag_resources(call: Call) -> Result:
    tags = call.parameters["Tags"]
    return _each(call, lambda source, arn: source.tag(call.account, call.region, arn, tags))


def untag_resources(call: Call) -> Result:
    keys = call.parameters["TagKeys"]
    return _each(call, lambda source, arn: source.untag(call.account, call.region, arn, keys))


OPERATIONS: Mapping[str, Callable[[Call], Result]] = {
    "GetResources": get_resources,
    "GetTagKeys": get_tag_keys,
    "GetTagValues": get_tag_values,
    "TagResources": tag_resources,
    "UntagResources": untag_resources,
}


def _each(call: Call, change: Callable[[Tags, str], None]) -> Result:
    """What fails is told by its ARN, and hinders none of the others."""
    failed: dict[str, Result] = {}
    for arn in dict.fromkeys(call.parameters["ResourceARNList"]):
        source = next((it for it in call.sources if it.has(arn)), None)
        try:
            if source is None:
                raise _invalid(f"The resource {arn} is of a service that has no tags here.")
            change(source, arn)
        except ServiceError as error:
            failed[arn] = {
                "StatusCode": error.status,
                "ErrorCode": "InvalidParameterException",
                "ErrorMessage": error.message,
            }
    return {"FailedResourcesMap": failed}


def _passes(tags: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    values = wanted.get("Values") or ()
    return wanted.get("Key") in tags and (not values or tags[wanted["Key"]] in values)


def _listed(tags: Mapping[str, str]) -> list[Result]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _page(
    call: Call, items: Iterable[T], key: Callable[[T], tuple[str, ...]], limit: int
) -> tuple[list[T], str]:
    """AWS says that there is no more by an empty token."""
    try:
        shown, token = page(items, key=key, token=call.parameters.get("PaginationToken") or None, limit=limit)
    except ServiceError as error:
        raise _invalid("The PaginationToken is not valid.") from error
    return shown, token or ""


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
