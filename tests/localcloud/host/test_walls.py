"""What a guest can see and change of the machine: its own, the system's, and nothing else of anybody's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pavedroad.core import confinement, seclusion
from pavedroad.localcloud.wanted import Layer
from tests.localcloud.host.layers import put_layer
from tests.localcloud.host.machine import Machine, guest
from tests.ordinary import ORDINARY, as_ordinary_user

walled = pytest.mark.skipif(confinement.way() == "none", reason="this kernel has no walls")


@pytest.fixture(scope="module", params=["our own user", "an ordinary user"])
def operator(request: pytest.FixtureRequest) -> list[str]:
    """What comes before the host's command: it may be another user's."""
    if request.param == "our own user":
        return []
    return as_ordinary_user() or pytest.skip("we are an ordinary user")


@pytest.fixture(scope="module")
def home(operator: list[str]) -> Iterator[Path]:
    """The operator's home folder, with what is nobody else's business."""
    with tempfile.TemporaryDirectory(prefix="paved-operator-", dir="/var/tmp") as folder:
        home = Path(folder)
        _fill(home)
        if operator:
            seclusion.hand_over(folder, ORDINARY)
        yield home


def _fill(home: Path) -> None:
    for name in (".aws/credentials", ".ssh/id_ed25519", ".local/state/pavedroad/token"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("a secret of the operator\n")


@pytest.fixture(scope="module")
def machine(operator: list[str], home: Path) -> Iterator[Machine]:
    """Of a platform whose own home, with its key and its environment, a guest would like to see."""
    told = ("env", f"HOME={home}", "PAVED_SECRET=of the platform")
    machine = Machine(home / "cloud", prefix=(*operator, *told))
    (machine.home / "key").write_text("a secret of the cloud\n")
    os.chown(machine.home / "key", home.stat().st_uid, -1)
    yield machine
    machine.close()


_CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


def said(machine: Machine, script: str, *, layers: tuple[Layer, ...] = ()) -> str:
    """What a guest that runs this script prints."""
    it = guest(f"{script}\necho complete; sleep 1000", layers=layers)
    machine.want(it)
    console = machine.printed(it, "complete\n")
    machine.drop(it)
    return console


@walled
def test_a_guest_reads_and_changes_nothing_that_is_not_its_own(machine: Machine, home: Path) -> None:
    other = guest("sh -c 'echo a secret of another > mine; echo up; sleep 1000'")
    machine.want(other)
    machine.printed(other, "up")
    root = machine.home / "instances" / other.id / "root"
    read = [
        *(home / name for name in (".aws/credentials", ".ssh/id_ed25519", ".local/state/pavedroad/token")),
        machine.home / "key",
        root / "mine",
        *(f"/proc/{pid}/environ" for pid in (machine.process.pid, machine.nursery, os.getpid())),
        f"/proc/{machine.process.pid}/root{home}/.aws/credentials",
        f"/proc/{machine.process.pid}/cwd/pyproject.toml",
        "../../../key",
    ]
    listed = [home, machine.home, root, root.parent.parent, "/root", "/home", "/tmp", "..", "/var/lib"]
    others = rf"\.aws|\.ssh|key|mine|{other.id}|console\.log|dpkg"
    written = [home / "planted", root / "planted", "/etc/planted", f"/tmp/planted-{other.id}"]
    script = "\n".join(
        [
            *(f"cat '{it}' && echo FAULT: read {it}" for it in read),
            *(f"ls -A '{it}' | grep -xE '{others}' && echo FAULT: listed {it}" for it in listed),
            *(f"echo x > '{it}'" for it in written),
            "echo x > ../planted && echo FAULT: wrote beside its root",
            f"/usr/bin/python3 -c '{_CONNECT}' {machine.socket} && echo FAULT: reached the host",
            "echo fine > own && cat own",
            "echo well > /tmp/own && cat /tmp/own",
            f"kill -0 {machine.process.pid} && echo FAULT: signalled the host",
            f"kill -0 {machine.status(other).pid} && echo FAULT: signalled another guest",
            f"ln -s {home}/.aws/credentials here; cat here && echo FAULT: followed a link",
            f"ln {home}/.aws/credentials hard && echo FAULT: made a hard link",
        ]
    )
    console = said(machine, script)
    assert [line for line in console.splitlines() if "FAULT" in line] == []
    assert "secret" not in console
    assert "\nfine\n" in console
    if seclusion.way() != "none":
        assert "\nwell\n" in console
    assert [it for it in written if Path(it).exists()] == []


def test_a_guest_does_what_services_do(machine: Machine) -> None:
    root_of_layer = put_layer(
        machine.home, {"serve": b"#!/bin/sh\necho served $(cat told)\n", "told": b"well"}
    )
    script = """
        set -e
        ./serve
        mkdir -p a/b; echo moved > a/file; mv a/file a/b/file; cat a/b/file
        echo temporary > $TMPDIR/x; cat $(mktemp) $TMPDIR/x
        echo out > /dev/stderr; head -c 4 /dev/urandom > /dev/null
        getent hosts localhost
        ls /proc/self/fd /sys/class/net > /dev/null; cat /etc/passwd > /dev/null
        sleep 300 & kill $!
        /usr/bin/python3 - <<'END'
