"""Whether files hold what their digests name: counted once, and again when changed, or after an hour."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pavedroad.localcloud.errors import ServiceError

_AT_ONCE = 2
_TRUSTED_SECONDS = 3600.0
_PIECE = 1 << 20

Mark = tuple[int, int, int, int]
"""Of a file as it is: another one, or one that was written to, has another."""


@dataclass(frozen=True, slots=True)
class Damage:
    """`why` reads on from the path: "is missing"."""

    path: Path
    why: str
    mark: Mark | None


class DamagedContents(ServiceError):
    """As S3 says it; where the file is, only the cloud's health says."""

    def __init__(self) -> None:
        super().__init__(
            "InternalError", "The object's contents are damaged: the cloud's health names the file.", 500
        )


class Integrity:
    """Of files that never change, each by the digest of what it was written with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sound: dict[str, tuple[Mark, float]] = {}
        self._damaged: dict[str, Damage] = {}
        self._counting: dict[str, Future[None]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, "integrity")

    def written(self, digest: str, status: os.stat_result) -> None:
        """It is what was counted while it was written."""
        with self._lock:
            self._sound[digest] = (_mark(status), time.monotonic())
            self._damaged.pop(digest, None)

    def is_sound(self, digest: str, path: Path) -> bool:
        """Whether that is known already."""
        return self._is_sound(digest, _mark_at(path))

    def lost(self, digest: str, path: Path, error: OSError) -> DamagedContents:
        missing = isinstance(error, FileNotFoundError)
        why = "is missing" if missing else f"cannot be read ({error.strerror})"
        return self._blame(digest, Damage(path, why, _mark_at(path)))

    def compare(self, digest: str, size: int, path: Path) -> None:
        """Its size alone; `DamagedContents` where that is another, or nothing is there."""
        try:
            status = path.stat()
        except OSError as error:
            raise self.lost(digest, path, error) from error
        if status.st_size != size:
            raise self._blame(digest, _of_another_size(path, status, size))

    def admit(self, digest: str, size: int, path: Path, descriptor: int) -> None:
        """An opened file, whose counting begins where it is due. `DamagedContents` for what is known to be
        damaged, or is of another size."""
        status = os.fstat(descriptor)
        mark = _mark(status)
        if status.st_size != size:
            raise self._blame(digest, _of_another_size(path, status, size))
        sound = self._is_sound(digest, mark)
        with self._lock:
            if sound:
                self._damaged.pop(digest, None)
                return
            known = self._damaged.get(digest)
            if known is not None and known.mark == mark:
                raise DamagedContents
            if digest not in self._counting:
                count = partial(self._count, digest, path, os.dup(descriptor))
                self._counting[digest] = self._pool.submit(count)

    def demand(self, digest: str) -> None:
        """Return once it is known to be sound; `DamagedContents` where it is not."""
        with self._lock:
            counting = self._counting.get(digest)
        if counting is not None:
            counting.result()
        with self._lock:
            if digest in self._damaged:
                raise DamagedContents

    def damages(self) -> dict[str, Damage]:
        """By digest; without those whose file has been replaced since."""
        with self._lock:
            found = dict(self._damaged)
        for digest, damage in found.items():
            if _mark_at(damage.path) != damage.mark:
                with self._lock:
                    if self._damaged.get(digest) == damage:
                        del self._damaged[digest]
        with self._lock:
            return dict(self._damaged)

    def keep_only(self, digests: Collection[str]) -> None:
        with self._lock:
            for known in (self._sound, self._damaged):
                for digest in known.keys() - set(digests):
                    del known[digest]

    def _is_sound(self, digest: str, mark: Mark | None) -> bool:
        with self._lock:
            known = self._sound.get(digest)
        return known is not None and known[0] == mark and time.monotonic() - known[1] < _TRUSTED_SECONDS

    def _count(self, digest: str, path: Path, descriptor: int) -> None:
        mark = None
        try:
            mark = _mark(os.fstat(descriptor))
            counted, at = hashlib.sha256(), 0
            while piece := os.pread(descriptor, _PIECE, at):
                counted.update(piece)
                at += len(piece)
            why = "" if counted.hexdigest() == digest else "does not hold what was put"
        except OSError as error:
            why = f"cannot be read ({error.strerror})"
        finally:
            os.close(descriptor)
        with self._lock:
            self._counting.pop(digest, None)
            if mark is not None and not why:
                self._sound[digest] = (mark, time.monotonic())
                self._damaged.pop(digest, None)
            else:
                self._damaged[digest] = Damage(path, why, mark)

    def _blame(self, digest: str, damage: Damage) -> DamagedContents:
        with self._lock:
            self._damaged[digest] = damage
        return DamagedContents()


def _of_another_size(path: Path, status: os.stat_result, size: int) -> Damage:
    return Damage(path, f"has {status.st_size} bytes and not {size}", _mark(status))


def _mark(status: os.stat_result) -> Mark:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _mark_at(path: Path) -> Mark | None:
    try:
        return _mark(path.stat())
    except OSError:
        return None
