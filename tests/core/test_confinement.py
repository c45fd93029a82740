"""Which folders of a search path are within the walls, and whose keys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.core.confinement import Walls, visible

_READS_A_KEY = """
import ctypes
from pavedroad.core import confinement
call = ctypes.CDLL(None).syscall
call(250, 1, b"a session's")
key = call(248, b"user", b"ticket", b"secret", 6, -3)
assert key > 0, "this kernel keeps no keys"
held = ctypes.create_string_buffer(10)
print(call(250, 11, key, held, 10), end=" ")
confinement.confine(confinement.Walls())
print(call(250, 11, key, held, 10))
"""


def test_only_folders_within_the_walls_are_searched(tmp_path: Path) -> None:
    beside = f"{tmp_path}/tools"
    path = f"/opt:/optional:{beside}:{beside}/bin:{beside}box"
    assert visible(path, Walls()) == "/opt"
    assert visible(path, Walls((beside,))) == f"/opt:{beside}:{beside}/bin"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the calls' numbers are of another processor")
def test_keys_of_the_session_that_started_us_are_beyond_the_walls() -> None:
    done = subprocess.run([sys.executable, "-c", _READS_A_KEY], capture_output=True, text=True, check=False)
    if "keeps no keys" in done.stderr:
        pytest.skip("this kernel keeps no keys")
    assert done.stdout == "6 -1\n", done.stderr
