"""A small load of requests over keep-alive connections, counted by the version that answered."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CONNECTIONS = 4
_PAUSE = 0.002
_TIMEOUT = 10.0


class Load:
    """While it is entered, clients ask `url` again and again, and read the header `X-Version`."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._counting = threading.Lock()
        self._versions: Counter[str] = Counter()
        self._failed = 0
        self._latest = ""
        self._ending = threading.Event()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(_CONNECTIONS)]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for client in self._clients:
            client.join(_TIMEOUT)

    @property
    def failed(self) -> int:
        return self._failed

    @property
    def latest(self) -> str:
        """The version that answered last."""
        return self._latest

    def counts(self) -> str:
        """`1.0.0: 1,204 requests, 2.0.0: 310 requests, 0 failed`."""
        with self._counting:
            parts = [f"{version}: {count:,} requests" for version, count in sorted(self._versions.items())]
            return ", ".join([*parts, f"{self._failed:,} failed"])

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        while not self._ending.wait(_PAUSE):
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                self._count(answer.headers.get("X-Version", "?") if answer.status == 200 else None)
            except (OSError, http.client.HTTPException):
                connection.close()
                self._count(None)
        connection.close()

    def _count(self, version: str | None) -> None:
        with self._counting:
            if version is None:
                self._failed += 1
            else:
                self._versions[version] += 1
                self._latest = version
