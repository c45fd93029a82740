"""Runs a command of pip or uv as pip is set up here: `COMMAND ARGUMENT...`.

pip reads its settings from its files and PIP_*, uv none of them: behind a company's proxy, with an index and
a certificate authority of its own, one works and the other ends with `invalid peer certificate`. So uv is
told what pip is told, and both are told the system's certificates where nothing else is said. What UV_* says
stays. All of it goes by the environment: a list of processes shows no password."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")
_UNREACHABLE = re.compile(
    r"client error \(Connect\)|dns error|lookup|Connection refused|timed out|NewConnectionError|unreachable"
    r"|Max retries|Connection broken|No route|connection closed|Could not connect to proxy",
    re.IGNORECASE,
)


def settings() -> dict[str, str]:
    """pip's own, by name: of its files, of its command `install`, of PIP_*, each before the ones before."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def told(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment lacks for pip and uv to fetch alike."""
    said: dict[str, str] = {}
    if index := pip.get("index-url"):
        said["UV_DEFAULT_INDEX"] = index
    if "UV_INDEX_URL" in environment:
        said.pop("UV_DEFAULT_INDEX", None)
    if (more := pip.get("extra-index-url", "").split()) and "UV_EXTRA_INDEX_URL" not in environment:
        # As pip does, the best of all indexes; which file that may be is said by its hash.
        said |= {"UV_INDEX": " ".join(more), "UV_INDEX_STRATEGY": "unsafe-best-match"}
    if links := pip.get("find-links", "").split():
        said["UV_FIND_LINKS"] = ",".join(links)
    if hosts := pip.get("trusted-host", "").split():
        said["UV_INSECURE_HOST"] = " ".join(hosts)
    if (keyring := pip.get("keyring-provider")) in {"subprocess", "disabled"}:
        said["UV_KEYRING_PROVIDER"] = keyring
    if seconds := pip.get("timeout") or pip.get("default-timeout"):
        said["UV_HTTP_TIMEOUT"] = str(int(float(seconds)))
    if identity := pip.get("client-cert"):
        said["SSL_CLIENT_CERT"] = identity
    if proxy := pip.get("proxy"):
        url = proxy if "://" in proxy else f"http://{proxy}"
        said |= {name: url for name in ("HTTPS_PROXY", "HTTP_PROXY") if not environment.get(name.lower())}
    said |= _certificates(pip, environment)
    return {name: value for name, value in said.items() if not environment.get(name)}


def _certificates(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    requests = environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")
    named = pip.get("cert") or environment.get("SSL_CERT_FILE") or requests
    if named and Path(named).is_dir():
        return {"SSL_CERT_DIR": named}
    if named:
        return {"SSL_CERT_FILE": named, "PIP_CERT": named}
    system = next((bundle for bundle in _BUNDLES if Path(bundle).is_file()), None)
    return {"UV_SYSTEM_CERTS": "true", "PIP_CERT": system} if system else {}


def main() -> None:
    """Runs it; where there is no network, once more with what is kept. Says what to set when it fails."""
    command = sys.argv[1:]
    pip = settings()
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
