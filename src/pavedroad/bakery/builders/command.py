"""A command of the user's: what it leaves in the work folder is what is shipped."""

from __future__ import annotations

from pavedroad.bakery.builders.bench import Bench
from pavedroad.bakery.model import Built


async def build(bench: Bench) -> Built:
    """Without a command the files are shipped as they are."""
    if bench.build.command:
        bench.report(f"Running {bench.build.command}")
        await bench.runners.own.run(f"`{bench.build.command}`", ["/bin/sh", "-c", bench.build.command])
    return Built(programs=("node_modules/.bin",) if (bench.work / "node_modules/.bin").is_dir() else ())
