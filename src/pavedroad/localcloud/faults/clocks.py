"""Another time for the programs of one instance, by libfaketime: it is loaded before them where they are
linked dynamically."""

from __future__ import annotations

from pathlib import Path

_PLACES = (
    "usr/lib/*/faketime/libfaketimeMT.so.1",
    "usr/lib/faketime/libfaketimeMT.so.1",
    "usr/lib64/faketime/libfaketimeMT.so.1",
    "usr/local/lib/faketime/libfaketimeMT.so.1",
)
"""The one for programs with threads, which serves the others too."""


def library(root: Path = Path("/")) -> Path | None:
    """Where this machine has it."""
    return next((found for place in _PLACES for found in sorted(root.glob(place))), None)


def skewed(environment: dict[str, str], seconds: float) -> dict[str, str]:
    """An environment whose programs see the wall clock off by so much; their time-outs and the times of
    files are the machine's. As it is where the library is gone."""
    found = library()
    if found is None:
        return environment
    loaded = environment.get("LD_PRELOAD", "")
    return {
        **environment,
        "LD_PRELOAD": f"{found} {loaded}".strip(),
        "FAKETIME": f"{seconds:+.3f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
