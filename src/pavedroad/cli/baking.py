"""From a folder to an image: packed here, baked by the platform, its lines shown as they come."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from pavedroad.cli.client import Client
from pavedroad.cli.story import Story
from pavedroad.manifest.model import Manifest


def bake_folder(
    client: Client,
    folder: Path,
    manifest: Manifest,
    story: Story,
    *,
    version: str | None = None,
    rebake: bool = False,
) -> dict[str, Any]:
    """Bake a folder; gives the result, or raises with the build's last lines told."""
    raise NotImplementedError


def source_commit(folder: Path) -> str | None:
    """The commit that the folder is at, marked when it has changes; None outside of git."""
    head = _git(folder, "rev-parse", "--short=12", "HEAD")
    if not head:
        return None
    return f"{head}-dirty" if _git(folder, "status", "--porcelain", "--", ".") else head


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
