"""The load balancers: a real Envoy, told over gRPC what to serve, and the health probes that steer it."""

from __future__ import annotations

import os

# gRPC reads it when imported. What the host forks executes at once, so there is nothing to prepare: else
# gRPC stops its threads before a fork, and starts them in the child, which may never come to execute.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
