"""Layers of images in the host's store: whole, fetched again where not, gone when nothing names them."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pavedroad.localcloud.api.ec2.images import Manifest, Objects, StoredLayer, read_manifest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.state import State
from pavedroad.localcloud.watch import Watch

_CHUNK = 2**20
_FILE = re.compile(r"(?P<damaged>\.damaged-)?(?P<name>[0-9a-f]{64})\.tar\.zst")
_COMING = ".coming-"
_RESYNC = 2.0
_COLLECT_EVERY = 5.0
_AGAIN_AFTER = 60.0
"""Where an image's layers could not be fetched: a full disk gets room, an object comes back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registered:
    """An image that is registered: where its manifest is, and the digests of its layers."""

    account: str
    location: str
    digests: tuple[str, ...]


class LayerStore:
    """`<folder>/<hex>.tar.zst`: every layer that an image names, checked against its digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        """Of images that are being registered."""
        self._checked: dict[str, tuple[int, int, int]] = {}
        """Files that were found whole, as they were then."""
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_COMING}*"):
            left.unlink(missing_ok=True)

    @contextmanager
    def holding(self, manifest: Manifest | None) -> Generator[None]:
        """Its layers are not collected meanwhile. Not to be left with the state's lock held."""
        digests = [stored.layer.digest for stored in manifest.layers] if manifest else []
        with self._lock:
            self._held.update(digests)
        try:
            yield
        finally:
            with self._lock:
                self._held.subtract(digests)
                self._held += Counter()

    def fetch(self, objects: Objects, account: str, manifest: Manifest) -> None:
        """Copy what is not there whole. Nothing is left half done."""
        for stored in manifest.layers:
            target = self._file(stored.layer.digest)
            if self._is_whole(target, stored.layer.digest):
                continue
            source = objects.open(account, manifest.bucket, stored.key)
            if source is None:
                raise ServiceError(
                    "InvalidManifest", f"There is no layer at '{manifest.bucket}/{stored.key}'."
                )
            with source:
                self._copy(source, target, stored)

    def present(self) -> set[str]:
        """Digests of what is there, and of what was set aside as damaged."""
        return {digest for digest, _ in self._files()}

    def has(self, digest: str) -> bool:
        return self._file(digest).is_file()

    def collect(self, named: Callable[[], Collection[str] | None]) -> None:
        """Remove what is not `named`, which is asked while nothing can come in; None says to leave all."""
        with self._lock:
            kept = named()
            if kept is None:
                return
            for digest, file in self._files():
                if digest not in kept and digest not in self._held:
                    file.unlink(missing_ok=True)
                    self._checked.pop(digest, None)

    def _files(self) -> Iterable[tuple[str, Path]]:
        for name in os.listdir(self._folder):
            if match := _FILE.fullmatch(name):
                yield f"sha256:{match['name']}", self._folder / name

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}.tar.zst"

    def _is_whole(self, file: Path, digest: str) -> bool:
        """Its bytes are looked at once, until it changes."""
        try:
            with file.open("rb") as content:
                status = os.fstat(content.fileno())
                mark = status.st_ino, status.st_size, status.st_mtime_ns
                if self._checked.get(digest) == mark:
                    return True
                found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        except FileNotFoundError:
            return False
        if found == digest:
            self._checked[digest] = mark
            return True
        _log.warning("The layer %s was damaged, and is fetched again", digest)
        file.replace(_aside(file))
        return False

    def _copy(self, source: BinaryIO, target: Path, stored: StoredLayer) -> None:
        found = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=_COMING)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                while chunk := source.read(_CHUNK):
                    found.update(chunk)
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
            if f"sha256:{found.hexdigest()}" != stored.layer.digest:
                raise ServiceError(
                    "InvalidManifest",
                    f"The layer at '{stored.key}' has the digest sha256:{found.hexdigest()}, "
                    f"not {stored.layer.digest}.",
                )
            Path(name).replace(target)
            _aside(target).unlink(missing_ok=True)
        except OSError as error:
            raise ServiceError(
                "InsufficientCapacity", f"The layer could not be kept: {error.strerror}.", 500
            ) from error
        finally:
            Path(name).unlink(missing_ok=True)


def _aside(file: Path) -> Path:
    """Where a damaged one goes, here and in the host, until a whole one has come."""
    return file.with_name(f".damaged-{file.name}")


class LayerUpkeep:
    """Level-triggered: what registered images name is there, and what nothing names is not."""

    def __init__(
        self,
        state: State,
        store: LayerStore,
        objects: Objects,
        *,
        registered: Callable[[], list[Registered]],
        in_use: Callable[[], set[str] | None],
        saved: Callable[[], int],
    ) -> None:
        """`in_use` gives the layers of instances, whose images may be gone; None while one becomes an image.
        Both are asked with the state's lock held. `saved` gives the state's revision that is on disk."""
        self._state = state
        self._store = store
        self._objects = objects
        self._registered = registered
        self._in_use = in_use
        self._saved = saved
        self._collect_at = 0.0
        self._unnamed: dict[str, int] = {}
        """Layers that nothing names, and the state's revision when that was first seen."""
        self._not_before: dict[str, float] = {}
        """Locations from which something could not be fetched again, and when to try the next time."""
        self._watch = Watch("layers", state, self.step, resync=lambda: _RESYNC, least_rest=1.0)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        with self._state.lock:
            registered = self._registered()
        locations = {image.location for image in registered}
        self._not_before = {it: at for it, at in self._not_before.items() if it in locations}
        for image in registered:
            if not all(map(self._store.has, image.digests)):
                self._fetch_again(image)
        named = {digest for image in registered for digest in image.digests}
        if time.monotonic() >= self._collect_at and self._store.present() - named:
            self._collect_at = time.monotonic() + _COLLECT_EVERY  # it looks through all instances
            self._store.collect(self._named)

    def _named(self) -> set[str] | None:
        with self._state.lock:
            in_use = self._in_use()
            if in_use is None:
                return None
            named = in_use.union(*(image.digests for image in self._registered()))
            revision = self._state.revision
        self._unnamed = {
            digest: self._unnamed.get(digest, revision) for digest in self._store.present() - named
        }
        # A state that still names them may be what the next process begins with.
        return named | {digest for digest, since in self._unnamed.items() if since > self._saved()}

    def _fetch_again(self, image: Registered) -> None:
        if self._not_before.get(image.location, 0.0) > time.monotonic():
            return
        try:
            with self._state.lock:
                manifest = read_manifest(self._objects, image.account, image.location)
            with self._store.holding(manifest):
                self._store.fetch(self._objects, image.account, manifest)
        except ServiceError as error:
            _log.warning("The layers of %s cannot be fetched again: %s", image.location, error)
            self._not_before[image.location] = time.monotonic() + _AGAIN_AFTER
