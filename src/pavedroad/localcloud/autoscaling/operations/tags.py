"""Tags of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import views
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group, Tag
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.errors import ServiceError

MOST_TAGS = 50


def create_or_update(call: Call) -> Result:
    wanted: dict[str, dict[str, Tag]] = {}
    for asked in call.parameters["Tags"]:
        group = _group_of(call, asked)
        wanted.setdefault(group.name, {})[asked["Key"]] = _tag(asked)
    for name, tags in wanted.items():
        _check_number({**call.region.groups[name].tags, **tags})
    for name, tags in wanted.items():
        call.region.groups[name].tags.update(tags)
    return None


def delete(call: Call) -> Result:
    groups = [(_group_of(call, asked), asked) for asked in call.parameters["Tags"]]
    for group, asked in groups:
        found = group.tags.get(asked["Key"])
        if found and asked.get("Value") in (None, found.value):
            del group.tags[asked["Key"]]
    return None


def describe(call: Call) -> Result:
    filters = [_filter(entry.get("Name", ""), entry.get("Values") or ()) for entry in call.entries("Filters")]
    shown, token = paging.page(
        (
            tag
            for name in sorted(call.region.groups)
            for tag in views.tags(call.region.groups[name])
            if all(passes(tag) for passes in filters)
        ),
        key=lambda tag: (tag["ResourceId"], tag["Key"]),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    return {"Tags": shown, "NextToken": token}


def of_new_group(call: Call, name: str) -> dict[str, Tag]:
    """The tags that a group is created with."""
    tags: dict[str, Tag] = {}
    for entry in call.entries("Tags"):
        if entry.get("ResourceId") not in (None, name):
            raise refused(f"The tag's resource {entry['ResourceId']} is not the group {name}.")
        tags[entry["Key"]] = _tag(entry)
    _check_number(tags)
    return tags


def _group_of(call: Call, asked: Mapping[str, Any]) -> Group:
    if asked.get("ResourceType") not in (None, "auto-scaling-group"):
        raise refused(f"Invalid resource type {asked['ResourceType']}. Valid type is auto-scaling-group.")
    if not asked.get("ResourceId"):
        raise refused("A tag must name its resource.")
    group = call.region.groups.get(asked["ResourceId"])
    if group is None:
        raise refused(f"AutoScalingGroup not found - AutoScaling Group {asked['ResourceId']} not found")
    return group


def _tag(asked: Mapping[str, Any]) -> Tag:
    if asked["Key"].startswith("aws:"):
        raise refused("Tag keys that begin with aws: are reserved for system use.")
    return Tag(asked.get("Value") or "", bool(asked.get("PropagateAtLaunch")))


def _check_number(tags: Mapping[str, Tag]) -> None:
    if len(tags) > MOST_TAGS:
        raise ServiceError("LimitExceeded", f"A group has at most {MOST_TAGS} tags.")


def _filter(name: str, values: Iterable[str]) -> Callable[[views.Shape], bool]:
    wanted = frozenset(values)
    fields = {
        "auto-scaling-group": "ResourceId",
        "key": "Key",
        "value": "Value",
        "propagate-at-launch": "PropagateAtLaunch",
    }
    if name not in fields:
        raise refused(f"Filter type {name} is not correct. Allowed Filter types are: {' '.join(fields)}")
    field = fields[name]
    if name == "propagate-at-launch":
        return lambda tag: str(tag[field]).lower() in {value.lower() for value in wanted}
    return lambda tag: tag[field] in wanted


OPERATIONS: dict[str, Operation] = {
    "CreateOrUpdateTags": create_or_update,
    "DeleteTags": delete,
    "DescribeTags": describe,
}
