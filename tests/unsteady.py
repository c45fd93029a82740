"""A test that fails is tried once more, alone, at the end of the same run. If it passes then, it was
unsteady: the run passes and lists it by name. With `--unsteady=fail`, a run with unsteady tests fails too."""

from __future__ import annotations

import subprocess
import sys

import pytest

MOST = 20
"""When more than these fail, something is broken: trying each of them again would only take time."""
_ALONE = ("-n", "0", "-p", "no:cacheprovider", "-q", "--unsteady=off")


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--unsteady",
        choices=("off", "list", "fail"),
        default="off",
        help="try what fails once more, alone: off, list what passes then, or fail even so",
    )


class Unsteady:
    """Of the process that hands the tests out, or runs them itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._verdict: str = config.getoption("--unsteady")
        self._failed: dict[str, list[pytest.TestReport]] = {}
        self._unsteady: list[str] = []
        self._said: list[str] = []
        self._not_collected = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._not_collected |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Only where tests have failed, and nothing else is wrong."""
        over = session.exitstatus != pytest.ExitCode.TESTS_FAILED or self._stopped(session)
        if over or self._not_collected or not self._failed:
            return
        if len(self._failed) > MOST:
            self._said.append(f"{len(self._failed)} tests failed: too many to try each once more")
            return
        self._unsteady = [test for test in self._failed if self._passes_alone(test)]
        if len(self._unsteady) == len(self._failed) and self._verdict == "list":
            session.exitstatus = pytest.ExitCode.OK
        self._count(self._config.pluginmanager.get_plugin("terminalreporter"))

    def _count(self, terminal: pytest.TerminalReporter) -> None:
        """As what they are, and no longer among what failed."""
        again = {id(report) for test in self._unsteady for report in self._failed[test]}
        for outcome in ("failed", "error"):
            reports = terminal.stats.get(outcome, [])
            terminal.stats[outcome] = [it for it in reports if id(it) not in again]
        terminal.stats["unsteady"] = [self._failed[test][0] for test in self._unsteady]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._said:
            terminalreporter.write_line(line, yellow=True)
        if not self._unsteady:
            return
        terminalreporter.section("UNSTEADY: failed, and passed when tried once more, alone", yellow=True)
        for test in self._unsteady:
            terminalreporter.write_line(test, yellow=True)
            for report in self._failed[test]:
                terminalreporter.write_line(report.longreprtext)

    def _passes_alone(self, test: str) -> bool:
        command = [sys.executable, "-m", "pytest", *_ALONE, test]
        done = subprocess.run(command, cwd=self._config.rootpath, capture_output=True, text=True, check=False)
        if done.returncode != pytest.ExitCode.OK:
            self._said.append(f"tried once more, alone, and failed again: {test}")
        return done.returncode == pytest.ExitCode.OK

    def _stopped(self, session: pytest.Session) -> bool:
        """Before all tests had their turn, as with `-x`: whoever did so waits for the failure."""
        return bool(session.shouldfail or session.shouldstop)


def watch(config: pytest.Config) -> None:
    """Not in the processes that only run what they are handed."""
    if config.getoption("--unsteady") != "off" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Unsteady(config), "unsteady")
