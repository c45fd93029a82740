"""What the command does by itself, with no platform running."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.core.errors import StateUnreadable
from pavedroad.core.homes import check_home
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
        (["rollback", "api", "--capacity", "0"], "0 is not in the range x>=1"),
        (["up", "--port", "99999"], "not in the range 1<=x<=65535"),
        (["new", "api", "--kind", "cobol"], "'cobol' is not one of"),
        (["new", "my-api"], "'my-api' is not an application's name"),
        (["new", "my-api"], "next: Write it so: paved new my_api"),
        (["deploy", "--vresion", "x"], "Did you mean --json or --version?\nnext: See `paved deploy --help`."),
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


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [
        (["status", "--json"], "unavailable", 3),
        (["deplyo", "--json"], "invalid-input", 2),
        (["deploy", "--json", "--colour"], "invalid-input", 2),
        (["rollback", "--json"], "invalid-input", 2),
        (["validate", "--json", "nowhere"], "invalid-input", 2),
        (["destroy", "api", "--json"], "invalid-input", 2),
        (["up", "--json", "--port", "none"], "invalid-input", 2),
    ],
)
def test_with_json_an_error_is_json_and_all_that_is_said(
    tmp_path: Path, command: list[str], code: str, status: int
) -> None:
    done = paved(tmp_path, *command, cwd=tmp_path)
    told = json.loads(done.stderr)
    assert (done.returncode, done.stdout, told["code"], told["exit_code"]) == (status, "", code, status)
    assert told["detail"]
    assert told["next_step"]


def test_a_capacity_that_is_none_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "paved.yaml").write_text("application: api\nowner: me\ncommand: ./serve\n")
    for told in ("many", "0", "-1"):
        done = paved(tmp_path, "deploy", f"--capacity={told}", cwd=tmp_path)
        assert done.returncode == 2
        assert f"--capacity says '{told}', and takes a number of instances, or 'manifest'." in done.stderr


def test_a_manifest_is_named_by_its_file_as_by_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "prod.yaml").write_text("application: api\nstack: prod\nowner: me\ncommand: ./serve\n")
    for place, cwd in (("api/prod.yaml", tmp_path), ("prod.yaml", folder)):
        assert paved(tmp_path, "validate", place, cwd=cwd).stdout == "api-prod, of me: all is well.\n"
    for place, named in (("api/prd.yaml", "prd"), ("api", "paved")):
        done = paved(tmp_path, "deploy", place, cwd=tmp_path)
        assert done.returncode == 2
        assert f"There is no file api/{named}.yaml." in done.stderr
        assert "next: Name the one that is there: paved deploy api/prod.yaml" in done.stderr


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
    url, home = "http://127.0.0.1:1", tmp_path / "home"
    home.mkdir()
    (home / "token").write_text(token)
    for done in (
        paved(tmp_path, "clusters", PAVED_TOKEN=token, PAVED_URL=url),
        paved(home, "clusters", PAVED_URL=url),
    ):
        assert done.returncode == 7
        assert "is no token" in done.stderr
        assert "secr" not in done.stderr


def test_down_with_nothing_running_is_well(tmp_path: Path) -> None:
    done = paved(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, "Nothing was running.\n")


_ALL = "import pavedroad.cli.commands as c; [c.Later(name, it).command for name, it in c.COMMANDS.items()]"


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import pavedroad.cli.main", {"httpx", "pydantic", "psutil", "boto3", "moto", "dbos", "fastapi"}),
        (
            _ALL,
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


ASKING = (
    "--help --version status clusters applications images images\xa0list deployments logs\xa0api audit "
    " token\xa0list session\xa0list cloud\xa0status cloud\xa0env cloud\xa0--help rollback\xa0api nonsense"
)


@pytest.mark.parametrize("command", [words.replace("\xa0", " ") for words in ASKING.split(" ")])
def test_a_command_that_only_asks_loads_only_what_it_shows(tmp_path: Path, command: str) -> None:
    heavy = {"pydantic", "httpx", "botocore", "yaml", "psutil", "asyncio", "rich.markdown", "zstandard"}
    code = (
        f"import atexit, sys; atexit.register(lambda: print('heavy:', *sorted({heavy} & set(sys.modules))));"
        "from pavedroad.cli.main import run; run(sys.argv[1:])"
    )
    command_line = [sys.executable, "-c", code, *command.split()]
    environment = os.environ | {"PAVED_HOME": str(tmp_path)}
    done = subprocess.run(command_line, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_a_shell_completes_commands_and_options(tmp_path: Path) -> None:
    def completed(typed: str) -> list[str]:
        at = str(typed.count(" "))
        done = paved(tmp_path, _PAVED_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=at)
        return done.stdout.split()

    assert completed("paved dep") == ["deploy", "deployments"]
    assert completed("paved cloud ") == ["up", "down", "status", "env", "fault"]
    assert completed("paved cloud fault zone") == ["zone-down"]
    assert "--follow" in completed("paved deployments --f")


@pytest.mark.parametrize("command", [[], ["token"], ["cloud"]], ids=str)
def test_a_command_alone_shows_its_help_and_complains_of_nothing(tmp_path: Path, command: list[str]) -> None:
    done = paved(tmp_path, *command)
    assert done.returncode == 2
    assert "Commands" in done.stdout + done.stderr
    assert "next:" not in done.stderr


def test_what_never_started_is_not_said_to_stop_and_a_home_is_where_the_command_was_typed(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = paved(Path("here"), "cloud", "up", cwd=tmp_path, PAVED_CLOUD_PORT=port)
    assert done.returncode == 3
    sentence, next_step = done.stderr.splitlines()
    assert sentence.startswith(f"Port {port} for the private cloud cannot be used")
    assert "--cloud-port or PAVED_CLOUD_PORT" in next_step
    assert (tmp_path / "here" / "logs" / "supervisor.log").is_file()


def test_a_home_out_of_reach_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(StateUnreadable) as refusal:
        check_home(tmp_path, kept=["token"])
    assert refusal.value.next_step == "Give this user its folder, or set PAVED_HOME to another."
