"""The API process's side of the socket to the host: keeps `Wanted` there, and `Actual` here.

Two threads work on differences alone: one sends what has changed since the host last took something, the
other follows what the host reports. Whichever side starts anew, both meet again by themselves: a host with
another epoch is told everything, and tells everything.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.api.unix_http import UnixConnection
from pavedroad.localcloud.codec import DecodeError
from pavedroad.localcloud.measured import Measurements
from pavedroad.localcloud.wanted import (
    WIRE,
    Actual,
    ActualChange,
    Front,
    Guest,
    Pool,
    SecurityGroup,
    Wanted,
    WantedChange,
)

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 20.0
_ANSWER_SECONDS = 30.0
_LAYER_SECONDS = 600.0
_RETRY_SECONDS = 0.1
_REFUSED_SECONDS = 1.0
_TURN_SECONDS = 3.0
"""Longer than Envoy takes to start again after it has died."""

Follower = Callable[[ActualChange], None]


class HostUnavailable(Unavailable):
    """The host process does not answer, or does not do what was asked in time; the text says which."""


@dataclass(slots=True)
class _Dirty:
    """The keys of what the host has not been told yet."""

    guests: set[str] = field(default_factory=set[str])
    pools: set[str] = field(default_factory=set[str])
    fronts: set[str] = field(default_factory=set[str])
    groups: set[str] = field(default_factory=set[str])

    def add(self, other: _Dirty) -> None:
        self.guests |= other.guests
        self.pools |= other.pools
        self.fronts |= other.fronts
        self.groups |= other.groups


class HostLink:
    """`want_guests` and `want_routing` say what should be, from any thread; `actual` says what is.

    `followers` are called from the link's own thread when there is news, with no lock held. What is in
    flight to a target, or how far Envoy has come, is no news.
    """

    def __init__(self, socket: Path) -> None:
        self.actual = ActualView()
        self.followers: list[Follower] = []
        self.failure = ""
        """Why the host cannot be told what is wanted; goes when it can."""
        self._socket = socket
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._guests: dict[str, Guest] = {}
        self._pools: dict[str, Pool] = {}
        self._fronts: dict[str, Front] = {}
        self._groups: dict[str, SecurityGroup] = {}
        self._dirty = _Dirty()
        # Begins at the clock, so that no revision of an earlier API process is ever taken for one of ours.
        self._revision = time.time_ns() // 1_000_000
        self._routing_revision = 0
        self._sent_revision = 0
        self._sent_epoch = ""
        self._closed = threading.Event()
        self._following = UnixConnection(socket, _POLL_SECONDS + _ANSWER_SECONDS)
        self._threads = [
            threading.Thread(target=self._send_forever, name="host-wanted", daemon=True),
            threading.Thread(target=self._follow_forever, name="host-actual", daemon=True),
        ]

    def start(self) -> None:
        """Speak to the host. What is wanted by now is told as all there is: it ends whatever else runs."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        self._following.hang_up()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    # What should be

    def want_guests(self, guests: Mapping[str, Guest | None]) -> int:
        """Change which guests are wanted, None taking one away; gives the revision that has the change."""
        with self._changed:
            if _merge(self._guests, guests, self._dirty.guests):
                self._revise()
            return self._revision

    def want_groups(self, groups: Mapping[str, SecurityGroup | None]) -> int:
        """Change which security groups hold, None taking one away; gives the revision that has the change."""
        with self._changed:
            if _merge(self._groups, groups, self._dirty.groups):
                self._revise()
            return self._revision

    def want_routing(self, pools: Mapping[str, Pool | None], fronts: Mapping[str, Front | None]) -> int:
        """Change what is balanced, None taking away; gives the revision to `route` on.

        What is wanted already costs nothing: then it is the last revision in which routing changed.
        """
        with self._changed:
            changed = _merge(self._pools, pools, self._dirty.pools)
            if _merge(self._fronts, fronts, self._dirty.fronts) or changed:
                self._revise()
                self._routing_revision = self._revision
            return self._routing_revision

    def taken(self, revision: int) -> bool:
        """Whether the host that reports now has been told that revision of what is wanted."""
        with self._lock:
            return self._sent_epoch == self.actual.epoch and self._sent_revision >= revision

    def _revise(self) -> None:
        self._revision += 1
        self._changed.notify_all()

    # What the host does at once

    def route(self, revision: int, seconds: float) -> None:
        """Wait until Envoy serves `revision`; `HostUnavailable` with a sentence when it does not in time, or
        when it serves no listener at all, as where it is not installed."""
        deadline = time.monotonic() + seconds
        reason = "the host process does not answer"
        while (left := deadline - time.monotonic()) > 0 and not self._closed.is_set():
            if self.actual.routed >= revision:
                return
            turn = min(left, _TURN_SECONDS)
            connection = UnixConnection(self._socket, turn + 1)
            try:
                target = f"/routes/{revision}/wait?seconds={turn:.3f}"
                status, body = connection.call("POST", target)
            except OSError:
                self._closed.wait(min(_RETRY_SECONDS, left))
                continue
            finally:
                connection.close()
            if status == 200:
                self._take_refused(body, revision)
                return
            self._take_refused(body)
            reason = self.actual.any_refusal() or _reason(body) or f"the host process answered {status}"
            if status != 504:
                self._closed.wait(min(_RETRY_SECONDS, left))
            elif self._all_refused():
                break
        raise HostUnavailable(f"The load balancers have not taken the change: {reason.rstrip('.')}.")

    def _all_refused(self) -> bool:
        with self._lock:
            return bool(self._fronts) and all(self.actual.refused(arn) for arn in self._fronts)

    def console(self, guest_id: str) -> bytes:
        """The last 64 KiB that a guest wrote; empty for one that the host does not know."""
        status, body = self._ask("GET", f"/guests/{quote(guest_id, safe='')}/console", _ANSWER_SECONDS)
        if status in (200, 404):
            return body if status == 200 else b""
        raise _refusal(status, body)

    def _ask(self, method: str, target: str, seconds: float) -> tuple[int, bytes]:
        connection = UnixConnection(self._socket, seconds)
        try:
            return connection.call(method, target)
        except OSError as error:
            raise HostUnavailable("The host process does not answer.") from error
        finally:
            connection.close()

    def make_layer(self, guest_id: str) -> str:
        """Have a layer made of a guest's disk, in the image store; its digest."""
        status, body = self._ask("POST", f"/guests/{quote(guest_id, safe='')}/layer", _LAYER_SECONDS)
        if status != 200:
            raise _refusal(status, body)
        return str(json.loads(body)["digest"])

    def measurements(self, since: float) -> Measurements:
        """What the host has counted; of guests that have ended, those since then."""
        status, body = self._ask("GET", f"/measurements?since={since!r}", _ANSWER_SECONDS)
        if status != 200:
            raise _refusal(status, body)
        try:
            return WIRE.loads(Measurements, body)
        except DecodeError as error:
            raise HostUnavailable(f"The host's measurements are not legible: {error}") from error

    def _take_refused(self, body: bytes, routed: int = 0) -> None:
        """An answer that brings `refused` with it saves the wait for the next report."""
        try:
            answer = json.loads(body)
        except ValueError:
            return
        if isinstance(answer, dict) and isinstance(refused := cast("Any", answer).get("refused"), dict):
            impaired = cast("Any", answer).get("impaired", {})
            self.actual.trouble(cast("dict[str, str]", refused), impaired, routed)

    # The thread that sends

    def _send_forever(self) -> None:
        connection = UnixConnection(self._socket, _ANSWER_SECONDS)
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(self._has_to_send, 1.0)
                if not self._has_to_send():
                    continue
            try:
                self._send(connection)
            except OSError as error:
                _LOG.debug("The host does not take what is wanted: %s", error)
                self._closed.wait(_RETRY_SECONDS)
            except Exception as error:
                _LOG.exception("What is wanted cannot be sent to the host")
                self.failure = f"What is wanted cannot be sent to the host: {type(error).__name__}: {error}."
                self._closed.wait(_REFUSED_SECONDS)
            else:
                self.failure = ""
        connection.close()

    def _has_to_send(self) -> bool:
        epoch = self.actual.epoch
        behind = self._sent_epoch != epoch or self._sent_revision != self._revision
        return self._closed.is_set() or (bool(epoch) and behind)

    def _send(self, connection: UnixConnection) -> None:
        epoch = self.actual.epoch
        with self._lock:
            revision = self._revision
            whole = self._sent_epoch != epoch
            message = self._all() if whole else self._changes(epoch)
            taken, self._dirty = self._dirty, _Dirty()
        status, body = 0, b""
        try:
            status, body = connection.call("PUT" if whole else "PATCH", "/wanted", WIRE.dumps(message))
        finally:
            with self._lock:
                if status == 200:
                    self._sent_epoch, self._sent_revision = epoch, revision
                else:
                    self._dirty.add(taken)
        if status == 409:
            with self._lock:
                self._sent_epoch = ""
            self._closed.wait(_RETRY_SECONDS)
        if status not in (200, 409):
            _LOG.error("The host does not take what is wanted: %s", _reason(body) or f"status {status}")
            self._closed.wait(_REFUSED_SECONDS)

    def _all(self) -> Wanted:
        return Wanted(
            self._revision,
            tuple(self._guests.values()),
            tuple(self._pools.values()),
            tuple(self._fronts.values()),
            tuple(self._groups.values()),
        )

    def _changes(self, epoch: str) -> WantedChange:
        return WantedChange(
            epoch,
            self._revision,
            {key: self._guests.get(key) for key in self._dirty.guests},
            {key: self._pools.get(key) for key in self._dirty.pools},
            {key: self._fronts.get(key) for key in self._dirty.fronts},
            {key: self._groups.get(key) for key in self._dirty.groups},
        )

    # The thread that follows

    def _follow_forever(self) -> None:
        while not self._closed.is_set():
            try:
                change = self._poll(self._following)
            except (OSError, DecodeError) as error:
                _LOG.debug("The host does not report: %s", error)
                self.actual.lose()
                self._closed.wait(_RETRY_SECONDS)
                continue
            if change is None:
                continue
            with self._changed:
                self._changed.notify_all()
            for follower in tuple(self.followers):
                try:
                    follower(change)
                except Exception:
                    _LOG.exception("A follower of the host's reports failed")
        self._following.close()

    def _poll(self, connection: UnixConnection) -> ActualChange | None:
        known = {"epoch": self.actual.epoch, "revision": self.actual.revision}
        query = urlencode({**known, "wait": _POLL_SECONDS, "changes": 1})
        status, body = connection.call("GET", f"/actual?{query}")
        if status != 200:
            raise ConnectionError(_reason(body) or f"status {status}")
        try:
            data = json.loads(body)
        except ValueError as error:
            raise DecodeError("The host's report is not JSON.") from error
        if isinstance(data, dict) and "gone" in data:
            return self.actual.merge(WIRE.decode(ActualChange, data))
        return self.actual.replace(WIRE.decode(Actual, data))


def _merge(known: dict[str, Any], changes: Mapping[str, Any], dirty: set[str]) -> bool:
    changed = False
    for key, value in changes.items():
        if known.get(key) == value:
            continue
        changed = True
        dirty.add(key)
        if value is None:
            del known[key]
        else:
            known[key] = value
    return changed


def _refusal(status: int, body: bytes) -> HostUnavailable:
    return HostUnavailable(_reason(body) or f"The host process answered {status}.")


def _reason(body: bytes) -> str:
    """The sentence in an error's JSON body."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    said = cast("dict[str, Any]", answer)
    return str(said.get("reason") or "")
