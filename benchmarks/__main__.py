"""All figures in one go: `python -m benchmarks`. Each is a program of its own too.

With `--small` each is only seen to work, in a size whose figures mean nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import NamedTuple


class Figure(NamedTuple):
    title: str
    program: str
    """A module of this folder."""
    small: tuple[str, ...] = ()
    """The options by which it is soon at its end."""

    def command(self, *, small: bool) -> list[str]:
        options = self.small if small else ()
        return [sys.executable, "-m", f"benchmarks.{self.program}", *options]


FIGURES = (
    Figure("Flips under load, beside nginx and HAProxy", "flips", ("--flips", "2")),
    Figure(
        "DescribeInstances at 1,000 instances, beside moto",
        "describe_instances",
        ("--instances", "20", "--seconds", "0.1"),
    ),
    Figure("1,000 instances in nine zones", "scale", ("--instances", "9", "--rest", "1")),
    Figure("Controllers at up to 100,000 instances", "controllers", ("--sizes", "100")),
    Figure("The longest holds of the cloud's lock, by operation", "lock_holds", ("--size", "3")),
    Figure("A zone lost under load", "zone_loss", ("--instances", "3", "--connections", "4")),
    Figure("Bakes", "bake", ("--only", "requirements")),
    Figure("Deploy, rollback, a killed instance", "shipping"),
    Figure(
        "A million datapoints",
        "metrics",
        ("--datapoints", "10000", "--metrics", "100", "--instances", "10"),
    ),
    Figure("Memory of `paved up`", "memory"),
    Figure("From a clone to the first service", "first_service", ("--warm",)),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    failed: list[str] = []
    for figure in FIGURES:
        print(f"\n{figure.title}\n", flush=True)
        if subprocess.run(figure.command(small=small), check=False).returncode:
            failed.append(figure.program)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
