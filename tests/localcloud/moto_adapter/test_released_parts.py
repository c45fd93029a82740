"""Each part of what released versions have saved, read and written again; and what is refused of it."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pavedroad.core.errors import StateUnreadable
from pavedroad.localcloud.api import container, schema_2
from pavedroad.localcloud.api.container import Part
from pavedroad.localcloud.api.snapshots import Snapshots
from pavedroad.localcloud.autoscaling.model import FORM as GROUPS
from pavedroad.localcloud.autoscaling.model import known_once
from pavedroad.localcloud.balancing.store import FORM as BALANCERS
from pavedroad.localcloud.faults.service import FaultInjection
from pavedroad.localcloud.monitoring.model import FORM as ALARMS
from pavedroad.localcloud.moto_adapter import snapshot
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import GuestImage
from tests.localcloud.api.alone import released
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.released.plain import lacking, machines, plain

ACCOUNT = "123456789012"
FORMS: dict[str, Any] = {
    "autoscaling": GROUPS,
    "elasticloadbalancing": BALANCERS,
    "monitoring": ALARMS,
    "faults": FaultInjection.form,
}


def parts_of(home: Path) -> dict[str, Any]:
    """As a start reads them, whatever the schema."""
    content = (home / "state.snapshot").read_bytes()
    if container.schema_of(content) == 2:
        return schema_2.read(content.partition(b"\n")[2])
    forms: dict[str, Any] = {"moto": snapshot.MotoForm(), **FORMS}
    return {it.name: forms[it.name].decode(it.body, it.version) for it in container.unpack(content)}


@pytest.mark.parametrize("form", ["schema-2", "schema-3"])
def test_all_of_a_released_state_is_read_and_written_and_read_again(
    tmp_path: Path, bench: Bench, form: str
) -> None:
    assert bench
    home = released(form, tmp_path)
    parts = parts_of(home)
    said = json.loads((home / "own.json").read_text())
    for name, known in said.items():
        if name == "machines":
            continue
        written = FORMS[name].encode(parts[name])
        again = FORMS[name].decode(written, FORMS[name].version)
        for found in (parts[name], again):
            assert not lacking(known, plain(found), name)
        assert FORMS[name].encode(again) == written
    written = snapshot.MotoForm().encode(parts["moto"])
    again = snapshot.MotoForm().decode(written, snapshot.VERSION)
    for found in (parts["moto"], again):
        assert not lacking(said["machines"], machines(found["ec2"][ACCOUNT]))


@pytest.mark.parametrize("form", ["schema-2", "schema-3"])
def test_what_several_hold_is_one_thing_again(tmp_path: Path, bench: Bench, form: str) -> None:
    assert bench
    [region] = regions = parts_of(released(form, tmp_path))["autoscaling"]
    known_once(regions)
    under_way = [
        (group, member)
        for group in region.groups.values()
        for member in group.members.values()
        if member.activity is not None
    ]
    assert under_way
    for group, member in under_way:
        assert any(it is member.activity for it in region.activities[group.arn])


class Untouched:
    """A part that is never to be given anything."""

    def __init__(self, form: Any) -> None:
        self.form = form

    def dump(self) -> object:
        raise AssertionError("it is not to be saved")

    def load(self, saved: Any) -> None:
        raise AssertionError("it is not to be loaded")


PARTS = {name: Untouched(form) for name, form in {"moto": snapshot.MotoForm(), **FORMS}.items()}


def refusal(path: Path) -> StateUnreadable:
    before = path.read_bytes()
    with pytest.raises(StateUnreadable) as refused:
        Snapshots(path, State(), PARTS).restore()
    assert path.read_bytes() == before
    assert [it.name for it in path.parent.iterdir() if it.name.startswith(path.name)] == [path.name]
    assert str(path) in refused.value.sentence
    return refused.value


def rewritten(home: Path, change: Callable[[Part], Part]) -> Path:
    """The state as this version writes it, but for a change."""
    forms: dict[str, Any] = {"moto": snapshot.MotoForm(), **FORMS}
    parts = [
        Part(name, forms[name].kind, forms[name].version, forms[name].encode(it))
        for name, it in parts_of(home).items()
    ]
    path = home / "state.snapshot"
    path.write_bytes(b"".join(container.pack(map(change, parts), "0")))
    return path


def of(name: str, /, **changes: Any) -> Callable[[Part], Part]:
    return lambda part: replace(part, **changes) if part.name == name else part


def named(name: str, was: bytes, now: bytes) -> Callable[[Part], Part]:
    return lambda part: replace(part, body=part.body.replace(was, now)) if part.name == name else part


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of("moto", version="99.1.0"), "it was written with moto 99.1.0, and this is moto "),
        (
            of("autoscaling", version="99"),
            "its part autoscaling: it is of version 99, and this one reads up to ",
        ),
        (of("faults", name="weather"), "it has a part that is not known, weather"),
        (of("faults", kind="poem"), "its part faults is a poem"),
        (named("autoscaling", b'"minimum":', b'"lowest":'), "this version does not know lowest"),
        (named("moto", b"moto.ec2.models.vpcs", b"moto.ec2.models.vpcz"), "moto.ec2.models.vpcz"),
        (named("moto", b"kept_objects", b"lost_objects"), "lost_objects"),
    ],
)
def test_what_this_version_cannot_read_is_refused_and_left(
    tmp_path: Path, bench: Bench, change: Callable[[Part], Part], said: str
) -> None:
    assert bench
    refused = refusal(rewritten(released("schema-2", tmp_path), change))
    assert said in refused.sentence
    assert refused.next_step
    assert "Install the version of Pavedroad that wrote it" in refused.next_step


def test_the_first_schema_of_a_newer_moto_is_refused(tmp_path: Path, bench: Bench) -> None:
    assert bench
    path = released("schema-2", tmp_path) / "state.snapshot"
    version = snapshot.VERSION.encode()
    path.write_bytes(path.read_bytes().replace(version, b"9" + version[1:]))
    assert "it was written with moto 9." in refusal(path).sentence


def test_an_older_moto_s_state_is_read_where_it_can_be_and_kept_beside(tmp_path: Path, bench: Bench) -> None:
    assert bench
    path = rewritten(released("schema-2", tmp_path), of("moto", version="4.0.0"))
    before = path.read_bytes()
    taken: dict[str, Any] = {}

    class Takes(Untouched):
        def load(self, saved: Any) -> None:
            taken["saved"] = saved

    parts = {name: Takes(it.form) for name, it in PARTS.items()}
    assert Snapshots(path, State(), parts).restore()
    assert taken
    assert path.with_name("state.snapshot.moto-4.0.0").read_bytes() == before


@pytest.mark.parametrize(
    "pickled",
    [
        pickle.dumps(print),
        b"cos\nsystem\n.",
        b"cmoto.core.utils\nget_service_model\n.",
        pickle.dumps(Path("x")),
        b"cbuiltins\ngetattr\n(cbuiltins\nlist\nX\x0e\x00\x00\x00__subclasses__tR.",
    ],
)
def test_a_state_makes_nothing_but_what_states_are_made_of(pickled: bytes) -> None:
    with pytest.raises(snapshot.NotOfState):
        snapshot.Unpickler(io.BytesIO(pickled)).load()


def test_our_own_classes_are_written_by_the_names_of_their_fields(tmp_path: Path, bench: Bench) -> None:
    """So that a field may be added, and one may go."""
    assert bench
    parts = parts_of(released("schema-2", tmp_path))
    written = snapshot.MotoForm().encode(parts["moto"])
    for name in (b"stop_seconds", b"spread_level", b"running_since"):
        assert name in written
    fewer = written.replace(b"stop_seconds", b"stop_sekonds")
    backends: Any = snapshot.MotoForm().decode(fewer, "1")["ec2"][ACCOUNT]
    images = [it for backend in backends.values() for it in backend.guest_images.values()]
    assert images
    assert {it.stop_seconds for it in images} == {GuestImage("x").stop_seconds}
