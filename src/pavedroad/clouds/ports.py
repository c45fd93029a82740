"""The cloud port: all that the platform ever asks of a cloud.

Every call that creates is idempotent, so that a step may run twice: `known_by` are the tags by which whoever
makes a thing knows it again. One of that name which does not carry them is a stranger's: creating it is a
`Conflict` and changes nothing, and deleting it leaves it as it is. A thing that is not there is `NotFound`; a
refusal is `CloudFailed` (no room: `CapacityRefused`) with the cloud's sentence in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

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


class Objects(Protocol):
    """Blobs under a key, in one bucket that the adapter makes on first use."""

    async def put_object(self, key: str, body: bytes) -> str:
        """Store; gives the `bucket/key` location."""
        ...

    async def put_file(self, key: str, path: Path) -> str:
        """As `put_object`, from a file of any size."""
        ...

    async def get_object(self, key: str) -> bytes: ...

    async def get_file(self, key: str, path: Path) -> None:
        """As `get_object`, into a file, whatever the size."""
        ...

    async def objects(self, prefix: str) -> list[StoredObject]:
        """Those whose keys begin so, by key."""
        ...

    async def delete_object(self, key: str) -> None: ...


class Images(Protocol):
    """Machine images of this account."""

    async def register_image(self, spec: ImageSpec) -> Image: ...

    async def image(self, image_id: str) -> Image: ...

    async def images(self, tags: Mapping[str, str] | None = None) -> list[Image]:
        """Those that carry all of `tags`, newest first."""
        ...

    async def deregister_image(self, image_id: str) -> None: ...

    async def images_in_use(self) -> set[str]:
        """The ids of all images that an instance is of, or that a group or a launch template names."""
        ...


class ServerGroups(Protocol):
    """Auto Scaling groups, immutable but for their size."""

    async def zones(self) -> list[str]:
        """The region's zones that take launches, in order."""
        ...

    async def create_server_group(self, spec: ServerGroupSpec) -> None: ...

    async def server_group(self, name: str) -> ServerGroup: ...

    async def server_groups(self, tags: Mapping[str, str] | None = None) -> list[ServerGroup]:
        """Those that carry all of `tags`, by name; groups being deleted are among them."""
        ...

    async def resize_server_group(self, name: str, *, minimum: int, maximum: int, desired: int) -> None: ...

    async def in_the_way(self, name: str) -> list[dict[str, str]]:
        """The tags of each thing that a new group of this name would meet: the group, and what is made for
        it alone."""
        ...

    async def delete_server_group(self, name: str, *, known_by: Mapping[str, str]) -> None:
        """Delete the group with its instances, and what was made for it alone; gone already is fine."""
        ...

    async def activities(self, name: str) -> list[Activity]:
        """Newest first, at most 100."""
        ...


class Instances(Protocol):
    """Single machines."""

    async def instances(self, instance_ids: Sequence[str]) -> list[Instance]:
        """Those of `instance_ids` that the cloud still knows."""
        ...

    async def console(self, instance_id: str) -> str:
        """The end of what the instance wrote, at most 64 KiB."""
        ...

    async def terminate_instance(self, instance_id: str) -> None:
        """Without lowering its group's desired capacity: the group replaces it."""
        ...


class Balancing(Protocol):
    """Load balancers, listeners and target groups."""

    async def ensure_balancer(
        self, name: str, *, port: int, tags: Mapping[str, str], known_by: Mapping[str, str]
    ) -> Balancer:
        """A balancer with one HTTP listener that answers 503 until weights are set."""
        ...

    async def balancer(self, name: str) -> Balancer: ...

    async def balancers(self, tags: Mapping[str, str] | None = None) -> list[Balancer]: ...

    async def delete_balancer(self, name: str, *, known_by: Mapping[str, str]) -> None: ...

    async def ensure_target_group(self, spec: TargetGroupSpec) -> TargetGroup: ...

    async def target_group(self, name: str) -> TargetGroup: ...

    async def delete_target_group(self, name: str, *, known_by: Mapping[str, str]) -> None: ...

    async def set_weights(self, listener: Listener, weights: Mapping[str, int]) -> None:
        """One step: when this returns, traffic follows the new weights. Empty: 503 for everything."""
        ...

    async def target_health(self, target_group_id: str) -> list[TargetHealth]: ...


class Cloud(Objects, Images, ServerGroups, Instances, Balancing, Protocol):
    """One account and region of a cloud."""

    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...

    async def reachable(self) -> bool:
        """Whether the cloud answers."""
        ...

    def close(self) -> None: ...


class CloudProvider(Protocol):
    """Clouds by region."""

    def region(self, name: str) -> Cloud:
        """The same each time; `InvalidInput`, and nothing made, for what is no region."""
        ...
