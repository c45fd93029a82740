"""What tests of several packages share."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pavedroad.core.confinement import READABLE
from tests import leftovers, unsteady
from tests.running_platform import Platform

# Instances of tests are often served by the interpreter that runs the tests, with what is installed for it.
os.environ.setdefault(READABLE, f"{sys.prefix}:{sys.base_prefix}")

# Where bytecode is not kept, a cloud takes twice as long to start, and a platform too.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Begun in the background by a script, we are deaf to Ctrl-C, and so would be what we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    unsteady.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    unsteady.watch(config)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> pytest.ExitCode | int | None:
    return leftovers.run_beneath(config)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A platform that runs, one for each test process; at the end nothing of it may be left."""
    with tempfile.TemporaryDirectory(prefix="paved-home-") as folder:
        running = Platform(Path(folder))
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture
def fresh_platform() -> Iterator[Platform]:
    """A home with nothing in it yet; whatever a test starts there is stopped."""
    with tempfile.TemporaryDirectory(prefix="paved-home-") as folder:
        running = Platform(Path(folder))
        try:
            yield running
        finally:
            running.stop()
