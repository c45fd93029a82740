# pyright: basic
"""moto's instance with a life of its own: its state is not what was last asked, but what its guest is."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from moto.core.utils import utcnow
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Instance, InstanceState, StateReason

from pavedroad.localcloud.api.ec2.facts import RoleCredentials
from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.api.ec2.placement import PlacementGroup
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_places
from pavedroad.localcloud.moto_adapter.ec2_letting_go import free_addresses_of
from pavedroad.localcloud.wanted import GuestImage


class LocalInstance(Instance):
    """Everything of moto's instance but its state, its addresses' end, and its names."""

    forgotten = False
    reservation_id = ""
    guest_image: GuestImage | None = None
    """What it boots, kept so that it boots again when its image is gone."""
    role_credentials: RoleCredentials | None = None
    credentials_until: datetime | None = None
    target_lifecycle_state = ""
    """Where its Auto Scaling group has it go, in AWS's words."""
    impaired = False
    """It should run, and for some time has not."""
    placement_group: PlacementGroup | None = None
    partition_number: int | None = None
    spot_request_id = ""
    cpu_credits = ""
    noticed_at: datetime | None = None
    """When its interruption was first known."""
    interruption: datetime | None = None
    """When a spot instance is taken back, from its notice on."""
    sequence = 0
    """Rises with every launch, so that pages go on where the last one ended."""

    def __init__(self, ec2_backend, image_id, user_data, security_groups, **kwargs) -> None:
        self.life = Life()
        self.cpu_options: dict = {}
        market = "spot" if kwargs.get("instance_market_options") else None
        super().__init__(ec2_backend, image_id, user_data, security_groups, **{"lifecycle": market, **kwargs})
        asked = {int(nic["DeviceIndex"]): nic for nic in kwargs.get("nics") or ()}
        for index, nic in self.nics.items():
            nic.delete_on_termination = _goes_too(asked.get(index, {}))
        if first := self.nics.get(0):  # its groups are the instance's, whichever of the two was given them
            self.security_groups = list(first._group_set)
        ec2_backend.take_up(self)  # moto looks for it before it has the reservation whole

    def __del__(self) -> None:
        """moto's gives addresses back here; ours are given back when the instance is forgotten."""

    # moto sets these when it thinks that something has happened; ours follow the life.

    @property
    def _state(self) -> InstanceState:
        return InstanceState(self.life.state, self.life.code)

    @_state.setter
    def _state(self, state: InstanceState) -> None:
        pass

    @property
    def _reason(self) -> str:
        return self.life.transition

    @_reason.setter
    def _reason(self, reason: str) -> None:
        pass

    @property
    def state_reason(self) -> StateReason:
        return StateReason(self.life.reason, self.life.reason_code)

    @state_reason.setter
    def state_reason(self, reason: StateReason) -> None:
        pass

    @property
    def state(self) -> str:
        return self.life.state

    @property
    def state_code(self) -> int:
        return self.life.code

    def is_running(self) -> bool:
        return self.life.state == "running"

    def start(self) -> InstanceState:
        previous = copy.copy(self._state)
        self.life.start(self.id)
        self.launch_time = utcnow()
        for nic in self.nics.values():
            nic.start()
        return previous

    def stop(self) -> InstanceState:
        previous = self._state
        self.life.stop(self.id, datetime.now(UTC))
        return previous

    def terminate(self) -> InstanceState:
        previous = self._state
        self.life.terminate(datetime.now(UTC))
        if self.life.state == "terminated":
            self.take_down()
        return previous

    def reboot(self) -> None:
        self.life.reboot(self.id)

    def take_down(self) -> None:
        """What goes when the instance is terminated: volumes, interfaces, its profile's association."""
        for nic in list(self.nics.values()):
            if nic.id in self.ec2_backend.enis:
                if nic.delete_on_termination:
                    nic.delete()
                else:
                    nic.instance, nic.attachment_id, nic.status = None, None, "available"
        free_addresses_of(self.ec2_backend, self)
        self.teardown_defaults()
        if self.ec2_backend.iam_instance_profile_associations.pop(self.id, None):
            self.iam_instance_profile = None

    def give_back_addresses(self) -> None:
        """The last that is done with it: nothing of its own points back to it then, so that it is freed."""
        self.forgotten = True
        for nic in self.nics.values():
            if nic.id in self.ec2_backend.enis:
                continue  # which stays
            for address in nic.private_ip_addresses:
                nic.subnet.del_subnet_ip(address["PrivateIpAddress"])
            nic.instance = nic.attachment_id = None

    @property
    def instance_status(self) -> dict:
        if self.life.state != "running":
            return {"Status": "not-applicable"}
        reached = "failed" if self.impaired else "passed"
        return {
            "Details": [{"Name": "reachability", "Status": reached}],
            "Status": "impaired" if self.impaired else "ok",
        }

    @property
    def zone_id(self) -> str:
        zone = self.ec2_backend.get_zone_by_name(self.availability_zone)
        return zone.zone_id if zone else ""

    @property
    def instance_id(self) -> str:
        """By this name moto's answers look for it in a class of another name than its own."""
        return self.id

    @property
    def ends(self) -> bool:
        return self.instance_initiated_shutdown_behavior == "terminate"

    @property
    def private_dns_name(self) -> str:
        """Names are addresses here, which open on this machine."""
        return ec2_places.place(self.nics[0].subnet, self.private_ip or "")

    @property
    def public_dns_name(self) -> str | None:
        return self.public_ip

    @property
    def tag_map(self) -> dict[str, str]:
        return self.ec2_backend.tags.get(self.id, {})


def _goes_too(asked: dict) -> bool:
    """Whether an interface ends with its instance: one that was there before stays, unless it is said."""
    said = asked.get("DeleteOnTermination")
    return "NetworkInterfaceId" not in asked if said is None else str(said).lower() == "true"


def tags_at_once(self: TaggedEC2Resource) -> list[dict[str, str]]:
    """A resource's tags by its id: moto's own looks through the tags of everything."""
    resource_id = self.id  # pyright: ignore[reportAttributeAccessIssue]
    tags = self.ec2_backend.tags.get(resource_id)  # pyright: ignore[reportAttributeAccessIssue]
    if not tags:
        return []
    return [{"resource_id": resource_id, "key": key, "value": value} for key, value in tags.items()]


def refuse_protected(one: LocalInstance, verb: str) -> None:
    """Raises EC2's error where an attribute of the instance forbids to stop or to terminate it."""
    guard = {"terminate": "disable_api_termination", "stop": "disable_api_stop"}.get(verb)
    if guard and str(getattr(one, guard)).lower() == "true":
        raise ServiceError(
            "OperationNotPermitted",
            f"The instance '{one.id}' may not be {verb}{'d' if verb[-1] == 'e' else 'ped'}. "
            "Modify its protecting attribute and try again.",
        )
