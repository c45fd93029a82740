"""Build steps as processes: their words as progress, a time limit, and an environment of their own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pavedroad
from pavedroad.bakery import as_pip
from pavedroad.core.confinement import SYSTEM_PATH, Walls, let_through, visible
from pavedroad.core.errors import BakeFailed

Report = Callable[[str], None]

_LAST_LINES = 20
_LONGEST_LINE = 1000
LEASH = "import sys; sys.path.insert(0, sys.argv.pop(1)); from pavedroad.bakery.leash import main; main()"
SOURCE = str(Path(pavedroad.__file__).parent.parent)
_SETTINGS = frozenset({"PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NPM_CONFIG_USERCONFIG"})
# What package clients need to find programs, the index and its certificates.
_LET_THROUGH = frozenset(
    {
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
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
    """Of `given`, what builds may see, and `more`. What pip is told there, uv is told too. Blocks."""
    passed = {
        name: text
        for name, text in {**given, **as_pip.told(as_pip.without_home(given), given)}.items()
        if name.upper() in _LET_THROUGH or name.lower().startswith("npm_config_")
    }
    return {"PATH": SYSTEM_PATH, **passed, **more}


@dataclass(frozen=True, slots=True)
class Room:
    """Where code that is not ours runs: its `home`, which it finds again as it left it, its temporary folder,
    and the user that it is, None for our own. Secluded, it has a view of its own of the machine's folders."""

    home: Path
    temporary: Path
    user: int | None = None
    secluded: bool = False


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs steps in `folder`; `time_limit` is in seconds, for each. Without a `room` nothing holds them, and
    they may run no code but ours and the machine's."""

    folder: Path
    environment: dict[str, str]
    report: Report
    time_limit: float
    room: Room | None = None

    def at_large(self, cache: Path) -> Runner:
        """For steps that run no code of a source or of a package: with our own home, for the settings of
        package clients in it, pip's too, and with what was fetched before. Blocks."""
        home = os.path.expanduser("~")  # noqa: PTH111 - of the user, where HOME says none
        told = as_pip.told(as_pip.settings(os.environ), os.environ)
        own = {**self.environment, **told, "HOME": home, "UV_CACHE_DIR": str(cache)}
        return replace(self, room=None, environment=own)

    async def run(
        self,
        what: str,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        path: Sequence[str] = (),
        reads: Sequence[str | Path] = (),
        writes: Sequence[Path] = (),
        noise: re.Pattern[str] | None = None,
    ) -> str:
        """What the program wrote. `path` goes before PATH. Raises BakeFailed with its last lines.

        In a room it sees the system's folders, its own and what `reads` names, and changes its own and what
        `writes` names. Lines that match `noise` are no progress, and are not reported.
        """
        environment, walls = dict(self.environment), "null"
        if (room := self.room) is not None:
            settings = await asyncio.to_thread(_settings, room)
            environment |= {"HOME": str(room.home), "TMPDIR": str(room.temporary), **settings}
            inside = Walls(
                (*map(str, reads), *let_through({**os.environ, **self.environment}), *settings.values()),
                tuple(map(str, {self.folder, folder or self.folder, room.home, room.temporary, *writes})),
            )
            environment["PATH"] = visible(environment["PATH"], inside)
            walls = json.dumps({**inside._asdict(), "user": room.user, "secluded": room.secluded})
        environment["PATH"] = os.pathsep.join([*path, environment["PATH"]])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", LEASH, SOURCE, walls, *arguments),
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
            raise BakeFailed(
                f"{what} failed: it ended with status {status}.{said.ending()}",
                next_step="Correct it and deploy again; what served before still serves.",
            )
        return said.text()


def _settings(room: Room) -> dict[str, str]:
    """By variable, the files of package clients' settings that the operator's environment names. Another user
    gets copies: such files are their owner's alone."""
    found = {name: text for name, text in os.environ.items() if name.upper() in _SETTINGS and text[:1] == "/"}
    if room.user is not None:
        for name, place in found.items():
            copy = room.temporary / name.lower()
            copy.unlink(missing_ok=True)  # the step before may have made a link of it
            shutil.copyfile(place, copy)
            found[name] = str(copy)
    return found


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
