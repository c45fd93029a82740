"""The order in which Envoy is told: what is used is there before, what was used goes after."""

from __future__ import annotations

from pavedroad.localcloud.envoy.discovery import Asked, Conversation, Told
from pavedroad.localcloud.envoy.snapshot import Kind, Snapshot, resource

CLUSTER, ASSIGNMENT, LISTENER, ROUTES = Kind.CLUSTER, Kind.ASSIGNMENT, Kind.LISTENER, Kind.ROUTES


class Partner:
    """Envoy's side of a conversation: subscribes as Envoy does, answers when told to."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.progress = 0
        self.conversation = Conversation(self.told.append, self._progressed)

    def _progressed(self) -> None:
        self.progress += 1

    def connect(self) -> None:
        self.conversation.hear(Asked(CLUSTER))
        self.conversation.hear(Asked(LISTENER))

    def take(self) -> list[str]:
        """What was said since, in short."""
        said = [_short(told) for told in self.told]
        self._open = list(self.told)
        self.told.clear()
        return said

    def agree(self, error: str = "") -> None:
        """Answer everything taken, and follow what it names."""
        for told in self._open:
            self.conversation.hear(Asked(told.kind, nonce=told.nonce, error=error))
            if told.resource and not error:
                follows = {CLUSTER: ASSIGNMENT, LISTENER: ROUTES}.get(told.kind)
                if follows:
                    self.conversation.hear(Asked(follows, subscribe=(told.resource.name,)))

    def settle(self) -> list[str]:
        """Agree until nothing more is said."""
        said: list[str] = []
        while now := self.take():
            said += now
            self.agree()
        return said


def _short(told: Told) -> str:
    kind = {CLUSTER: "cluster", ASSIGNMENT: "endpoints", LISTENER: "listener", ROUTES: "routes"}[told.kind]
    if told.removed:
        return f"-{kind} {told.removed}"
    return f"{kind} {told.resource.name}" if told.resource else f"{kind} none"


def _snapshot(step: int, pools: dict[str, str], fronts: dict[str, str]) -> Snapshot:
    """Pools and fronts by name, with a text that stands for their contents: `shape/endpoints`, `rules`."""
    return Snapshot(
        step,
        {
            CLUSTER: {
                name: resource(name, {"x": text.split("/")[0]}, ((ASSIGNMENT, name),))
                for name, text in pools.items()
            },
            ASSIGNMENT: {name: resource(name, {"x": text.split("/")[1]}) for name, text in pools.items()},
            LISTENER: {name: resource(name, {}, ((ROUTES, name),)) for name in fronts},
            ROUTES: {name: resource(name, {"x": text}) for name, text in fronts.items()},
        },
    )


def _connected(snapshot: Snapshot) -> Partner:
    partner = Partner()
    partner.conversation.want(snapshot)
    partner.connect()
    partner.settle()
    assert partner.conversation.served == snapshot.step
    return partner


def test_an_empty_snapshot_is_served_too() -> None:
    assert _connected(_snapshot(1, {}, {})).conversation.served == 1


def test_a_new_front_comes_after_its_pools() -> None:
    partner = _connected(_snapshot(1, {}, {}))
    partner.conversation.want(_snapshot(2, {"p": "a/1"}, {"f": "to p"}))
    assert partner.settle() == ["cluster p", "endpoints p", "listener f", "routes f"]
    assert partner.conversation.served == 2


def test_a_flip_says_one_thing() -> None:
    partner = _connected(_snapshot(1, {"p": "a/1", "q": "a/1"}, {"f": "to p"}))
    partner.conversation.want(_snapshot(2, {"p": "a/1", "q": "a/1"}, {"f": "to q"}))
    assert partner.take() == ["routes f"]
    assert partner.conversation.served == 1
    partner.agree()
    assert partner.conversation.served == 2


def test_a_replaced_pool_goes_only_after_the_routes_have_left_it() -> None:
    partner = _connected(_snapshot(1, {"p": "a/1"}, {"f": "to p"}))
    partner.conversation.want(_snapshot(2, {"q": "a/1"}, {"f": "to q"}))
    assert partner.settle() == ["cluster q", "endpoints q", "routes f", "-cluster p"]
    assert partner.conversation.served == 2


def test_a_changed_cluster_gets_its_endpoints_again() -> None:
    partner = _connected(_snapshot(1, {"p": "a/1"}, {"f": "to p"}))
    partner.conversation.want(_snapshot(2, {"p": "b/1"}, {"f": "to p"}))
    assert partner.take() == ["cluster p", "endpoints p"]


def test_changes_in_the_middle_of_others_lead_to_the_newest() -> None:
    partner = _connected(_snapshot(1, {"p": "a/1"}, {"f": "to p"}))
    partner.conversation.want(_snapshot(2, {"p": "a/1", "q": "a/1"}, {"f": "to q"}))
    assert partner.take() == ["cluster q"]
    partner.conversation.want(_snapshot(3, {"p": "a/2"}, {"f": "to p again"}))
    partner.agree()
    said = partner.settle()
    assert "endpoints p" in said
    assert said.index("routes f") < said.index("-cluster q")
    assert partner.conversation.served == 3


def test_a_refused_listener_holds_up_nothing_and_is_tried_again_when_told_to() -> None:
    partner = _connected(_snapshot(1, {}, {}))
    partner.conversation.want(_snapshot(2, {}, {"f": "x"}))
    assert partner.take() == ["listener f"]
    partner.agree("cannot bind")
    assert partner.conversation.refused() == {(LISTENER, "f"): "cannot bind"}
    assert partner.conversation.served == 2
    partner.conversation.retry_refused()
    assert partner.settle() == ["listener f", "routes f"]
    assert partner.conversation.refused() == {}


def test_what_is_refused_and_no_longer_wanted_is_forgotten() -> None:
    partner = _connected(_snapshot(1, {}, {}))
    partner.conversation.want(_snapshot(2, {}, {"f": "x"}))
    partner.take()
    partner.agree("cannot bind")
    partner.conversation.want(_snapshot(3, {}, {}))
    partner.settle()
    assert partner.conversation.refused() == {}
    assert partner.conversation.served == 3


def test_what_envoy_had_before_a_broken_conversation_is_removed_if_no_longer_wanted() -> None:
    partner = Partner()
    partner.conversation.want(_snapshot(1, {}, {}))
    partner.conversation.hear(Asked(CLUSTER, known={"old": "1"}))
    partner.conversation.hear(Asked(LISTENER, known={"gone": "1"}))
    assert set(partner.settle()) >= {"-cluster old", "-listener gone"}


def test_an_envoy_that_speaks_anew_is_not_told_again_what_it_has() -> None:
    snapshot = _snapshot(3, {"p": "a/1"}, {"f": "to p"})
    partner = Partner()
    partner.conversation.want(snapshot)
    for kind, used, name in ((CLUSTER, ASSIGNMENT, "p"), (LISTENER, ROUTES, "f")):
        known = {name: snapshot.of(kind)[name].version}
        partner.conversation.hear(Asked(kind, known=known))
        known = {name: snapshot.of(used)[name].version}
        partner.conversation.hear(Asked(used, subscribe=(name,), known=known))
    assert partner.settle() == ["cluster none", "endpoints p", "listener none", "routes f"]
    assert partner.conversation.served == 3


def test_a_name_that_is_not_there_is_denied_at_once() -> None:
    partner = _connected(_snapshot(1, {}, {}))
    partner.conversation.hear(Asked(ASSIGNMENT, subscribe=("p",)))
    assert partner.take() == ["-endpoints p"]
