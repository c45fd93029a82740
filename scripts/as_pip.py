"""Runs a command of pip or uv as pip is set up here: `COMMAND ARGUMENT...`.

uv is told what pip is told, and both are told the system's certificates where nothing else is said. What UV_*
says stays. All of it goes by the environment: a list of processes shows no password."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))  # nothing is installed yet

from pavedroad.bakery.as_pip import settings, told

_PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")
_UNREACHABLE = re.compile(
    r"client error \(Connect\)|dns error|lookup|Connection refused|timed out|NewConnectionError|unreachable"
    r"|Max retries|Connection broken|No route|connection closed|Could not connect to proxy",
    re.IGNORECASE,
)


def main() -> None:
    """Runs it; where there is no network, once more with what is kept. Says what to set when it fails."""
    command = sys.argv[1:]
    pip = settings(os.environ)
    environment = {**os.environ, **told(pip, os.environ)}
    if Path(command[0]).name == "uv" and pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        command.append("--no-index")
    status, words = _run(command, environment)
    away = status != 0 and _UNREACHABLE.search(words)
    if away and Path(command[0]).name == "uv" and "compile" not in command:
        sys.stderr.write("The package index cannot be reached: taking what is kept of it.\n")
        status, _ = _run(command, environment | {"UV_OFFLINE": "true"})
    if status == 0:
        return
    sys.stderr.write(_PASSWORD.sub("****@", words))
    sys.exit(_what_to_set(words) or status)


def _what_to_set(words: str) -> str:
    """For what a command said when it failed; empty where it is nothing of settings."""

    def said(pattern: str) -> bool:
        return re.search(pattern, words, re.IGNORECASE) is not None

    if said(r"\b407\b|proxy authentication|proxy authorization"):
        return "The proxy asks who you are: export HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT."
    if said(r"certificate|UnknownIssuer|SSLError"):
        return (
            "The package index shows a certificate that nobody known here has signed. Name the file of your "
            "company's authority: pip config set global.cert /path/to/ca.pem (or export PIP_CERT=..., which "
            "uv is told too), or add it to the system's certificates."
        )
    if said(r"\b40[13]\b|unauthorized|forbidden|credentials"):
        return (
            "The package index asks who you are: put the user and the password into ~/.netrc, or into the "
            "index's address: pip config set global.index-url https://USER:PASSWORD@HOST/simple."
        )
    if _UNREACHABLE.search(words):
        return (
            "The package index cannot be reached. Behind a proxy: export HTTPS_PROXY=http://HOST:PORT. With "
            "an index of your own: pip config set global.index-url https://HOST/simple (or export "
            "PIP_INDEX_URL=...). Without a network: set up once with one; what it fetched is kept and taken."
        )
    if said(r"No solution found|No matching distribution|not found in the"):
        return (
            "The package index lacks what requirements.lock names. Name one that has all of PyPI beside it: "
            "pip config set global.extra-index-url https://HOST/simple (or export PIP_EXTRA_INDEX_URL=...)."
        )
    return ""


def _run(command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    ran = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode == 0:
        sys.stderr.write(_PASSWORD.sub("****@", ran.stdout))
    return ran.returncode, ran.stdout


if __name__ == "__main__":
    main()
