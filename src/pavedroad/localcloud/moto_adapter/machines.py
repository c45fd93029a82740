# pyright: basic, reportAttributeAccessIssue=false
"""EC2 as alarms see it: what they may do to an instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.compute import as_ours
from pavedroad.localcloud.moto_adapter.ec2_instances import refuse_protected


class MotoMachines:
    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def act(self, instance_id: str, action: Literal["stop", "terminate", "reboot", "recover"]) -> None:
        """Recovering is a new start on the same machine, which is all that there is here."""
        instance = ec2_backend.backend(self._account, self._region).get_instance_by_id(instance_id)
        if instance is None:
            raise ServiceError(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
            )
        refuse_protected(instance, action)
        now = datetime.now(UTC)
        if action == "stop":
            as_ours(instance.life.stop, instance_id, now)
        elif action == "terminate":
            instance.life.terminate(now, reason="CloudWatch alarm")
            if instance.life.state == "terminated":
                instance.take_down()
        else:
            as_ours(instance.life.reboot, instance_id)
