"""A setting that cannot be is refused by its name, and never passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.core.errors import InvalidInput
from pavedroad.platform.settings import Settings

WRONG = {
    "PAVED_PORT": ["0", "65536", "4_570", "٤٥٧٠", " 4570", "many", "1" * 5000],
    "PAVED_CLOUD_PORT": ["-1", "4566.0"],
    "PAVED_CLOUD_NETWORK": ["host"],
    "PAVED_CLOUD_OPEN": ["perhaps"],
    "PAVED_CLOUD_INSTANCE_LIMIT": ["0", "1e3", "none"],
    "PAVED_CLOUD_VCPU_LIMIT": ["-5", "١٢"],
    "PAVED_READABLE": ["src", "/opt:../x"],
    "PAVED_CONFINEMENT": ["off", "None"],
    "PAVED_ENDPOINT_URL": ["AWS", "ftp://x", "http://", "127.0.0.1:4566", "http://a:x", "http://a\nb"],
    "PAVED_REGION": ["here", "us-east-1\n", "../x"],
    "PAVED_ALLOWED_HOSTS": [
        "paved.example",
        "{}",
        "[1]",
        '["a b"]',
        '["http://a"]',
        '["a:x"]',
        '["*"]',
        "[[",
    ],
    "PAVED_LOG_LEVEL": ["loud"],
    "PAVED_DATABASE_URL": ["mysql://x/y", "nonsense"],
}
OF_ANY_VALUE = {"PAVED_HOME"}


@pytest.mark.parametrize(("variable", "value"), [(name, it) for name, all_ in WRONG.items() for it in all_])
def test_what_cannot_be_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInput) as refusal:
        Settings.read()
    assert refusal.value.sentence.startswith(f"The setting {variable} is ")
    assert variable in (refusal.value.next_step or "")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PAVED_DATABASE_URL", "mysql://u:hunter2@x/y"), ("PAVED_ENDPOINT_URL", "ftp://u:hunter2@x")],
)
def test_a_refusal_shows_no_password(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInput, match=variable) as refusal:
        Settings.read()
    assert "hunter2" not in refusal.value.sentence


def test_every_setting_has_a_wrong_value_here() -> None:
    named = {f"PAVED_{name.upper()}" for name in Settings.model_fields}
    assert named == WRONG.keys() | OF_ANY_VALUE


@pytest.mark.parametrize("variable", sorted(WRONG.keys() | OF_ANY_VALUE))
def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv(variable, raising=False)
    before = Settings.read()
    monkeypatch.setenv(variable, "")
    assert Settings.read() == before


def test_right_ones_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAVED_ALLOWED_HOSTS", '["paved.example", "127.0.0.1:8080", "[::1]:80"]')
    monkeypatch.setenv("PAVED_ENDPOINT_URL", "https://cloud.example:8443")
    monkeypatch.setenv("PAVED_READABLE", "/srv/a:/srv/b")
    read = Settings.read()
    assert read.allowed_hosts == ("paved.example", "127.0.0.1:8080", "[::1]:80")
    assert (read.endpoint_url, read.readable) == ("https://cloud.example:8443", "/srv/a:/srv/b")


@pytest.mark.parametrize(
    ("variable", "value"), [("PAVED_CLOUD_INSTANCE_LIMIT", "many"), ("PAVED_CONFINEMENT", "off")]
)
def test_the_cloud_alone_refuses_its_own_by_name(tmp_path: Path, variable: str, value: str) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "pavedroad.localcloud", "--home", str(home), "--port", "0"]
    environment = {**os.environ, variable: value}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 6
    assert f"The setting {variable} is '{value}'" in ran.stderr
    assert not home.exists()
