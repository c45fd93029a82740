"""What has changed, by revision: wakes the long polls, and tells each what it has not seen yet."""

from __future__ import annotations

import asyncio
import secrets


class Journal:
    """The host's epoch and its revision, and of each subject the revision that last touched it."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._revision = 1
        self._touched: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    @property
    def revision(self) -> int:
        return self._revision

    def touch(self, *subjects: str) -> None:
        """These have changed."""
        self._revision += 1
        for subject in subjects:
            self._touched[subject] = self._revision
            self._gone.pop(subject, None)
        self._wake()

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def forget(self, subject: str) -> None:
        """This is no more."""
        self._touched.pop(subject, None)
        self.touch()
        self._gone[subject] = self._revision

    def drop(self, subject: str) -> None:
        """This is no more, and nobody needs to be told."""
        self._touched.pop(subject, None)

    def touched_since(self, subject: str, revision: int) -> bool:
        return self._touched.get(subject, 0) > revision

    def gone_since(self, revision: int) -> tuple[str, ...]:
        return tuple(subject for subject, at in self._gone.items() if at > revision)

    async def after(self, revision: int, seconds: float) -> None:
        """Wait until something is newer than `revision`, at most so long."""
        if self._revision > revision or seconds <= 0 or self._closed:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=seconds)
        finally:
            self._waiting.discard(waiter)
