"""What one account has in one region, with a journal so that a change that failed can be taken back."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pavedroad.localcloud.balancing.classic.model import Classic
from pavedroad.localcloud.balancing.model import (
    Balancer,
    ForwardTo,
    Listener,
    ListenerRule,
    Member,
    RuleAction,
    TargetGroup,
)
from pavedroad.localcloud.documents import Document
from pavedroad.localcloud.wanted import FixedResponse, Redirect

_ABSENT = object()

Members = dict[tuple[str, int], Member]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of one table, before and after."""

    table: dict[Any, Any]
    key: Any
    before: Any
    after: Any


class Journal:
    """The entries of one call, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        self._entries.append(entry)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def take_back(self) -> None:
        """Put back what was before, but for what another call has changed since."""
        for entry in reversed(self._entries):
            if entry.table.get(entry.key, _ABSENT) is entry.after:
                _set(entry.table, entry.key, entry.before)
        self._entries.clear()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store has, to be written down."""

    account: str
    region: str
    balancers: dict[str, Balancer]
    listeners: dict[str, Listener]
    rules: dict[str, ListenerRule]
    groups: dict[str, TargetGroup]
    members: dict[str, Members]
    tags: dict[str, dict[str, str]]
    classics: dict[str, Classic] = field(default_factory=dict[str, Classic])


FORM = Document(
    tuple[Kept, ...],
    {RuleAction: {"forward": ForwardTo, "fixed-response": FixedResponse, "redirect": Redirect}},
)


class Store:
    """Immutable values in tables by ARN. Changed through `put` and `drop` alone, under the state lock."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.balancers: dict[str, Balancer] = {}
        self.listeners: dict[str, Listener] = {}
        self.rules: dict[str, ListenerRule] = {}
        self.groups: dict[str, TargetGroup] = {}
        self.members: dict[str, Members] = {}
        """By target group, then by id and port."""
        self.tags: dict[str, dict[str, str]] = {}
        self.classics: dict[str, Classic] = {}
        """By the ARN of the balancer that serves each; none beside balancers of the newer kind."""
        self._journal: Journal | None = None

    @classmethod
    def of(cls, kept: Kept) -> Store:
        store = cls(kept.account, kept.region)
        store.balancers, store.listeners, store.rules = kept.balancers, kept.listeners, kept.rules
        store.groups, store.members, store.tags = kept.groups, kept.members, kept.tags
        store.classics = kept.classics
        return store

    def kept(self) -> Kept:
        return Kept(
            self.account,
            self.region,
            self.balancers,
            self.listeners,
            self.rules,
            self.groups,
            self.members,
            self.tags,
            self.classics,
        )

    @contextmanager
    def journal(self, begun: Journal | None = None) -> Generator[Journal]:
        """Note all changes inside, after those of one begun before; an exception takes them all back."""
        self._journal = journal = begun if begun is not None else Journal()
        try:
            yield journal
        except BaseException:
            journal.take_back()
            raise
        finally:
            self._journal = None

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._change(table, key, value)

    def drop(self, table: dict[Any, Any], key: Any) -> None:
        if key in table:
            self._change(table, key, _ABSENT)

    def _change(self, table: dict[Any, Any], key: Any, after: Any) -> None:
        if self._journal is not None:
            self._journal.note(Entry(table, key, table.get(key, _ABSENT), after))
        _set(table, key, after)

    # What belongs together

    def listeners_of(self, balancer_arn: str) -> list[Listener]:
        """By port."""
        found = [it for it in self.listeners.values() if it.balancer_arn == balancer_arn]
        return sorted(found, key=lambda listener: listener.port)

    def rules_of(self, listener_arn: str) -> list[ListenerRule]:
        """In the order in which they are tried, the default last."""
        found = [it for it in self.rules.values() if it.listener_arn == listener_arn]
        return sorted(found, key=lambda rule: rule.order)

    def default_rule(self, listener_arn: str) -> ListenerRule:
        return self.rules_of(listener_arn)[-1]

    def listeners_in(self, journal: Journal) -> frozenset[str]:
        """The listeners, by ARN, whose routing these changes are about."""
        found: set[str] = set()
        for value in (value for entry in journal for value in (entry.before, entry.after)):
            if isinstance(value, Listener):
                found.add(value.arn)
            elif isinstance(value, ListenerRule):
                found.add(value.listener_arn)
            elif isinstance(value, Balancer):
                found.update(listener.arn for listener in self.listeners_of(value.arn))
        return frozenset(found)

    def balancer_of(self, rule: ListenerRule) -> Balancer:
        return self.balancers[self.listeners[rule.listener_arn].balancer_arn]

    def users(self) -> dict[str, set[str]]:
        """The balancers that forward to each target group, by its ARN."""
        found: dict[str, set[str]] = {}
        for rule in self.rules.values():
            for group_arn in groups_of(rule):
                found.setdefault(group_arn, set()).add(self.balancer_of(rule).arn)
        return found

    def members_of(self, group_arn: str) -> Iterable[Member]:
        return self.members.get(group_arn, {}).values()


class Stores:
    """The stores of all accounts and regions; read and changed under the state lock."""

    def __init__(self) -> None:
        self._stores: dict[tuple[str, str], Store] = {}

    def __iter__(self) -> Iterator[Store]:
        return iter(tuple(self._stores.values()))

    def at(self, account: str, region: str) -> Store:
        return self._stores.setdefault((account, region), Store(account, region))

    def dump(self) -> tuple[Kept, ...]:
        return tuple(store.kept() for store in self._stores.values())

    def load(self, saved: tuple[Kept, ...]) -> None:
        self._stores = {(it.account, it.region): Store.of(it) for it in saved}


def groups_of(rule: ListenerRule) -> list[str]:
    """The target groups that a rule forwards to, by ARN."""
    shares = getattr(rule.action, "shares", ())
    return [share.group_arn for share in shares]


def _set(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is _ABSENT:
        table.pop(key, None)
    else:
        table[key] = value
