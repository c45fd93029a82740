"""The running platform, by the name under which other tests import it."""

from __future__ import annotations

from tests.running_platform import Platform

__all__ = ["Platform"]
