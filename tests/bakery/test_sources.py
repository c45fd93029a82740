"""Which files of a folder count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pavedroad.bakery.sources import copy_to, digest_of, files_of
from pavedroad.core.errors import InvalidInput
from tests.bakery.kitchen import write


def names(folder: Path, **options: list[str]) -> list[str]:
    return [file.path for file in files_of(folder, **options)]


def test_books_of_tools_and_environments_are_never_source(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app.py": "",
            ".git/config": "",
            "node_modules/x/index.js": "",
            "env/pyvenv.cfg": "",
            "env/bin/python": "",
            "__pycache__/app.cpython-311.pyc": "",
            "lib/b.pyc": "",
            "lib/b.py": "",
        },
    )
    assert names(tmp_path) == ["app.py", "lib/b.py"]


def test_ignore_files_count_as_git_reads_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "*.log\n/dist/\n!keep.log\n# comment\n",
            ".pavedignore": "docs/\n",
            "a.log": "",
            "keep.log": "",
            "dist/x": "",
            "sub/dist/y": "",
            "docs/z": "",
            "sub/.gitignore": "secret\n/only-here\n!b.log\n",
            "sub/secret": "",
            "sub/deep/secret": "",
            "sub/only-here": "",
            "sub/deep/only-here": "",
            "sub/b.log": "",
            "secret": "",
        },
    )
    assert names(tmp_path) == [
        ".gitignore",
        ".pavedignore",
        "keep.log",
        "secret",
        "sub/.gitignore",
        "sub/b.log",
        "sub/deep/only-here",
        "sub/dist/y",
    ]


def test_what_git_ignores_can_be_asked_for_again(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.js\n", ".pavedignore": "!site.js\n", "site.js": "", "other.js": ""})
    assert "site.js" in names(tmp_path)
    assert "other.js" not in names(tmp_path)


def test_include_and_exclude_choose_among_the_files(tmp_path: Path) -> None:
    write(tmp_path, {"src/a.py": "", "src/b.txt": "", "notes.md": ""})
    assert names(tmp_path, include=["src/"]) == ["src/a.py", "src/b.txt"]
    assert names(tmp_path, include=["src/"], exclude=["*.txt"]) == ["src/a.py"]
    assert names(tmp_path, exclude=["src/"]) == ["notes.md"]


def test_links_inside_are_kept_and_links_out_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a/real": "x"})
    (tmp_path / "a/link").symlink_to("../a/real")
    files = files_of(tmp_path)
    assert [(file.path, file.link) for file in files] == [("a/link", "../a/real"), ("a/real", None)]
    (tmp_path / "a/out").symlink_to("../../etc/passwd")
    with pytest.raises(InvalidInput, match=r"a/out is a link to \.\./\.\./etc/passwd, outside the folder"):
        files_of(tmp_path)


def test_pipes_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert names(tmp_path) == []


def test_the_digest_follows_content_name_and_mode_alone(tmp_path: Path) -> None:
    def digest() -> str:
        return digest_of(files_of(tmp_path))

    place = write(tmp_path, {"a.py": "1", "paved.yaml": "x"}) / "a.py"
    first = digest()
    os.utime(place, (1, 1))
    (tmp_path / "paved.yaml").write_text("capacity: 5")
    assert digest() == first
    place.chmod(0o755)
    assert (second := digest()) != first
    place.write_text("2")
    assert (third := digest()) != second
    place.rename(tmp_path / "b.py")
    assert digest() != third


def test_a_copy_has_the_same_digest_and_no_manifest(tmp_path: Path) -> None:
    source = write(tmp_path / "source", {"run": "#!/bin/sh\n", "sub/b": "x", "paved.yaml": "y"})
    (source / "run").chmod(0o700)
    (source / "link").symlink_to("sub/b")
    files = files_of(source)
    copy_to(tmp_path / "copy", files)
    assert digest_of(files_of(tmp_path / "copy")) == digest_of(files)
    assert not (tmp_path / "copy/paved.yaml").exists()
