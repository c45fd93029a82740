"""One call of an operation: what was asked, and what it may look at and change."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.asked import Parameters
from pavedroad.localcloud.balancing.model import Balancer, Listener, ListenerRule, TargetGroup
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Certificates, Network

IsUp = Callable[[str], bool]
"""Whether a zone is up."""


@dataclass(frozen=True, slots=True)
class Call:
    """Runs under the state lock. `opens` collects the listeners that must be open before it is answered."""

    parameters: Parameters
    store: Store
    network: Network
    actual: ActualView
    clock: Clock
    certificates: Certificates
    is_up: IsUp
    opens: list[str] = field(default_factory=list[str])

    def new_arn(self, resource: str) -> str:
        store = self.store
        return (
            f"arn:aws:elasticloadbalancing:{store.region}:{store.account}:{resource}/{secrets.token_hex(8)}"
        )

    def balancer(self, arn: str) -> Balancer:
        if found := self.store.balancers.get(arn):
            return found
        raise ServiceError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")

    def listener(self, arn: str) -> Listener:
        if found := self.store.listeners.get(arn):
            return found
        raise ServiceError("ListenerNotFound", f"Listener '{arn}' not found")

    def rule(self, arn: str) -> ListenerRule:
        if found := self.store.rules.get(arn):
            return found
        raise ServiceError("RuleNotFound", f"Rule '{arn}' not found")

    def group(self, arn: str) -> TargetGroup:
        if found := self.store.groups.get(arn):
            return found
        raise ServiceError("TargetGroupNotFound", f"Target group '{arn}' not found")
