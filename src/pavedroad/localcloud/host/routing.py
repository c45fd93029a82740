"""What the host asks of its data plane: balance these pools behind these fronts, and probe the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.measured import Traffic
from pavedroad.localcloud.wanted import Front, Pool, TargetStatus


class Routing(Protocol):
    """The balancers of this machine. All calls come from the host's one event loop.

    Level-triggered: each `apply` brings all pools and fronts, and closes the difference to what is.
    """

    on_change: Callable[[], None]
    """Set by the host before `start`; call it whenever `statuses`, `refused`, `impaired` or `routed`
    changes."""

    elsewhere: Callable[[str], Elsewhere]
    """Set by the host before `start`: where the guest of this id listens. Blocks."""

    @property
    def routed(self) -> int:
        """The highest revision whose routes Envoy has acknowledged; 0 before the first."""
        ...

    async def start(self) -> None:
        """Start Envoy and its configuration server. Where Envoy is missing or dies, `refused` and the
        answer of `acknowledged` say so; the host lives on, and guests run."""
        ...

    def apply(self, revision: int, pools: Iterable[Pool], fronts: Iterable[Front]) -> None:
        """Make this true. Returns at once."""
        ...

    async def acknowledged(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's bound
        """Whether Envoy serves `revision` (or a later one) within `timeout` seconds."""
        ...

    def statuses(self) -> list[TargetStatus]:
        """Each target of each pool, as last probed."""
        ...

    def refused(self) -> dict[str, str]:
        """Fronts that could not be opened, by ARN, with one sentence each."""
        ...

    def impaired(self) -> dict[str, str]:
        """Fronts that are open, and serve what they served before or not all that they should."""
        ...

    async def traffic(self) -> Traffic | None:
        """What the balancers have counted; None while they cannot be asked."""
        ...

    def guest_gone(self, address: str, because: str = ...) -> None:
        """The guest at this address has ended, or cannot be reached: take its targets out at once."""
        ...

    async def close(self) -> None:
        """Stop Envoy; nothing is left behind."""
        ...
