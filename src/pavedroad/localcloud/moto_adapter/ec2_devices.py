# pyright: basic
"""Block device mappings of a launch, checked, as moto takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend

_SIZES = {
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (125, 16384),
    "sc1": (125, 16384),
    "standard": (1, 1024),
}
"""Gibibytes, from and to, by a volume's type."""


def block_devices(backend: LocalEC2Backend, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Volumes alone: what names no device, or one of the machine's own, makes none."""
    made: list[dict[str, Any]] = []
    names: set[str] = set()
    for mapping in asked:
        name = mapping.get("DeviceName")
        if not name:
            raise ServiceError("MissingParameter", "The request must contain the parameter deviceName")
        if name in names:
            raise ServiceError(
                "InvalidBlockDeviceMapping", f"The device '{name}' is used in more than one mapping."
            )
        names.add(name)
        volume = mapping.get("Ebs")
        if volume is None or "NoDevice" in mapping:
            continue
        made.append({"DeviceName": name, "Ebs": _volume(backend, name, volume)})
    return made


def _volume(backend: LocalEC2Backend, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    kind, size, snapshot_id = (
        asked.get("VolumeType") or "gp2",
        asked.get("VolumeSize"),
        asked.get("SnapshotId"),
    )
    if snapshot_id and snapshot_id not in backend.snapshots:
        raise ServiceError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    check_volume(kind, size, asked.get("Iops"), name)
    return {
        "SnapshotId": snapshot_id,
        "VolumeSize": size or 8,
        "DeleteOnTermination": asked.get("DeleteOnTermination", True),
        "VolumeType": kind,
        "Iops": asked.get("Iops"),
        "Encrypted": asked.get("Encrypted", False),
        "KmsKeyId": asked.get("KmsKeyId"),
    }


def check_volume(kind: str, size: Any, iops: Any, device: str = "") -> None:
    """Refuse what volumes of the type cannot have; the size in GiB, or None where nothing is said of it."""
    if kind not in _SIZES:
        raise ServiceError("InvalidParameterValue", f"Value ({kind}) for parameter volumeType is invalid.")
    least, most = _SIZES[kind]
    if size is not None and not least <= int(size) <= most:
        whose = f" of '{device}'" if device else ""
        raise ServiceError(
            "InvalidParameterValue",
            f"Volume of {size}GiB is invalid for the type {kind}{whose}: it may have from {least} to "
            f"{most} GiB.",
        )
    if kind in ("io1", "io2") and not iops:
        raise ServiceError("MissingParameter", f"The parameter iops must be specified for {kind} volumes.")
    if kind not in ("io1", "io2", "gp3") and iops:
        raise ServiceError(
            "InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes."
        )
