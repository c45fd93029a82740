"""Following a deployment to its end, over restarts of the control process."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from pavedroad.cli.client import Client, segment
from pavedroad.cli.screen import note, say
from pavedroad.cli.story import Story
from pavedroad.core.errors import DeployFailed, Unavailable

_PATIENCE = 120.0
_PAUSE = 0.5
_FINISHED = "finished"


def follow_deployment(client: Client, deployment_id: str, story: Story) -> dict[str, Any]:
    """Tell its progress; gives the deployment as it ended. Ctrl-C leaves it going on, and says so."""
    try:
        return _followed(client, deployment_id, story)
    except KeyboardInterrupt:
        note(
            f"\nThe deployment goes on without you. Follow it: paved deployments {deployment_id} --follow. "
            f"Cancel it: paved cancel {deployment_id}"
        )
        raise


def _followed(client: Client, deployment_id: str, story: Story) -> dict[str, Any]:
    told = 0
    lost_at: float | None = None
    while True:
        try:
            for event in client.follow(f"/v1/deployments/{segment(deployment_id)}/events"):
                lost_at = None
                if event.name == _FINISHED:
                    return event.data
                if event.data["number"] > told:
                    told = event.data["number"]
                    _tell(story, event.data)
        except Unavailable:
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > _PATIENCE:
                raise
            story.moving("the platform does not answer; the deployment goes on when it is back")
        time.sleep(_PAUSE)


def outcome(deployment: dict[str, Any]) -> dict[str, Any]:
    """The deployment if it succeeded, else `DeployFailed` with its reason."""
    if deployment["phase"] == "succeeded":
        return deployment
    if deployment["phase"] == "cancelled":
        raise DeployFailed(f"The deployment of {deployment['cluster']} was cancelled; nothing has changed.")
    raise DeployFailed(
        deployment["error"] or f"The deployment of {deployment['cluster']} failed.",
        next_step=f"Correct it and deploy again. What served before still serves; "
        f"`paved logs {deployment['cluster']}` shows it.",
    )


def tell_end(ended: dict[str, Any], *, quiet: bool) -> None:
    """The address, or why there is none with the console's last lines."""
    if ended["console"] and not quiet:
        note(f"The last lines of the console of {ended['server_group']}:")
        for line in ended["console"].splitlines():
            note(f"  {line}")
    outcome(ended)
    if not quiet:
        say(f"{ended['server_group']} serves version {ended['version']}: {ended['url']}")


def _tell(story: Story, progress: dict[str, Any]) -> None:
    if progress["phase"] == "waiting":
        until = progress.get("until")
        story.moving(progress["sentence"], until and datetime.fromisoformat(until))
    else:
        story.line(progress["sentence"])
