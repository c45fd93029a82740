"""What git ignores is not shipped: every file is held against git's own word."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pavedroad.bakery import git
from pavedroad.bakery.packing import pack_folder
from pavedroad.bakery.sources import files_of, files_sent
from pavedroad.core.errors import InvalidInput
from pavedroad.manifest.loading import load
from tests.bakery.kitchen import write

MANIFEST = "application: site\nowner: me@example.com\ncommand: ./serve\n"


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(params=["with git", "without git"])
def names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], set[str]]:
    """What is shipped, told by git and told by our own reading of its files."""
    if request.param == "without git":
        monkeypatch.setattr(git, "files", _silent)
    return lambda folder: {file.path for file in files_of(folder)}


def _silent(folder: Path) -> None:
    return None


def run(folder: Path, *command: str) -> str:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", *identity, *command], cwd=folder, capture_output=True, check=True)
    return os.fsdecode(done.stdout)


def gits_own(folder: Path) -> set[str]:
    listed = run(folder, "ls-files", "-z", "-co", "--exclude-standard").split("\0")
    return {name for name in listed if name and os.path.lexists(folder / name)}


def repository(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    run(folder, "init", "-q")
    return write(folder, files)


def test_ignore_files_count_up_to_the_root_of_the_repository(
    names: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    lines = (
        r"*.log !keep.log build/* !build/keep /anchored deep/**/x **/any foo/bar \#hash \!bang "
        r"[ab].txt ?.one !*.two *.two [[:digit:]].n [unclosed two/** */nested/"
    )
    repository(
        tmp_path / "top",
        {
            ".gitignore": ".env\n*.secret\n/services/[[]id]/dist/\ntmp-*/\n",
            ".git/info/exclude": "*.bak\n",
            "services/[id]/.gitignore": "\ufeff" + lines.replace(" ", "\r\n") + "\ntrail\\ \nspace   \n",
            "services/[id]/in/.gitignore": "/only\n!deep.env\n*\n!*.md\n!x/\n",
        },
    )
    folder = tmp_path / "top/services/[id]"
    made = (
        ".env k.secret dist/a tmp-1/x a.log keep.log in/keep.log build/x build/keep anchored in/anchored.md "
        "deep/x deep/1/2/x q/any/f foo/bar in/foo/bar.md #hash !bang space a.txt c.txt é.one z.one n.two "
        "7.n x.n two/a/b a/nested/b nested/c in/only in/y in/y.md in/x/a in/x/a.md old.bak sub/.env app.py"
    )
    for name in [*made.split(), "trail "]:
        write(folder, {name: ""})
    assert names(folder) == gits_own(folder)
    assert {"app.py", "keep.log", "é.one", "in/y.md"} <= names(folder)
    assert not {".env", "dist/a", "old.bak", "7.n"} & names(folder)


def test_patterns_by_chance_mean_what_they_mean_to_git(
    names: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    chance = random.Random(7)
    atoms = [
        r"a",
        r"foo",
        r"bar",
        r"*.py",
        r"keep",
        r"*",
        r"?.txt",
        r"??.txt",
        r"[a-f]oo",
        r"[!a]",
        r"[[:alpha:]]",
        r"**",
        r"foo*",
        r"\#h",
        r"[id]",
        r"\[id\]",
        r"*o",
        r"é.txt",
    ]
    places = ["", "a/", "foo/", "foo/[id]/", "a/foo/bar/"]
    for number in range(12):
        top = repository(tmp_path / str(number), {})
        for place in places:
            write(
                top, {f"{place}{name}": "" for name in ["x.py", "y.txt", "é.txt", "#h", "keep", "b", "ofoo"]}
            )
        for place in ("", chance.choice(places)):
            lines = [
                chance.choice(["", "", "!"])
                + chance.choice(["", "", "/"])
                + "/".join(chance.sample(atoms, chance.randint(1, 2)))
                + chance.choice(["", "", "/"])
                for _ in range(4)
            ]
            write(top, {f"{place}.gitignore": "\n".join(lines)})
        for place in places:
            assert names(top / place) == gits_own(top / place), (number, place)


def test_what_git_has_is_shipped_though_it_is_ignored(tmp_path: Path) -> None:
    top = repository(tmp_path / "top", {".gitignore": "made/\n", "made/kept": "", "made/other": ""})
    run(top, "add", "-f", "made/kept")
    assert {file.path for file in files_of(top)} == {".gitignore", "made/kept"}
    pack_folder(write(top, {"paved.yaml": MANIFEST}), load(top), tmp_path / "parcel")
    sent = write(tmp_path / "sent", {".gitignore": "made/\n", "made/kept": "", "node_modules/asked-for": ""})
    chosen = {file.path for file in files_sent(sent, chosen=True)}
    assert chosen == {".gitignore", "made/kept", "node_modules/asked-for"}
    assert {file.path for file in files_sent(sent, chosen=False)} == {".gitignore"}


def test_a_repository_inside_has_its_own_ignore_files(
    names: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    top = repository(tmp_path / "top", {".gitignore": "*.env\n", "a.env": "", "b": ""})
    inner = repository(
        top / "inner", {".gitignore": "*.tmp\n", "x.env": "", "y.tmp": "", ".pavedignore": "z\n", "z": ""}
    )
    run(inner, "add", ".")
    run(inner, "commit", "-qm", "one")
    assert names(top) == {".gitignore", "b", "inner/.gitignore", "inner/.pavedignore", "inner/x.env"}


def test_a_worktree_is_a_repository_though_its_git_is_a_file(
    names: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    top = repository(tmp_path / "top", {".gitignore": ".env\n", "api/app.py": ""})
    run(top, "add", ".")
    run(top, "commit", "-qm", "one")
    run(top, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert (tmp_path / "tree/.git").is_file()
    write(tmp_path / "tree", {"api/.env": ""})
    assert names(tmp_path / "tree/api") == {"app.py"}


def test_names_that_are_not_utf8_are_compared_by_their_bytes(
    names: Callable[[Path], set[str]], tmp_path: Path
) -> None:
    top = repository(tmp_path / "top", {})
    for name in (b"caf\xe9", b"caf\xe8", b"x\xff.log"):
        (top / os.fsdecode(name)).touch()
    (top / ".gitignore").write_bytes(b"caf\xe9\n*.log\n")
    assert names(top) == gits_own(top) == {".gitignore", os.fsdecode(b"caf\xe8")}


def test_pavedignore_has_the_last_word(names: Callable[[Path], set[str]], tmp_path: Path) -> None:
    top = repository(
        tmp_path / "top",
        {
            ".gitignore": "dist/\n",
            "site/dist/a.js": "",
            "site/dist/b.map": "",
            "site/notes.md": "",
            "site/.pavedignore": "!dist/\n!dist/*\n*.map\n*.md\n.pavedignore\n",
        },
    )
    assert names(top / "site") == {"dist/a.js"}


def test_nothing_is_asked_of_a_folder_outside_of_repositories(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*\n", "api/app.py": "", "api/.gitignore": "*.log\n", "api/a.log": ""})
    assert {file.path for file in files_of(tmp_path / "api")} == {".gitignore", "app.py"}


def test_a_hook_of_another_repository_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", {})
    top = repository(tmp_path / "top", {".gitignore": "*.log\n", "a.log": "", "a": ""})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert {file.path for file in files_of(top)} == {".gitignore", "a"}


def test_a_folder_that_is_ignored_as_a_whole_is_refused_in_words(tmp_path: Path) -> None:
    top = repository(tmp_path / "top", {".gitignore": "out/\n", "out/paved.yaml": MANIFEST, "out/a": ""})
    with pytest.raises(InvalidInput, match=r"git ignores the folder .*out as a whole") as caught:
        pack_folder(top / "out", load(top / "out"), tmp_path / "parcel")
    assert caught.value.next_step is not None
    assert "!*" in caught.value.next_step
    write(top, {"out/.pavedignore": "!*\n"})
    assert pack_folder(top / "out", load(top / "out"), tmp_path / "parcel").files == 3


def test_where_a_folder_stands_is_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    assert git.standing(tmp_path) is None
    top = repository(tmp_path / "top", {"api/a": "", "web/b": "", ".gitignore": "*.log\n"})
    assert git.standing(top) is None
    run(top, "add", ".")
    run(top, "commit", "-qm", "one")
    commit = run(top, "rev-parse", "--short=7", "HEAD").strip()
    write(top, {"api/x.log": "", "web/b": "changed"})
    assert git.standing(top / "api") == git.Standing(commit, dirty=False)
    assert git.standing(top / "web") == git.Standing(commit, dirty=True)
    write(top, {"api/new": ""})
    assert git.standing(top / "api") == git.Standing(commit, dirty=True)


def test_what_is_shipped_though_git_does_not_look_after_it_is_no_part_of_a_commit(tmp_path: Path) -> None:
    top = repository(tmp_path / "top", {"api/a": "", "api/é\n": "", ".gitignore": "*.conf\n"})
    run(top, "add", ".")
    run(top, "commit", "-qm", "one")
    commit = run(top, "rev-parse", "--short=7", "HEAD").strip()
    assert git.standing(top / "api", ["a", "é\n"]) == git.Standing(commit, dirty=False)
    write(top, {"api/own.conf": ""})  # as .pavedignore may ask for it
    assert git.standing(top / "api", ["a", "own.conf"]) == git.Standing(commit, dirty=True)
    run(top, "update-index", "--assume-unchanged", "api/a")
    write(top, {"api/a": "changed"})
    assert git.standing(top / "api", ["a"]) == git.Standing(commit, dirty=True)
