"""Set-up fetches where, and as, pip is told to on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from tests.newcomers.package_index import HOST, Index, index, proxy, wheel

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
USER = "ada:sesame-of-ada"
_OWN = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "XDG_", "AWS_", "PYTHON")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ours, and a uv that notes how it was called and leaves the rest to the real one."""
    folder = tmp_path_factory.mktemp("wheels")
    noting = f'#!/bin/sh\necho "$@" >>"$HOME/called"\nexec {uv.find_uv_bin()} "$@"\n'
    lock = wheel(folder, "paving", "1.0", {"paving.py": "stones = 7\n"})
    lock += wheel(folder, "uv", "1.0", {"uv-1.0.data/scripts/uv": noting})
    (folder / "lock").write_text(lock)
    return folder


@pytest.fixture(scope="module")
def company(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with index(tmp_path_factory.mktemp("index"), wheels, USER) as it:
        yield it


class Newcomer:
    """Somebody with a home, where pip is set up as they like, and nothing else."""

    def __init__(self, home: Path, lock: Path) -> None:
        self.home = home
        self.lock = lock
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_OWN) and not name.lower().endswith("_proxy")
        }
        self.environment = kept | {"HOME": str(home), "UV_HTTP_RETRIES": "0"}

    def told(self, **settings: str) -> None:
        """As by `pip config set global.NAME VALUE`."""
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in settings.items()]
        place = self.home / ".config/pip/pip.conf"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join(["[global]", *lines, ""]))

    def installs(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """What the lock names, into a folder."""
        asked = [uv.find_uv_bin(), "pip", "sync", "--quiet", "--require-hashes", "--target"]
        return self.runs([*asked, str(self.home / "packages"), str(self.lock)], **environment)

    def runs(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPTS / "as_pip.py"), *command],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def has_it(self) -> bool:
        return (self.home / "packages/paving.py").exists()


@pytest.fixture
def newcomer(tmp_path: Path, wheels: Path) -> Newcomer:
    lock = tmp_path / "lock"
    lock.write_text((wheels / "lock").read_text().partition("uv==")[0])
    return Newcomer(tmp_path, lock)


def test_pip_s_files_lead_uv_to_the_index_and_its_authority(newcomer: Newcomer, company: Index) -> None:
    newcomer.told(index_url=company.url(USER), cert=str(company.authority))
    done = newcomer.installs()
    assert done.returncode == 0, done.stderr
    assert newcomer.has_it


def test_pip_s_variables_go_before_its_files(newcomer: Newcomer, company: Index) -> None:
    newcomer.told(index_url="https://127.0.0.1:1/simple", cert="/nowhere")
    done = newcomer.installs(PIP_INDEX_URL=company.url(USER), PIP_CERT=str(company.authority))
    assert done.returncode == 0, done.stderr


def test_what_uv_is_told_itself_stays(newcomer: Newcomer, company: Index) -> None:
    newcomer.told(index_url="https://127.0.0.1:1/simple", cert=str(company.authority))
    done = newcomer.installs(UV_DEFAULT_INDEX=company.url(USER))
    assert done.returncode == 0, done.stderr


def test_a_host_that_pip_trusts_needs_no_certificate(newcomer: Newcomer, company: Index) -> None:
    newcomer.told(index_url=company.url(USER), trusted_host=f"other.test 127.0.0.1:{company.port}")
    done = newcomer.installs()
    assert done.returncode == 0, done.stderr


