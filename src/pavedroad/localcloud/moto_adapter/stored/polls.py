# pyright: basic, reportAttributeAccessIssue=false, reportPrivateImportUsage=false
"""Polls of SWF answer at once: moto sleeps until there is something, with everything locked."""

from __future__ import annotations

import moto.swf.models


def install() -> None:
    moto.swf.models.sleep = lambda _seconds: None
