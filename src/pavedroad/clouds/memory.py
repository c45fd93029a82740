"""A cloud in memory, for tests and dry runs: the whole port, moved on one step by every look at it.

Instances become healthy `boot_steps` looks after their launch. `faults[image_id]` says what is wrong with an
image's instances; `refuse` makes the next call of an operation fail; `consoles` holds what instances wrote.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pavedroad.clouds.memory_fleet import Fault, Fleet, Group
from pavedroad.clouds.model import (
    Activity,
    Balancer,
    Image,
    ImageSpec,
    Instance,
    Listener,
    ServerGroup,
    ServerGroupSpec,
    StoredObject,
    TargetGroup,
    TargetGroupSpec,
    TargetHealth,
)
from pavedroad.clouds.ownership import check_known, is_known, stranger
from pavedroad.clouds.regions import check_region
from pavedroad.core.clock import Clock, SystemClock
from pavedroad.core.errors import CloudFailed, NotFound, PavedError

Thing = TypeVar("Thing")

_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
_MOST_ACTIVITIES = 100
_MOST_TARGET_GROUPS = 5
"""In one forward action, by AWS's quota."""


class MemoryCloud:
    """One account and region."""

    def __init__(self, region: str = "us-east-1", *, boot_steps: int = 2, clock: Clock | None = None) -> None:
        self.consoles: dict[str, str] = {}
        self.answering = True
        self._region = region
        self._clock = clock or SystemClock()
        self._fleet = Fleet(self._clock, boot_steps)
        self._objects: dict[str, bytes] = {}
        self._images: dict[str, Image] = {}
        self._balancers: dict[str, Balancer] = {}
        self._targets: dict[str, TargetGroup] = {}
        self._refusals: defaultdict[str, list[PavedError]] = defaultdict(list)

    @property
    def account(self) -> str:
        return "000000000000"

    @property
    def region(self) -> str:
        return self._region

    @property
    def faults(self) -> dict[str, Fault]:
        """By image id."""
        return self._fleet.faults

    def refuse(self, operation: str, error: PavedError, *, times: int = 1) -> None:
        """The next calls of `operation`, a method's name, raise `error`."""
        self._refusals[operation] += [error] * times

    def kill(self, instance_id: str, reason: str = "exited with status 1") -> None:
        """An instance ends by itself; its group replaces it."""
        machine = self._fleet.machine(instance_id)
        if machine is not None:
            machine.end(reason)

    async def reachable(self) -> bool:
        return self.answering

    def close(self) -> None:
        """There is nothing to close."""

    async def put_object(self, key: str, body: bytes) -> str:
        self._admit("put_object")
        self._objects[key] = body
        return f"pavedroad-{self.account}-{self._region}/{key}"

    async def put_file(self, key: str, path: Path) -> str:
        return await self.put_object(key, await asyncio.to_thread(path.read_bytes))

    async def get_object(self, key: str) -> bytes:
        self._admit("get_object")
        return _known(self._objects, key, "object")

    async def get_file(self, key: str, path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, await self.get_object(key))

    async def objects(self, prefix: str) -> list[StoredObject]:
        self._admit("objects")
        found = sorted((key, len(body)) for key, body in self._objects.items() if key.startswith(prefix))
        return [StoredObject(key, size) for key, size in found]

    async def delete_object(self, key: str) -> None:
        self._admit("delete_object")
        self._objects.pop(key, None)

    async def register_image(self, spec: ImageSpec) -> Image:
        self._admit("register_image")
        twin = next((image for image in self._images.values() if image.name == spec.name), None)
        if twin is not None:
            if not _carries(twin.tags, spec.tags):
                raise stranger("image", spec.name, next_step="Remove it, or bake again.")
            return twin
        image_id = f"ami-{self._fleet.next_number():017x}"
        image = Image(image_id, spec.name, "available", self._clock.now(), dict(spec.tags), spec.location)
        self._images[image_id] = image
        return image

    async def image(self, image_id: str) -> Image:
        self._admit("image")
        return _known(self._images, image_id, "image")

    async def images(self, tags: Mapping[str, str] | None = None) -> list[Image]:
        self._admit("images")
        found = [image for image in self._images.values() if _carries(image.tags, tags)]
        return sorted(found, key=lambda image: (image.created_at, image.id), reverse=True)

    async def deregister_image(self, image_id: str) -> None:
        self._admit("deregister_image")
        self._images.pop(image_id, None)

    async def images_in_use(self) -> set[str]:
        self._admit("images_in_use")
        return self._fleet.images_in_use()

    async def zones(self) -> list[str]:
        self._admit("zones")
        return [f"{self._region}{letter}" for letter in "abc"]

    async def create_server_group(self, spec: ServerGroupSpec) -> None:
        self._admit("create_server_group")
        if (known := self._fleet.groups.get(spec.name)) is not None:
            if known.deleting:
                raise CloudFailed(f"A server group named {spec.name} is still being deleted.")
            check_known("server group", spec.name, known.spec.tags, spec.known_by)
            return
        if spec.image_id not in self._images:
            raise CloudFailed(f"The image id '[{spec.image_id}]' does not exist", aws_code="ValidationError")
        _check_bounds(spec.minimum, spec.desired, spec.maximum)
        zones = spec.zones or tuple(await self.zones())
        self._fleet.groups[spec.name] = Group(
            spec, zones, spec.minimum, spec.maximum, spec.desired, self._clock.now()
        )

    async def server_group(self, name: str) -> ServerGroup:
        self._look("server_group")
        return _known(self._fleet.groups, name, "server group").seen()

    async def server_groups(self, tags: Mapping[str, str] | None = None) -> list[ServerGroup]:
        self._look("server_groups")
        groups = sorted(self._fleet.groups.items())
        return [group.seen() for _, group in groups if _carries(group.spec.tags, tags)]

    async def resize_server_group(self, name: str, *, minimum: int, maximum: int, desired: int) -> None:
        self._admit("resize_server_group")
        group = _known(self._fleet.groups, name, "server group")
        _check_bounds(minimum, desired, maximum)
        group.minimum, group.maximum, group.desired = minimum, maximum, desired

    async def in_the_way(self, name: str) -> list[dict[str, str]]:
        self._admit("in_the_way")
        return [self._fleet.groups[name].spec.tags] if name in self._fleet.groups else []

    async def delete_server_group(self, name: str, *, known_by: Mapping[str, str]) -> None:
        self._admit("delete_server_group")
        if (group := self._fleet.groups.get(name)) is not None and is_known(group.spec.tags, known_by):
            group.deleting = True

    async def activities(self, name: str) -> list[Activity]:
        self._admit("activities")
        return _known(self._fleet.groups, name, "server group").activities[:_MOST_ACTIVITIES]

    async def instances(self, instance_ids: Sequence[str]) -> list[Instance]:
        self._admit("instances")
        found = (self._fleet.machine(instance_id) for instance_id in instance_ids)
        return [machine.seen() for machine in found if machine is not None]

    async def console(self, instance_id: str) -> str:
        self._admit("console")
        if self._fleet.machine(instance_id) is None:
            raise NotFound(f"The instance ID '{instance_id}' does not exist")
        return self.consoles.get(instance_id, "")

    async def terminate_instance(self, instance_id: str) -> None:
        self._admit("terminate_instance")
        if self._fleet.machine(instance_id) is None:
            raise NotFound(
                f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
            )
        self.kill(instance_id, "Client.UserInitiatedShutdown: User initiated shutdown")

    async def ensure_balancer(
        self, name: str, *, port: int, tags: Mapping[str, str], known_by: Mapping[str, str]
    ) -> Balancer:
        self._admit("ensure_balancer")
        known = self._balancers.get(name)
        if known is not None:
            check_known("load balancer", name, known.tags, known_by)
        else:
            arn = self._arn(f"loadbalancer/app/{name}")
            address = f"127.16.0.{len(self._balancers) + 200}"
            known = Balancer(
                arn, name, f"http://{address}" + ("" if port == 80 else f":{port}"), (), dict(tags)
            )
        if port not in {listener.port for listener in known.listeners}:
            listener = Listener(self._arn(f"listener/app/{name}/{port}"), port, {})
            known = replace(known, listeners=(*known.listeners, listener))
        self._balancers[name] = known
        return known

    async def balancer(self, name: str) -> Balancer:
        self._admit("balancer")
        return _known(self._balancers, name, "load balancer")

    async def balancers(self, tags: Mapping[str, str] | None = None) -> list[Balancer]:
        self._admit("balancers")
        return [balancer for _, balancer in sorted(self._balancers.items()) if _carries(balancer.tags, tags)]

    async def delete_balancer(self, name: str, *, known_by: Mapping[str, str]) -> None:
        self._admit("delete_balancer")
        if name in self._balancers and is_known(self._balancers[name].tags, known_by):
            del self._balancers[name]

    async def ensure_target_group(self, spec: TargetGroupSpec) -> TargetGroup:
        self._admit("ensure_target_group")
        if spec.name in self._targets:
            check_known("target group", spec.name, self._targets[spec.name].tags, spec.known_by)
        else:
            arn = self._arn(f"targetgroup/{spec.name}")
            self._targets[spec.name] = TargetGroup(
                arn, spec.name, spec.port, spec.health_check, dict(spec.tags)
            )
        return self._targets[spec.name]

    async def target_group(self, name: str) -> TargetGroup:
        self._admit("target_group")
        return _known(self._targets, name, "target group")

    async def delete_target_group(self, name: str, *, known_by: Mapping[str, str]) -> None:
        self._admit("delete_target_group")
        if name not in self._targets or not is_known(self._targets[name].tags, known_by):
            return
        if self._in_use(self._targets[name].id):
            raise CloudFailed(
                f"Target group '{self._targets[name].id}' is currently in use by a listener or a rule",
                aws_code="ResourceInUse",
            )
        del self._targets[name]

    async def set_weights(self, listener: Listener, weights: Mapping[str, int]) -> None:
        self._admit("set_weights")
        known = {group.id for group in self._targets.values()}
        if missing := [arn for arn in weights if arn not in known]:
            raise NotFound(f"Target groups '{missing[0]}' not found")
        if len(weights) > _MOST_TARGET_GROUPS:
            raise CloudFailed(
                f"The maximum number of target groups on an action is {_MOST_TARGET_GROUPS}.",
                aws_code="TooManyTargetGroups",
            )
        for name, balancer in self._balancers.items():
            if listener.id in {own.id for own in balancer.listeners}:
                changed = (
                    replace(own, weights=dict(weights)) if own.id == listener.id else own
                    for own in balancer.listeners
                )
                self._balancers[name] = replace(balancer, listeners=tuple(changed))
                return
        raise NotFound(f"Listener '{listener.id}' not found")

    async def target_health(self, target_group_id: str) -> list[TargetHealth]:
        self._look("target_health")
        if target_group_id not in {group.id for group in self._targets.values()}:
            raise NotFound(f"Target groups '{target_group_id}' not found")
        groups = [
            group for group in self._fleet.groups.values() if target_group_id in group.spec.target_group_ids
        ]
        in_use = self._in_use(target_group_id)
        return [machine.target(in_use=in_use) for group in groups for machine in group.alive]

    def _admit(self, operation: str) -> None:
        if self._refusals[operation]:
            raise self._refusals[operation].pop(0)

    def _look(self, operation: str) -> None:
        self._admit(operation)
        self._fleet.step()

    def _arn(self, resource: str) -> str:
        number = f"{self._fleet.next_number():016x}"
        return f"arn:aws:elasticloadbalancing:{self._region}:{self.account}:{resource}/{number}"

    def _in_use(self, target_group_id: str) -> bool:
        return any(
            target_group_id in listener.weights
            for balancer in self._balancers.values()
            for listener in balancer.listeners
        )


class MemoryClouds:
    """A memory cloud a region."""

    def __init__(
        self, *, boot_steps: int = 2, clock: Clock | None = None, regions: Sequence[str] = _REGIONS
    ) -> None:
        self._regions = tuple(regions)
        self._clouds: dict[str, MemoryCloud] = {}
        self._boot_steps = boot_steps
        self._clock = clock

    def region(self, name: str) -> MemoryCloud:
        if name not in self._clouds:
            check_region(name, self._regions)
            self._clouds[name] = MemoryCloud(name, boot_steps=self._boot_steps, clock=self._clock)
        return self._clouds[name]


def _known(things: Mapping[str, Thing], name: str, kind: str) -> Thing:
    if name not in things:
        raise NotFound(f"There is no {kind} {name}.")
    return things[name]


def _carries(tags: Mapping[str, str], wanted: Mapping[str, str] | None) -> bool:
    return all(tags.get(key) == text for key, text in (wanted or {}).items())


def _check_bounds(minimum: int, desired: int, maximum: int) -> None:
    if not minimum <= desired <= maximum:
        raise CloudFailed(
            f"Desired capacity:{desired} must be between the specified min size:{minimum} "
            f"and max size:{maximum}",
            aws_code="ValidationError",
        )
