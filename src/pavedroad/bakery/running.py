"""Build steps as processes: their words as progress, a time limit, and an environment of their own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery import leash
from pavedroad.core.errors import BakeFailed

Report = Callable[[str], None]

_LAST_LINES = 20
_LONGEST_LINE = 1000
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What package clients need to find programs, their caches, the index and its certificates.
_LET_THROUGH = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TZ",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "PIP_CERT",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_CONFIG_FILE",
        "UV_CACHE_DIR",
        "UV_CONFIG_FILE",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_INDEX_STRATEGY",
        "UV_NATIVE_TLS",
        "UV_SYSTEM_CERTS",
        "UV_OFFLINE",
        "UV_LINK_MODE",
        "UV_CONCURRENT_DOWNLOADS",
        "UV_HTTP_TIMEOUT",
    }
)


def build_environment(given: Mapping[str, str], **more: str) -> dict[str, str]:
    """Of `given`, what builds may see, and `more`."""
    passed = {
        name: text
        for name, text in given.items()
        if name.upper() in _LET_THROUGH or name.lower().startswith("npm_config_")
    }
    return {"PATH": _PATH, **passed, **more}


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs steps in `folder`; `time_limit` is in seconds, for each."""

    folder: Path
    environment: dict[str, str]
    report: Report
    time_limit: float

    async def run(
        self,
        what: str,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        path: Sequence[str] = (),
        noise: re.Pattern[str] | None = None,
    ) -> str:
        """What the program wrote. `path` goes before PATH. Raises BakeFailed with its last lines.

        Lines that match `noise` are no progress, and are not reported.
        """
        environment = dict(self.environment)
        environment["PATH"] = os.pathsep.join([*path, environment["PATH"]])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(leash.__file__), *arguments),
            cwd=folder or self.folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = _Said(self.report, noise)
        try:
            async with asyncio.timeout(self.time_limit):
                await said.listen(process.stdout)
                status = await process.wait()
        except TimeoutError:
            limit = f"{self.time_limit:g} seconds"
            raise BakeFailed(f"{what} took longer than {limit} and was stopped.{said.ending()}") from None
        finally:
            if process.stdin is not None:
                process.stdin.close()  # the leash: whatever still runs ends now
            await process.wait()
        if status != 0:
            raise BakeFailed(f"{what} failed: it ended with status {status}.{said.ending()}")
        return said.text()


class _Said:
    """The lines of a program, each reported as it comes."""

    def __init__(self, report: Report, noise: re.Pattern[str] | None) -> None:
        self._report = report
        self._noise = noise
        self._lines: deque[str] = deque(maxlen=1000)

    async def listen(self, stream: asyncio.StreamReader | None) -> None:
        rest = b""
        while stream is not None and (chunk := await stream.read(65536)):
            *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            rest = rest[-_LONGEST_LINE:]
            for line in lines:
                self._hear(line)
        self._hear(rest)

    def _hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()[:_LONGEST_LINE]
        if text:
            self._lines.append(text)
            if not (self._noise and self._noise.search(text)):
                self._report(text)

    def text(self) -> str:
        return "\n".join(self._lines)

    def ending(self) -> str:
        last = list(self._lines)[-_LAST_LINES:]
        return " Its last lines:\n" + "\n".join(last) if last else ""
