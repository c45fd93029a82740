# pyright: basic
"""DescribeInstances: which instances are meant, page by page of instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_filters import asked_filters
from pavedroad.localcloud.moto_adapter.ec2_instance_filters import filtered
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_pages import invalid_token, opened, sealed

_LARGEST_PAGE = 1000
_ACTION = "DescribeInstances"


def find_instances(backend: LocalEC2Backend, form: Mapping[str, str]) -> tuple[list[LocalInstance], str]:
    """The page that a DescribeInstances form asks for, and the token of the next one or nothing."""
    ids, filters = _asked_ids(form), asked_filters(form)
    limit = int(form.get("MaxResults") or _LARGEST_PAGE)
    if ids and "MaxResults" in form:
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    found: Iterable[LocalInstance] = backend.get_multi_instances_by_id(ids) if ids else backend.by_id.values()
    for name, patterns in filters:
        found = filtered(found, name, patterns)
    if token := form.get("NextToken"):
        after = opened(_ACTION, token)[0]
        if not isinstance(after, int):
            raise invalid_token(token)
        found = (one for one in found if one.sequence > after)
    page = list(islice(found, limit + 1))
    if len(page) <= limit:
        return page, ""
    return page[:limit], sealed(_ACTION, (page[limit - 1].sequence,))


def _asked_ids(form: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(value for name, value in form.items() if name.startswith("InstanceId.")))
