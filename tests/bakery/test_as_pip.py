"""Packages of images come from where pip is told to look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bakery.kitchen import Kitchen, write
from tests.newcomers.package_index import index, wheel

MANIFEST = """
    application: road
    owner: team-road
    command: python -c 'import paving'
"""


@pytest.mark.parametrize("way", ["a file", "environment"])
async def test_a_package_comes_from_the_index_that_pip_s_settings_name(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name in ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "paving", "1.0", {"paving.py": "stones = 7\n"})
    with index(tmp_path, wheels, "ada:sesame") as company:
        if way == "a file":
            said = f"[global]\nindex-url = {company.url('ada:sesame')}\ncert = {company.authority}\n"
            (tmp_path / "pip.conf").write_text(said)
            monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        else:
            monkeypatch.setenv("PIP_INDEX_URL", company.url("ada:sesame"))
            monkeypatch.setenv("PIP_CERT", str(company.authority))
        files = {"paved.yaml": MANIFEST, "requirements.txt": "paving==1.0\n", "serve.py": ""}
        result = await kitchen.bake(write(tmp_path / "road", files))
    root = await kitchen.root(result)
    assert list(root.glob(".venv/lib/python*/site-packages/paving.py"))
    assert not [line for line in kitchen.lines if "sesame" in line]
