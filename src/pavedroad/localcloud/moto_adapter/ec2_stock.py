# pyright: basic
"""Ubuntu's and Debian's images, which moto has none of, and under which public parameters they are found.

They are bare, as the others that nobody here has made: what boots from them is the machine's own system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_MADE = datetime(2026, 9, 1, tzinfo=UTC)
_CANONICAL, _DEBIAN = "099720109477", "136693071363"
_MACHINES = {"amd64": "x86_64", "arm64": "arm64"}
_UBUNTU = {"focal": ("20.04", "hvm-ssd"), "jammy": ("22.04", "hvm-ssd"), "noble": ("24.04", "hvm-ssd-gp3")}
_RELEASES_OF_DEBIAN = (11, 12, 13)


@dataclass(frozen=True, slots=True)
class Stock:
    """An image in one region. `parameters` are the names in Systems Manager whose value is its id."""

    id: str
    name: str
    owner: str
    description: str
    architecture: str
    root: str
    parameters: tuple[str, ...]

    def described(self) -> dict:
        """As moto makes images."""
        return {
            "ami_id": self.id,
            "architecture": self.architecture,
            "creation_date": _MADE,
            "description": self.description,
            "hypervisor": "xen",
            "image_location": f"amazon/{self.name}",
            "image_type": "machine",
            "name": self.name,
            "owner_alias": "amazon",
            "owner_id": self.owner,
            "platform": None,
            "public": True,
            "root_device_name": self.root,
            "root_device_type": "ebs",
            "sriov": "simple",
            "state": "available",
            "tags": {},
            "virtualization_type": "hvm",
        }


def stock_of(region: str) -> Iterator[Stock]:
    """With the same ids in every cloud, and others in every region, as AWS's have."""
    for called, architecture in _MACHINES.items():
        for codename, (version, disk) in _UBUNTU.items():
            name = f"ubuntu/images/{disk}/ubuntu-{codename}-{version}-{called}-server-{_MADE:%Y%m%d}"
            below = "/aws/service/canonical/ubuntu/server"
            yield Stock(
                _id(region, name),
                name,
                _CANONICAL,
                f"Canonical, Ubuntu, {version} LTS, {called} {codename} image",
                architecture,
                "/dev/sda1",
                tuple(
                    f"{below}/{release}/stable/current/{called}/hvm/{volume}/ami-id"
                    for release in (version, codename)
                    for volume in ("ebs-gp2", "ebs-gp3")
                ),
            )
        for release in _RELEASES_OF_DEBIAN:
            name = f"debian-{release}-{called}-{_MADE:%Y%m%d}-2222"
            yield Stock(
                _id(region, name),
                name,
                _DEBIAN,
                f"Debian {release} ({_MADE:%Y%m%d}-2222)",
                architecture,
                "/dev/xvda",
                (f"/aws/service/debian/release/{release}/latest/{called}",),
            )


def _id(region: str, name: str) -> str:
    return f"ami-{hashlib.sha256(f'{region} {name}'.encode()).hexdigest()[:17]}"