def test_one_more_index_is_looked_at_too(newcomer: Newcomer, company: Index, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with index(empty, empty) as first:
        both = company.authority.read_text() + first.authority.read_text()
        (tmp_path / "both.pem").write_text(both)
        newcomer.told(
            index_url=first.url(), extra_index_url=company.url(USER), cert=str(tmp_path / "both.pem")
        )
        done = newcomer.installs()
        assert done.returncode == 0, done.stderr
        assert first.asked


@pytest.mark.parametrize("way", ["environment", "pip"])
def test_it_goes_through_the_proxy(newcomer: Newcomer, company: Index, way: str) -> None:
    with proxy(company.port, "bob:sesame-of-bob") as (url, asked):
        settings = {"index_url": company.url(USER, HOST), "cert": str(company.authority)}
        newcomer.told(**settings, **({"proxy": url} if way == "pip" else {}))
        done = newcomer.installs(**({"HTTPS_PROXY": url} if way == "environment" else {}))
        assert done.returncode == 0, done.stderr
        assert f"{HOST}:443" in asked


def test_without_a_network_what_was_fetched_once_is_taken(newcomer: Newcomer, wheels: Path) -> None:
    (newcomer.home / "index").mkdir()
    with index(newcomer.home / "index", wheels) as it:
        newcomer.told(index_url=it.url(), cert=str(it.authority))
        assert newcomer.installs().returncode == 0
    shutil.rmtree(newcomer.home / "packages")
    done = newcomer.installs()
    assert done.returncode == 0, done.stderr
    assert newcomer.has_it


@pytest.mark.parametrize(
    ("wrong", "settings"),
    [
        ("index", "global.index-url"),
        ("authority", "global.cert"),
        ("user", "~/.netrc"),
        ("proxy", "HTTPS_PROXY=http://HOST:PORT"),
        ("proxy's user", "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"),
        ("lacks it", "global.extra-index-url"),
    ],
)
@pytest.mark.parametrize("by", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
def test_a_failure_names_what_to_set_and_no_password(
    newcomer: Newcomer, company: Index, wrong: str, settings: str, by: str
) -> None:
    said = {"index_url": company.url(USER), "cert": str(company.authority)}
    environment: dict[str, str] = {}
    match wrong:
        case "index":
            said["index_url"] = "https://ada:sesame-of-ada@127.0.0.1:1/simple"
        case "authority":
            del said["cert"]
        case "user":
            said["index_url"] = company.url("ada:sesame-of-eve")
        case "proxy":
            said["index_url"] = company.url(USER, HOST)
            environment = {"HTTPS_PROXY": "http://bob:sesame-of-bob@127.0.0.1:1"}
        case "proxy's user":
            said["index_url"] = company.url(USER, HOST)
        case _:
            newcomer.lock.write_text(newcomer.lock.read_text().replace("paving", "gravel"))
    newcomer.told(**said)
    with proxy(company.port, "bob:sesame-of-bob") as (url, _):
        if wrong == "proxy's user":
            environment = {"HTTPS_PROXY": url.replace("of-bob", "of-eve")}
        if by == "uv":
            done = newcomer.installs(**environment)
        else:
            asked = ["download", "--quiet", "--retries", "1", "--require-hashes", "-r", str(newcomer.lock)]
            pip = [sys.executable, "-m", "pip", *asked, "--dest", str(newcomer.home / "fetched")]
            done = newcomer.runs(pip, **environment)
    assert done.returncode != 0
    assert settings in done.stderr.splitlines()[-1]
    assert "sesame" not in done.stdout + done.stderr


BACKEND = """
import zipfile
def build_editable(folder, settings=None, metadata=None):
    name = "mini-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as it:
        about = "mini-1.dist-info"
        it.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\\nName: mini\\nVersion: 1\\n")
        it.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        it.writestr(f"{about}/RECORD", "")
    return name
"""
PROJECT = """
[project]
name = "mini"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def test_a_fresh_clone_is_set_up_from_the_company_s_index_alone(
    newcomer: Newcomer, company: Index, wheels: Path, tmp_path: Path
) -> None:
    """No command line and no word shows the password."""
    newcomer.told(index_url=company.url(USER), cert=str(company.authority))
    clone = tmp_path / "a clone"
    shutil.copytree(SCRIPTS, clone / "scripts")
    for name in ("pavedroad/__init__.py", "pavedroad/bakery/__init__.py", "pavedroad/bakery/as_pip.py"):
        (clone / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCRIPTS.parent / "src" / name, clone / "src" / name)
    (clone / "pyproject.toml").write_text(PROJECT)
    (clone / "backend.py").write_text(BACKEND)
    (clone / "requirements.lock").write_text((wheels / "lock").read_text())
    done = subprocess.run(
        [str(clone / "scripts/setup"), str(clone / ".venv")],
        env=newcomer.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = [str(clone / ".venv/bin/python"), "-c", "import paving; print(paving.stones)"]
    assert subprocess.run(ran, capture_output=True, text=True, check=True).stdout == "7\n"
    called = (newcomer.home / "called").read_text()
    assert "pip sync" in called
    assert "sesame" not in called + done.stdout + done.stderr
