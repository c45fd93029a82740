"""Running `ip` and `nft`, whose orders come on their standard input."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, cast

_SECONDS = 30.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path() -> str:
    """System folders too, which a user's path may lack."""
    return ":".join([os.environ.get("PATH", ""), _PATH])


def ip(orders: list[str], *, force: bool = False) -> None:
    """All orders in one run, in the network namespace of this thread; blocks. `force` goes on after one that
    fails."""
    _run(["ip", *(["-force"] if force else []), "-batch", "-"], "\n".join(orders) + "\n", check=not force)


def nft(orders: str) -> None:
    """All orders or none; blocks."""
    _run(["nft", "-f", "-"], orders, check=True)


def addresses() -> list[str]:
    """The IPv4 addresses of the network of this thread; blocks."""
    listed = cast("list[dict[str, Any]]", json.loads(_run(["ip", "-j", "-4", "addr"], "", check=True)))
    return [it["local"] for link in listed for it in link.get("addr_info", ()) if "local" in it]


def tables() -> list[str]:
    """The names of the machine's tables of family inet; blocks."""
    listed = json.loads(_run(["nft", "-j", "list", "tables", "inet"], "", check=True))
    entries = cast("list[dict[str, Any]]", listed["nftables"])
    return [entry["table"]["name"] for entry in entries if "table" in entry]


def _run(command: list[str], orders: str, *, check: bool) -> str:
    """`OSError` with its first words where it fails."""
    try:
        done = subprocess.run(
            command,
            input=orders,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env={"PATH": search_path(), "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not end within {_SECONDS:g} s") from error
    if check and done.returncode:
        words = done.stderr.strip().splitlines() or [f"{command[0]} ended with {done.returncode}"]
        raise OSError(f"{command[0]}: {words[0]}")
    return done.stdout
