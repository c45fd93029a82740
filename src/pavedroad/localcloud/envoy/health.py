"""How a target's health follows from its checks, as AWS has it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pavedroad.localcloud.wanted import Probe, ProbeState

INITIAL = "Elb.InitialHealthChecking"
FAILED = "Target.FailedHealthChecks"
TIMED_OUT = "Target.Timeout"
MISMATCH = "Target.ResponseCodeMismatch"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check's result. `reason` is empty for success; `connected` is false where nobody listened, and
    `refused` too where that was said."""

    reason: str = ""
    description: str = ""
    connected: bool = True
    refused: bool = False
    content_type: str = ""

    @property
    def good(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Health:
    """`streak` counts the checks in a row that speak against `state`, or for the first verdict."""

    state: ProbeState = "initial"
    reason: str = INITIAL
    description: str = "Initial health checks in progress"
    streak: int = 0
    ever_healthy: bool = False

    def after(self, outcome: Outcome, probe: Probe, *, counts: bool = True) -> Health:
        """A new target needs one good check; later verdicts need the thresholds. A failed check that does
        not count (an extra one, between the interval's beats) only refreshes the description."""
        if outcome.good:
            return self._better(probe)
        if self.state == "healthy":
            return self._worse(outcome, probe.unhealthy_threshold)
        if self.state == "unhealthy":
            return replace(self, streak=0, reason=outcome.reason, description=outcome.description)
        streak = self.streak + counts
        if streak >= probe.unhealthy_threshold:
            return self._condemned(outcome)
        return replace(
            self,
            streak=streak,
            description=f"Initial health checks in progress; the last one: {outcome.description}",
        )

    def _better(self, probe: Probe) -> Health:
        if self.state == "unhealthy" and self.streak + 1 < probe.healthy_threshold:
            return replace(self, streak=self.streak + 1)
        return Health("healthy", "", "", 0, ever_healthy=True)

    def _worse(self, outcome: Outcome, threshold: int) -> Health:
        if self.streak + 1 >= threshold:
            return self._condemned(outcome)
        return replace(self, streak=self.streak + 1)

    def _condemned(self, outcome: Outcome) -> Health:
        return Health("unhealthy", outcome.reason, outcome.description, 0, self.ever_healthy)


def vanished(health: Health, because: str) -> Health:
    """It cannot answer: no need to wait for checks to fail."""
    return Health("unhealthy", FAILED, f"Health checks failed: {because}", 0, health.ever_healthy)


def matches(matcher: str, status: int) -> bool:
    """`200`, `200,202` or `200-399`."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= status <= int(high or low):
            return True
    return False
