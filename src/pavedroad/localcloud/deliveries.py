"""Notifications on their way to HTTP endpoints: in threads of their own, tried again with patience."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

_log = logging.getLogger(__name__)

THREADS = 8
THREADS_AN_ENDPOINT = 2
"""So that a slow endpoint never holds up the others."""
MOST_WAITING = 10_000
ATTEMPT_SECONDS = 15.0
RETRY_AFTER = (1.0, 20.0, 20.0, 20.0)
"""AWS tries three times more, twenty seconds apart; the first of ours is sooner, since endpoints here start
together with those who call them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    url: str
    headers: Mapping[str, str]
    body: bytes


class Deliveries:
    """`send` returns at once. Threads are started at the first delivery, and end with the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, int, Delivery]] = []
        """When, order, how often it was tried."""
        self._order = itertools.count()
        self._busy: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0

    def send(self, delivery: Delivery) -> None:
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                _log.warning("Too many notifications wait; one to %s is dropped.", _place(delivery.url))
                return
            self._put(0.0, 0, delivery)

    def _put(self, after: float, tried: int, delivery: Delivery) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + after, next(self._order), tried, delivery))
        if not self._idle and self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="deliveries", daemon=True).start()
        self._changed.notify()

    def _work(self) -> None:
        with httpx.Client(timeout=ATTEMPT_SECONDS, trust_env=False) as client:
            while True:
                tried, delivery = self._next()
                place = _place(delivery.url)
                try:
                    failure = _attempt(client, delivery)
                finally:
                    with self._changed:
                        self._busy[place] -= 1
                        if not self._busy[place]:
                            del self._busy[place]
                        self._changed.notify()
                if failure is None:
                    continue
                with self._changed:
                    if tried < len(RETRY_AFTER):
                        self._put(RETRY_AFTER[tried], tried + 1, delivery)
                    else:
                        _log.warning("A notification could not be delivered to %s: %s", place, failure)

    def _next(self) -> tuple[int, Delivery]:
        with self._changed:
            self._idle += 1
            try:
                while True:
                    wait = self._take()
                    if isinstance(wait, tuple):
                        return wait
                    self._changed.wait(wait)
            finally:
                self._idle -= 1

    def _take(self) -> tuple[int, Delivery] | float:
        """What is due and may go; else how long to wait."""
        now = time.monotonic()
        held: list[tuple[float, int, int, Delivery]] = []
        found: tuple[int, Delivery] | None = None
        while found is None and self._waiting and self._waiting[0][0] <= now:
            entry = heapq.heappop(self._waiting)
            if self._busy[_place(entry[3].url)] < THREADS_AN_ENDPOINT:
                self._busy[_place(entry[3].url)] += 1
                found = entry[2], entry[3]
            else:
                held.append(entry)
        for entry in held:
            heapq.heappush(self._waiting, entry)
        if found:
            return found
        later = [entry[0] for entry in self._waiting[:1] if entry[0] > now]
        return max(later[0] - now, 0.01) if later else 60.0 if not held else 1.0


def _attempt(client: httpx.Client, delivery: Delivery) -> str | None:
    """Why it failed; None where it did not, or where trying again is of no use."""
    try:
        answer = client.post(delivery.url, content=delivery.body, headers=dict(delivery.headers))
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        _log.warning("A notification has no endpoint to go to: %s", error)
        return None
    except (httpx.HTTPError, ValueError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    if answer.is_success:
        return None
    if 400 <= answer.status_code < 500 and answer.status_code != 429:
        _log.warning("%s refused a notification: %s", _place(delivery.url), answer.status_code)
        return None
    return f"it answered {answer.status_code}"


def _place(url: str) -> str:
    """Scheme, host and port: paths and queries may hold secrets."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "an invalid address"
    return f"{parsed.scheme}://{parsed.netloc.decode('latin-1').rpartition('@')[2]}"
