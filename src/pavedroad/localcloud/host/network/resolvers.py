"""The machine's DNS servers, which instances have too."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_NAMESERVER = re.compile(r"^nameserver\s+([\d.]+)\s*$", re.MULTILINE)


def resolvers() -> list[str]:
    with suppress(OSError):
        return _NAMESERVER.findall(Path("/etc/resolv.conf").read_text())
    return []
