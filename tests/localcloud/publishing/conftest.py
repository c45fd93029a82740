"""A bench of load balancers in the session's cloud."""

from __future__ import annotations

from tests.localcloud.balancing.conftest import bench

__all__ = ["bench"]
