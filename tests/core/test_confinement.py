"""Which folders of a search path are within the walls."""

from __future__ import annotations

from pathlib import Path

from pavedroad.core.confinement import Walls, visible


def test_only_folders_within_the_walls_are_searched(tmp_path: Path) -> None:
    beside = f"{tmp_path}/tools"
    path = f"/opt:/optional:{beside}:{beside}/bin:{beside}box"
    assert visible(path, Walls()) == "/opt"
    assert visible(path, Walls((beside,))) == f"/opt:{beside}:{beside}/bin"
