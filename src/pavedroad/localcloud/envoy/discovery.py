"""One conversation with an Envoy: what it has, what it should have, and what to say next.

Incremental xDS without its transport. Changes are made before they are used and broken after: clusters
and their endpoints first, then listeners and routes, removals last, each step once Envoy has answered the
one before. Nothing is queued: every step compares the newest snapshot with what Envoy has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pavedroad.localcloud.envoy.snapshot import EMPTY, Kind, Resource, Snapshot

_WILDCARD = frozenset({Kind.CLUSTER, Kind.LISTENER})


@dataclass(frozen=True, slots=True)
class Asked:
    """What Envoy says: what it follows, and how it took the response `nonce`."""

    kind: Kind
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions that it has from an earlier conversation."""
    nonce: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What we say. One resource at a time, so that a refusal has a name."""

    kind: Kind
    nonce: str
    resource: Resource | None = None
    removed: str = ""


@dataclass(slots=True)
class _Ledger:
    """What Envoy has of one kind: versions by name."""

    open: bool = False
    subscribed: set[str] = field(default_factory=set[str])
    sent: dict[str, str] = field(default_factory=dict[str, str])
    taken: dict[str, str] = field(default_factory=dict[str, str])
    refused: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def forget(self, name: str) -> None:
        for versions in (self.sent, self.taken, self.refused):
            versions.pop(name, None)

    def settled(self, wanted: Resource) -> bool:
        if self.taken.get(wanted.name) == wanted.version:
            return True
        refusal = self.refused.get(wanted.name)
        return refusal is not None and refusal[0] == wanted.version


Good = dict[tuple[Kind, str], Resource]


class Conversation:
    """`tell` sends; `progressed` is called when `served` or `refused` may have changed. `good` is what some
    Envoy has taken last: one that was started anew gets it where it refuses what is wanted now."""

    def __init__(
        self, tell: Callable[[Told], None], progressed: Callable[[], None], good: Good | None = None
    ) -> None:
        self.served = 0
        self._good: Good = {} if good is None else good
        self._tell = tell
        self._progressed = progressed
        self._wanted = EMPTY
        self._ledgers = {kind: _Ledger() for kind in Kind}
        self._unanswered: dict[str, tuple[str, Resource | None]] = {}
        self._nonces = 0

    def want(self, snapshot: Snapshot) -> None:
        self._wanted = snapshot
        self._advance()

    def hear(self, asked: Asked) -> None:
        ledger = self._ledgers[asked.kind]
        first = not ledger.open
        ledger.open = True
        if first:
            # What it has it has taken: it is not said again, so nothing else would settle it.
            ledger.sent.update(asked.known)
            ledger.taken.update(asked.known)
        ledger.subscribed.update(asked.subscribe)
        for name in asked.subscribe:
            ledger.sent.pop(name, None)
        for name in asked.unsubscribe:
            ledger.subscribed.discard(name)
            ledger.forget(name)
        self._answered(ledger, asked)
        if asked.kind in _WILDCARD:
            if first:
                self._say(asked.kind)
        else:
            self._deny(asked.kind, asked.subscribe)
        self._advance()

    def refused(self) -> dict[tuple[Kind, str], str]:
        """Envoy's own words, by what they are about."""
        return {
            (kind, name): sentence
            for kind, ledger in self._ledgers.items()
            for name, (_, sentence) in ledger.refused.items()
        }

    def retry_refused(self) -> None:
        """Say again what was refused: a port may have become free."""
        for ledger in self._ledgers.values():
            for name in ledger.refused:
                ledger.sent.pop(name, None)
        self._advance()

    def _answered(self, ledger: _Ledger, asked: Asked) -> None:
        answered = self._unanswered.pop(asked.nonce, None)
        if answered is None:
            return
        name, told = answered
        if told is None:
            return
        if asked.error:
            ledger.refused[name] = (told.version, asked.error)
            self._fall_back(asked.kind, ledger, told)
        else:
            ledger.taken[name] = told.version
            if ledger.sent.get(name) == told.version:
                ledger.refused.pop(name, None)
            if asked.kind is not Kind.ASSIGNMENT:
                self._good[asked.kind, name] = told
        self._progressed()

    def _fall_back(self, kind: Kind, ledger: _Ledger, refused: Resource) -> None:
        """Where Envoy has nothing else: it served this until it was started anew."""
        good = self._good.get((kind, refused.name))
        if good is not None and good.version != refused.version and refused.name not in ledger.taken:
            self._say(kind, good)

    def _advance(self) -> None:
        self._change(Kind.CLUSTER)
        self._change(Kind.ASSIGNMENT)
        self._change(Kind.SECRET)
        if not (self._settled(Kind.CLUSTER) and self._settled_used_by(Kind.CLUSTER)):
            return
        self._remove(Kind.LISTENER)
        self._change(Kind.LISTENER)
        self._change(Kind.ROUTES)
        if not (self._settled(Kind.LISTENER) and self._settled_used_by(Kind.LISTENER)):
            return
        self._remove(Kind.CLUSTER)
        if not self._unanswered and self.served < self._wanted.step:
            self.served = self._wanted.step
            self._progressed()

    def _change(self, kind: Kind) -> None:
        ledger = self._ledgers[kind]
        if not ledger.open:
            return
        for name, wanted in self._wanted.of(kind).items():
            if kind not in _WILDCARD and name not in ledger.subscribed:
                continue
            if ledger.sent.get(name) == wanted.version:
                continue
            if kind is Kind.CLUSTER and name in ledger.sent:
                # A changed cluster warms anew, and Envoy does not ask for its endpoints again.
                self._ledgers[Kind.ASSIGNMENT].forget(name)
            ledger.sent[name] = wanted.version
            self._say(kind, wanted)

    def _remove(self, kind: Kind) -> None:
        ledger = self._ledgers[kind]
        wanted = self._wanted.of(kind)
        removed = [name for name in {**ledger.sent, **ledger.refused} if name not in wanted]
        for name in removed:
            ledger.forget(name)
            self._say(kind, removed=name)
        if removed:
            # What went may have stood in the way of what was refused.
            for name in list(ledger.refused):
                ledger.sent.pop(name, None)
                del ledger.refused[name]

    def _deny(self, kind: Kind, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._wanted.of(kind):
                self._say(kind, removed=name)

    def _settled_used_by(self, kind: Kind) -> bool:
        """Whether all is settled that the wanted resources of this kind use, as far as Envoy has them in
        some version: it never asks for what only a refused one uses."""
        taken = self._ledgers[kind].taken
        used = {use for name, one in self._wanted.of(kind).items() if name in taken for use in one.uses}
        return all(self._is_settled(*use) for use in used)

    def _is_settled(self, kind: Kind, name: str) -> bool:
        wanted = self._wanted.of(kind).get(name)
        ledger = self._ledgers[kind]
        return wanted is None or (ledger.open and ledger.settled(wanted))

    def _settled(self, kind: Kind) -> bool:
        ledger = self._ledgers[kind]
        wanted = self._wanted.of(kind)
        return (ledger.open or not wanted) and all(ledger.settled(one) for one in wanted.values())

    def _say(self, kind: Kind, wanted: Resource | None = None, removed: str = "") -> None:
        self._nonces += 1
        told = Told(kind, str(self._nonces), wanted, removed)
        name = wanted.name if wanted else removed
        self._unanswered[told.nonce] = (name, wanted)
        self._tell(told)
