# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""What names layers: images that are registered, instances that may boot again. With the state lock held."""

from __future__ import annotations

from pavedroad.localcloud.api.ec2.layers import Registered
from pavedroad.localcloud.moto_adapter import ec2_backend


def registered() -> list[Registered]:
    return [
        Registered(
            backend.account_id,
            backend.amis[image_id].image_location,
            tuple(layer.digest for layer in image.layers),
        )
        for backend in ec2_backend.backends()
        for image_id, image in backend.guest_images.items()
        if image_id in backend.amis
    ]


def in_use() -> set[str] | None:
    """None while an image is being made of an instance: its layer is there before anything names it."""
    found: set[str] = set()
    for backend in ec2_backend.backends():
        if backend.captures:
            return None
        for one in backend.by_id.values():
            if one.life.keeps_disk and one.guest_image:
                found.update(layer.digest for layer in one.guest_image.layers)
    return found
