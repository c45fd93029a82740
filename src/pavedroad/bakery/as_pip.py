"""What pip is told on this machine, told to uv, which reads none of pip's settings: behind a company's proxy,
with its own index and certificate authority, one works and the other ends with `invalid peer certificate`.

Imports nothing that has to be installed: set-up begins with it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's own, by name: of its files, of its command `install`, of PIP_*, each before the ones before."""
    return dict(_asked(frozenset(environment.items())))


def without_home(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of the machine, of PIP_* and of the file that PIP_CONFIG_FILE names: a home's are its own."""
    apart = {name: text for name, text in environment.items() if name != "XDG_CONFIG_HOME"}
    return settings(apart | {"HOME": "/nonexistent"})


@cache
def _asked(environment: frozenset[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = str(ast.literal_eval(value))
    return tuple((found["global"] | found["install"] | found[":env:"]).items())


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
