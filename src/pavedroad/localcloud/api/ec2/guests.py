"""An instance as the host should have it."""

from __future__ import annotations

from pavedroad.localcloud.api.ec2.facts import Facts
from pavedroad.localcloud.api.ec2.metadata import metadata_of
from pavedroad.localcloud.wanted import Affliction, Guest


def guest_of(
    facts: Facts, *, running: bool, failed: bool = False, afflictions: tuple[Affliction, ...] = ()
) -> Guest:
    return Guest(
        id=facts.id,
        boot=facts.boot,
        region=facts.region,
        zone=facts.zone,
        address=facts.address,
        image=facts.image,
        user_data=facts.user_data,
        instance_type=facts.instance_type,
        environment={"AWS_REGION": facts.region, "AWS_DEFAULT_REGION": facts.region},
        metadata=metadata_of(facts),
        require_token=facts.require_token,
        metadata_enabled=facts.metadata_enabled,
        metadata_hops=facts.metadata_hops,
        running=running,
        failed=failed,
        afflictions=afflictions,
        limits=facts.limits,
    )
