"""What the command does by itself, with no platform running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running_platform import PAVED


def paved(
    home: Path, *arguments: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PAVED_")}
    return subprocess.run(
        [*PAVED, *arguments],
        env=clean | {"PAVED_HOME": str(home), "COLUMNS": "200"} | env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_said(tmp_path: Path) -> None:
    done = paved(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, "pavedroad 0.1.0\n")


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["clusters"],
        ["token", "list"],
        ["logs", "api"],
        ["cloud", "env"],
        ["destroy", "api", "--yes"],
    ],
    ids=" ".join,
)
def test_without_a_platform_every_command_says_how_to_start_one(tmp_path: Path, command: list[str]) -> None:
    done = paved(tmp_path, *command)
    assert done.returncode == 3
    assert done.stdout == ""
    sentence, next_step = done.stderr.splitlines()
    assert sentence.endswith("not running.")
    assert next_step.startswith("next: Start it with `paved up`")


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["deplyo"], "No such command 'deplyo'."),
        (["deploy", "--colour"], "No such option: --colour"),
        (["rollback"], "Missing argument"),
        (["up", "--port", "99999"], "less than or equal to 65535"),
        (["new", "api", "--kind", "cobol"], "'cobol' is not one of"),
        (["new", "my-api"], "'my-api' is not an application's name"),
        (["deploy", "nowhere"], "There is no file nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, command: list[str], named: str) -> None:
    done = paved(tmp_path, *command, cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr
    assert "next: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = paved(tmp_path, "up", "--detach", PAVED_PORT="many")
    assert done.returncode == 2
    assert "The setting PAVED_PORT is 'many'" in done.stderr


def test_a_wrong_paved_yaml_names_file_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "paved.yaml").write_text("application: api\nowner: me\ncommand: ./serve\nport: seven\n")
    done = paved(tmp_path / "home", "deploy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "paved.yaml:4:7 port" in done.stderr.replace(": port", " port")


def test_destroying_is_not_done_unasked(tmp_path: Path) -> None:
    done = paved(tmp_path, "destroy", "api")
    assert done.returncode == 2
    assert "next: Say --yes" in done.stderr


def test_the_schema_is_json(tmp_path: Path) -> None:
    assert json.loads(paved(tmp_path, "schema").stdout)["title"] == "paved.yaml"


@pytest.mark.parametrize("kind", ["python", "node", "command"])
def test_a_new_service_has_a_paved_yaml_that_is_right(tmp_path: Path, kind: str) -> None:
    done = paved(tmp_path, "new", "api", "--kind", kind, "--owner", "team-road", cwd=tmp_path)
    assert done.returncode == 0
    assert "paved deploy api" in done.stdout
    checked = json.loads(paved(tmp_path, "validate", "api", "--json", cwd=tmp_path).stdout)
    assert (checked["application"], checked["owner"]) == ("api", "team-road")
    again = paved(tmp_path, "new", "api", cwd=tmp_path)
    assert again.returncode == 5
    assert "is there already" in again.stderr


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = paved(tmp_path / "file" / "home", "up", "--detach")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "PAVED_HOME" in done.stderr


def test_a_platform_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = paved(tmp_path, "clusters", PAVED_URL="http://127.0.0.1:1", PAVED_TOKEN="x")
    assert done.returncode == 3
    assert "http://127.0.0.1:1 cannot be reached" in done.stderr


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://[::1", "http://x:port"])
def test_an_address_that_is_none_is_said_as_such(tmp_path: Path, url: str) -> None:
    done = paved(tmp_path, "clusters", PAVED_URL=url, PAVED_TOKEN="x")
    assert done.returncode == 3
    assert f"'{url}' is no address: " in done.stderr
    assert ".." not in done.stderr
    assert "unset PAVED_URL" in done.stderr


@pytest.mark.parametrize("token", ["secret\nsecret", "secret\x1b[31m", "secr\xe9t"])
def test_a_token_that_cannot_be_sent_is_not_shown(tmp_path: Path, token: str) -> None:
    there = {"PAVED_URL": "http://127.0.0.1:1"}
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text(token)
    for done in (paved(tmp_path, "clusters", PAVED_TOKEN=token, **there), paved(home, "clusters", **there)):
        assert done.returncode == 7
        assert "is no token" in done.stderr
        assert "secr" not in done.stderr


def test_down_with_nothing_running_is_well(tmp_path: Path) -> None:
    done = paved(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, "Nothing was running.\n")


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import pavedroad.cli.main", {"httpx", "pydantic", "psutil", "boto3", "moto", "dbos", "fastapi"}),
        (
            "import typer, pavedroad.cli.main as m; [*typer.main.get_command(m.app).commands.values()]",
            {"boto3", "moto", "dbos", "fastapi", "sqlalchemy", "grpc"},
        ),
        ("import pavedroad.platform.supervisor", {"httpx", "boto3", "dbos", "fastapi", "sqlalchemy"}),
    ],
    ids=["the command", "all commands", "the supervisor"],
)
def test_nothing_waits_for_imports_that_it_does_not_use(code: str, heavy: set[str]) -> None:
    code = f"import sys; {code}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
