"""What is checked before anything is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pavedroad.core.errors import Unavailable
from pavedroad.platform import supervisor
from pavedroad.platform.settings import Settings
from tests.running_platform import free_port


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PAVED_HOME", str(tmp_path))
    monkeypatch.setenv("PAVED_PORT", str(free_port()))
    monkeypatch.setenv("PAVED_CLOUD_PORT", str(free_port()))
    return Settings.read()


def test_a_missing_envoy_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise Unavailable("Envoy is not installed.", next_step="Install it.")

    monkeypatch.setattr(supervisor, "envoy_program", missing)
    with pytest.raises(Unavailable, match="Envoy"):
        supervisor.check(settings, supervisor.specs(settings, cloud_only=False))


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