import multiprocessing, socket, ssl, tempfile
with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as own:
    own.bind("own.sock")
multiprocessing.Lock()
print("certificates", bool(ssl.create_default_context().get_ca_certs()))
END
    """
    console = said(machine, script, layers=(root_of_layer,))
    for words in ("served well", "moved", "temporary", "out", "localhost", "certificates True"):
        assert words in console


def test_an_image_has_the_interpreter_that_it_links_to(machine: Machine) -> None:
    """As virtual environments do, wherever it is installed; of what else is there nothing is shown."""
    link = tarfile.TarInfo("bin/python")
    link.type, link.linkname = tarfile.SYMTYPE, str(Path(sys.executable).resolve())
    environment = put_layer(
        machine.home,
        {"bin/python": link, "pyvenv.cfg": f"home = {Path(sys.executable).resolve().parent}\n".encode()},
        path=".venv",
        shared=True,
    )
    console = said(machine, "python -c 'import json, sys; print(sys.prefix)'", layers=(environment,))
    assert "/root/.venv\n" in console


@walled
def test_a_link_to_what_is_no_interpreter_shows_nothing(machine: Machine, home: Path) -> None:
    (home / "tools/bin").mkdir(parents=True)
    (home / "tools/bin/tool").write_text("#!/bin/sh\necho FAULT\n")
    (home / "tools/bin/tool").chmod(0o755)
    (home / "tools/lib").mkdir()
    link = tarfile.TarInfo("bin/python")
    link.type, link.linkname = tarfile.SYMTYPE, str(home / "tools/bin/tool")
    console = said(machine, "python", layers=(put_layer(machine.home, {"bin/python": link}),))
    assert "FAULT" not in console
    assert re.search("denied|not found", console)


def test_where_nothing_walls_guests_in_it_is_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "cloud", prefix=("env", f"{confinement.WISH}=none"))
    try:
        assert "not walled in" in machine.measurements().confined
        (machine.home / "key").write_text("the key\n")
        assert "the key" in said(machine, f"cat {machine.home}/key")
    finally:
        machine.close()


@walled
def test_walls_are_said_too(machine: Machine) -> None:
    assert "nothing else" in machine.measurements().confined


def test_what_an_operator_names_is_let_through() -> None:
    given = {confinement.READABLE: "/srv/tools:relative:/data", "SSL_CERT_FILE": "/srv/ca.pem", "OTHER": "/x"}
    assert confinement.let_through(given) == ("/srv/ca.pem", "/srv/tools", "/data")


@walled
@pytest.mark.parametrize("program", ["cat", "python3"])
def test_a_confined_process_stays_so_in_all_that_it_starts(tmp_path: Path, program: str) -> None:
    (tmp_path / "secret").write_text("secret")
    code = (
        "import os, sys; from pavedroad.core.confinement import Walls, confine; "
        "confine(Walls()); os.execvp(sys.argv[1], sys.argv[1:])"
    )
    tail = ["secret"] if program == "cat" else ["-c", "print(open('secret').read())"]
    done = subprocess.run(
        [sys.executable, "-c", code, f"/usr/bin/{program}", *tail],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "denied" in done.stderr
