"""An instance in plain words, for what is built from it: its guest, its metadata."""

from __future__ import annotations

from dataclasses import dataclass, field

from pavedroad.localcloud.wanted import GuestImage, Limits


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """What an instance's role gives it for some hours. Times are ISO 8601."""

    role: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    issued: str
    expires: str


@dataclass(frozen=True, slots=True)
class Interruption:
    """The notice that a spot instance is taken back. Times are ISO 8601."""

    action: str
    at: str
    noticed_at: str


@dataclass(frozen=True, slots=True)
class Facts:
    id: str
    account: str
    region: str
    zone: str
    zone_id: str
    boot: int
    image_id: str
    image: GuestImage
    instance_type: str
    architecture: str
    address: str
    """Where it really is; `private_address` is what its network calls it."""
    private_address: str
    public_address: str
    mac: str
    vpc_id: str
    subnet_id: str
    launch_index: int
    launched: str
    reservation_id: str
    user_data: str
    """Base64."""
    tags: dict[str, str]
    security_groups: tuple[str, ...]
    key_name: str
    key_material: str
    profile_arn: str
    profile_id: str
    credentials: RoleCredentials | None
    require_token: bool
    metadata_enabled: bool = True
    metadata_tags: bool = False
    metadata_hops: int = 1
    placement_group: str = ""
    partition: int | None = None
    spot: bool = False
    interruption: Interruption | None = None
    limits: Limits | None = None
    target_lifecycle_state: str = ""
    """Where its Auto Scaling group has it go."""
