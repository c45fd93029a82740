"""Why a deployment does not go on."""

from __future__ import annotations

from pavedroad.core.errors import Conflict, DeployFailed


class NotUp(DeployFailed):
    """The new server group did not come up; `console` is what one of its instances wrote last."""

    def __init__(self, sentence: str, *, console: str = "", next_step: str | None = None) -> None:
        super().__init__(sentence, next_step=next_step)
        self.console = console


class Cancelled(Conflict):
    """Someone cancelled the deployment."""

    code = "cancelled"


class StepRefused(DeployFailed):
    """What a step refused, as it was kept: `why` is the code of the error it was."""

    def __init__(self, sentence: str, *, next_step: str | None, why: str, console: str) -> None:
        super().__init__(sentence, next_step=next_step)
        self.why = why
        self.console = console
