"""Twenty flips between two versions under saturating keep-alive load: `python benchmarks/flips.py`.

For each balancer, in one run on the same services: failed requests, and the time from the call to the last
response of the old version. `--json` prints the figures for a machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import PIPE, Popen

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.load import Load, Report
from benchmarks.proxies import PORT, Proxy, Versions, proxies

TARGET = Path(__file__).with_name("target.py")
OLD, NEW = "v1", "v2"


@dataclass(frozen=True, slots=True)
class Result:
    """Times in milliseconds, over all flips."""

    balancer: str
    flips: int
    requests: int
    requests_a_second: int
    failed: int
    failures: dict[str, int]
    last_old_median: float
    last_old_worst: float
    told_median: float
    """Until the balancer said that it was done."""


@dataclass(frozen=True, slots=True)
class Flip:
    called: float
    told: float
    left: str


def addresses(count: int) -> list[str]:
    process = os.getpid()
    return [f"127.{50 + process % 40}.{process // 40 % 250}.{number + 1}" for number in range(count)]


@contextmanager
def services(versions: Versions) -> Iterator[None]:
    """Each version's targets in a process of their own."""
    with ExitStack() as running:
        for version, places in versions.items():
            command = [sys.executable, str(TARGET), version, *(f"{place}:{PORT}" for place in places)]
            process = running.enter_context(Popen(command, stdin=PIPE, stdout=PIPE, text=True))
            running.callback(process.kill)
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield


async def measure(proxy: Proxy, versions: Versions, *, flips: int, pause: float, connections: int) -> Result:
    made: list[Flip] = []
    with tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp") as folder:
        try:
            await proxy.start(versions, OLD, Path(folder))
            with Load(proxy.address, PORT, connections=connections) as load:
                await asyncio.sleep(1)
                for number in range(flips):
                    old, new = (OLD, NEW) if number % 2 == 0 else (NEW, OLD)
                    called = time.monotonic()
                    await proxy.flip(new)
                    made.append(Flip(called, time.monotonic(), old))
                    await asyncio.sleep(pause)
                report = await asyncio.to_thread(load.stop)
        finally:
            await proxy.stop()
    return _result(proxy.name, made, report)


def _result(name: str, flips: list[Flip], report: Report) -> Result:
    lasts: list[float] = []
    for number, flip in enumerate(flips):
        until = flips[number + 1].called if number + 1 < len(flips) else math.inf
        last = report.last(flip.left, flip.called, until)
        lasts.append(1000 * (last - flip.called) if last else 0.0)
    return Result(
        balancer=name,
        flips=len(flips),
        requests=report.requests,
        requests_a_second=round(report.requests / report.seconds),
        failed=report.failed,
        failures=report.failures,
        last_old_median=round(statistics.median(lasts), 2),
        last_old_worst=round(max(lasts), 2),
        told_median=round(statistics.median(1000 * (flip.told - flip.called) for flip in flips), 2),
    )


async def run(flips: int, pause: float, connections: int) -> list[Result]:
    front, *places = addresses(7)
    versions: Versions = {OLD: places[:3], NEW: places[3:]}
    present, missing = proxies(front)
    for absent in missing:
        print(
            f"NOT COMPARED with {absent.name}: it is not installed. Type: apt-get install {absent.package}",
            file=sys.stderr,
        )
    results: list[Result] = []
    with services(versions):
        for proxy in present:
            print(f"{proxy.name} ...", file=sys.stderr)
            results.append(await measure(proxy, versions, flips=flips, pause=pause, connections=connections))
    return results


def table(results: list[Result]) -> str:
    answers = f"{'':26}{'flips':>6}{'requests':>10}{'a second':>10}{'failed':>8}"
    lines = [f"{answers}{'last old, median':>18}{'worst':>10}{'told':>10}"]
    lines += [
        f"{one.balancer:26}{one.flips:>6}{one.requests:>10}{one.requests_a_second:>10}{one.failed:>8}"
        f"{one.last_old_median:>15} ms{one.last_old_worst:>7} ms{one.told_median:>7} ms"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flips", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.4, help="seconds between flips")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = asyncio.run(run(arguments.flips, arguments.pause, arguments.connections))
    print(json.dumps([asdict(one) for one in results], indent=2) if arguments.json else table(results))
    sys.exit(1 if results[0].failed else 0)


if __name__ == "__main__":
    main()
