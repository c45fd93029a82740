"""The examples of AWS's own guides, as its command line ships them: each runs, or is refused as AWS would."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from awscli.clidriver import create_clidriver
from botocore.exceptions import ClientError

from tests.localcloud.clients.guides import Example, examples
from tests.localcloud.clients.readers import ALARM_REGION, REGION, Reader, prepare, prepare_alarms
from tests.localcloud.running import RunningCloud

pytestmark = pytest.mark.slow

REFUSED = {
    "autoscaling": {
        "attach-load-balancers-1": "ValidationError",  # there are no classic balancers
        "detach-load-balancers-1": "ValidationError",
        "create-auto-scaling-group-3": "ValidationError",  # there are no placement groups
        "update-auto-scaling-group-3": "ValidationError",
        "complete-lifecycle-action-1": "ValidationError",  # the token is of the page's own instance
        "record-lifecycle-action-heartbeat-1": "ValidationError",
        "put-scheduled-update-group-action-1": "ValidationError",  # its start time has passed
        "create-launch-configuration-9": "",  # the command line itself does not take what the page says
        "start-instance-refresh-2": "",
    },
    "elbv2": {
        "create-listener-4": "ValidationError",  # TLS is of network balancers
        "create-rule-3": "InvalidConfigurationRequest",  # its action asks an identity provider
        "describe-ssl-policies-2": "",
        "modify-listener-2": "",
        "modify-listener-3": "InvalidConfigurationRequest",  # it is one of IAM's
        "modify-load-balancer-attributes-3": "InvalidConfigurationRequest",
        "modify-target-group-1": "",
        "set-ip-address-type-1": "InvalidConfigurationRequest",  # version 6 of IP is not of this cloud
    },
    "cloudwatch": {
        **dict.fromkeys(
            [
                *("delete-anomaly-detector-1", "describe-anomaly-detectors-1", "put-anomaly-detector-1"),
                *("delete-insight-rules-1", "describe-insight-rules-1", "disable-insight-rules-1"),
                *("enable-insight-rules-1", "get-insight-rule-report-1", "put-insight-rule-1"),
                *("delete-metric-stream-1", "get-metric-stream-1", "list-metric-streams-1"),
                *("put-metric-stream-1", "start-metric-streams-1", "stop-metric-streams-1"),
            ],
            "UnsupportedOperation",
        ),
        "get-metric-statistics-2": "InvalidParameterCombination",  # of more minutes than one answer may have
        "put-metric-data-1": "",  # its file is not on the page
        "get-metric-widget-image-1": "",  # its output goes through a pipe
    },
}
"""By example, the code with which AWS too would refuse what the reader has; none where no call is made."""
_ELSEWHERE = re.compile(r"loadbalancer/(net|gwy)/|--type (network|gateway)|GENEVE|TCP|lambda")
"""Network and gateway balancers, and functions, are not of this cloud yet."""
PAGE_TOKENS = "--starting-token"
"""The pages' tokens are of other accounts: refused by the command line or by the service."""


class Shell:
    """The command line in this process: starting another for each example takes longer than the example."""

    def __init__(self, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capfd = capfd
        self._folder = folder

    def run(self, example: Example, filled: Callable[[str], str]) -> tuple[int, str]:
        for name, content in example.files.items():
            (self._folder / name).write_text(filled(content))
        words = [filled(word).replace("file://~/", "file://") for word in example.words]
        self._capfd.readouterr()
        try:
            status = create_clidriver().main(words)
        except SystemExit as end:  # words that the command line itself does not take
            status = int(end.code or 0)
        said = self._capfd.readouterr()
        return status, said.out + said.err


@pytest.fixture
def shell(
    fresh_cloud: RunningCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Shell:
    folder = tmp_path / "reader"
    folder.mkdir()
    for name, value in fresh_cloud.environment(REGION).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    (folder / "myuserdata.txt").write_text("#!/bin/sh\nexec sleep 1000\n")
    return Shell(capfd, folder)


def _fails(example: Example, status: int, said: str) -> str:
    """What is wrong with how it went, or nothing."""
    expected = REFUSED[example.service].get(example.name)
    if PAGE_TOKENS in example.words:
        return "" if status else f"{example.name}: a token of elsewhere was taken"
    if expected is not None and not (status and (not expected or f"({expected})" in said)):
        return f"{example.name}: not refused with {expected}: {said}"
    if expected is not None:
        return ""
    return f"{example.name}: {' '.join(example.words)}\n    {said.strip()}" if status else ""


Prepare = Callable[[Reader, Example], None]


def _run_all(
    reader: Reader, shell: Shell, chosen: list[Example], prepare: Prepare = lambda *_: None
) -> list[str]:
    failures: list[str] = []
    for example in chosen:
        try:
            reader.begin(example)
            prepare(reader, example)
            problem = _fails(example, *shell.run(example, reader.filled))
        except ClientError as refusal:
            problem = f"{example.name}: what it needs was refused: {refusal}"
        if problem:
            failures.append(problem)
    return failures


@pytest.mark.timeout(600)
def test_the_guide_of_groups_runs_as_written(fresh_cloud: RunningCloud, shell: Shell) -> None:
    def anew(reader: Reader, example: Example) -> None:
        reader.drop_balancers()
        prepare(reader, example)

    failures = _run_all(Reader(fresh_cloud), shell, examples("autoscaling"), anew)
    assert not failures, "\n".join(failures)


@pytest.mark.timeout(600)
def test_the_guide_of_load_balancers_runs_as_written(fresh_cloud: RunningCloud, shell: Shell) -> None:
    reader = Reader(fresh_cloud)
    reader.group(1)
    chosen = [it for it in examples("elbv2") if not _ELSEWHERE.search(" ".join(it.words))]
    failures = _run_all(reader, shell, chosen, lambda reader, _: reader.drop_balancers())
    assert not failures, "\n".join(failures)


@pytest.mark.timeout(600)
def test_the_guide_of_alarms_runs_as_written(
    fresh_cloud: RunningCloud, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", ALARM_REGION)
    failures = _run_all(Reader(fresh_cloud), shell, examples("cloudwatch"), prepare_alarms)
    assert not failures, "\n".join(failures)
