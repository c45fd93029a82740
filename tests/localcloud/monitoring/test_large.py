"""Much of everything: long expressions, many metrics, long series, and a million datapoints."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.monitoring import series
from pavedroad.localcloud.monitoring.journal import MetricJournal
from pavedroad.localcloud.monitoring.retention import Retention
from pavedroad.localcloud.monitoring.statistics import datapoints, statistic
from pavedroad.localcloud.monitoring.store import Point, Store, metric_id
from tests.localcloud.monitoring.bench import ACCOUNT, BEGINNING, REGION, Bench
from tests.localcloud.monitoring.test_metric_data import got, stat

PLACE = (ACCOUNT, REGION)
METRIC = metric_id("N", "m", ())


def stored(data: list[tuple[int, float, float]]) -> Store:
    store = Store()
    store.put(PLACE, [Point(METRIC, "None", at, 1, (value,), (count,)) for at, value, count in data])
    return store


def test_long_sums_and_long_chains_of_queries_are_computed(bench: Bench) -> None:
    bench.put(1.0, ago=60)
    chain = [stat("e0", ReturnData=False), {"Id": "e1", "Expression": "e0 * 1", "ReturnData": False}]
    for number in range(2, 499):
        both = f"e{number - 1} + 0 * e{number - 2}"
        chain.append({"Id": f"e{number}", "Expression": both, "ReturnData": False})
    total = {"Id": "sum", "Expression": "+".join(["e498"] * 400)}
    (found,) = got(bench, *reversed(chain), total)["MetricDataResults"]
    assert found["Values"] == [400.0]


def test_metrics_are_listed_in_pages_of_500_and_none_is_lost(bench: Bench) -> None:
    for begin in range(0, 1200, 600):
        data = [
            {"MetricName": "Load", "Value": 1.0, "Dimensions": [{"Name": "Host", "Value": f"h{number}"}]}
            for number in range(begin, begin + 600)
        ]
        bench.call("PutMetricData", Namespace="Many", MetricData=data)
    seen: list[str] = []
    token, sizes = None, list[int]()
    while not sizes or token:
        found = bench.call("ListMetrics", Namespace="Many", NextToken=token)
        seen += [metric["Dimensions"][0]["Value"] for metric in found["Metrics"]]
        token = found["NextToken"]
        sizes.append(len(found["Metrics"]))
    assert sizes == [500, 500, 200]
    assert seen == sorted(f"h{number}" for number in range(1200))


def test_a_long_series_is_folded_by_stretches_and_late_datapoints_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(series, "_FOLDED_AT_ONCE", 7)
    dice = random.Random(5)
    data = [(dice.randrange(3000), float(dice.randrange(9)), 1.0) for _ in range(400)]
    store, reference = stored(data), stored(data)
    ((_, folded),) = store.everything()
    while folded.coarsen(1500, 60):
        pass
    late = [(at, 5.0, 1.0) for at in (1, 2000, 30)]
    for one in (store, reference):
        one.put(PLACE, [Point(METRIC, "None", at, 1, (value,), (count,)) for at, value, count in late])
    for before, width in ((1501, 60), (2500, 300)):
        while folded.coarsen(before, width):
            pass
    assert all(start % 300 == 0 for start in folded.starts if start < 2400)
    for name in ("Sum", "p90", "Minimum", "SampleCount"):
        both = [
            datapoints(
                one.slices(PLACE, METRIC, None, 0, 9000, spreads=True).values(), statistic(name), 300, 0
            )
            for one in (store, reference)
        ]
        assert both[0] == both[1]


MINUTES, HOSTS = 1000, 1000


def value_of(minute: int, host: int) -> float:
    return float((minute * 7919 + host * 31) % 997)


def put_a_million(store: Store) -> None:
    end = BEGINNING.timestamp()
    hosts = [metric_id("Test", "Latency", [("Host", f"host-{host}")]) for host in range(HOSTS)]
    for minute in range(MINUTES):
        at = end - 60 * (MINUTES - minute)
        points = [
            Point(metric, "None", at, 60, (value_of(minute, host),)) for host, metric in enumerate(hosts)
        ]
        store.put(PLACE, points)


@pytest.mark.slow
def test_a_million_datapoints_are_kept_modestly_answered_exactly_and_there_after_a_crash(
    tmp_path: Path, bench: Bench
) -> None:
    retention = Retention(ManualClock(BEGINNING))
    store = Store()
    journal = MetricJournal(tmp_path, store, retention)
    journal.start()
    store.wait_whole()
    before = psutil.Process().memory_info().rss
    put_a_million(store)
    assert psutil.Process().memory_info().rss - before < 60 * 2**20
    assert sum(one.size for _, one in store.everything()) <= 16 * MINUTES * HOSTS
    journal.close()

    again = MetricJournal(tmp_path, bench.service.store, retention)
    again.start()
    bench.service.store.wait_whole()
    again.close()

    named = [{"Name": "Host", "Value": "host-7"}]
    queries: list[dict[str, Any]] = []
    for number, how in enumerate(("p50", "p99", "p99.9", "Average", "Maximum", "SampleCount")):
        query = stat(f"q{number}", "Latency", how, 3600)
        query["MetricStat"]["Metric"]["Dimensions"] = named
        queries.append(query)
    found = got(bench, *queries, minutes=MINUTES)["MetricDataResults"]
    hours = [
        sorted(value_of(minute, 7) for minute in range(begin, min(begin + 60, MINUTES)))
        for begin in range(0, MINUTES, 60)
    ]
    for line, share in zip(found, (0.5, 0.99, 0.999), strict=False):
        ranks = [max(1, math.ceil(round(len(hour) * share, 9))) for hour in hours]
        assert line["Values"] == [hour[rank - 1] for hour, rank in zip(hours, ranks, strict=True)]
    assert found[3]["Values"] == pytest.approx([sum(hour) / len(hour) for hour in hours])
    assert found[4]["Values"] == [hour[-1] for hour in hours]
    assert found[5]["Values"] == [len(hour) for hour in hours]

    everything = {
        "Id": "all",
        "Expression": "SUM(SEARCH('{Test,Host} Latency', 'Sum', 3600))",
        "Period": 3600,
    }
    (line,) = got(bench, everything, minutes=MINUTES)["MetricDataResults"]
    searched = sorted(f"host-{host}" for host in range(HOSTS))[:500]
    hosts = [int(name.removeprefix("host-")) for name in searched]
    assert sum(line["Values"]) == sum(value_of(minute, host) for minute in range(MINUTES) for host in hosts)

    asked: list[dict[str, Any]] = []
    for host in range(500):
        query = stat(f"h{host}", "Latency", "Sum")
        query["MetricStat"]["Metric"]["Dimensions"] = [{"Name": "Host", "Value": f"host-{host}"}]
        asked.append(query)
    window = {"StartTime": BEGINNING - timedelta(minutes=MINUTES), "EndTime": BEGINNING}
    token, sizes, total = None, list[int](), 0.0
    while not sizes or token:
        page = bench.call("GetMetricData", MetricDataQueries=asked, **window, NextToken=token)
        sizes.append(sum(len(line["Values"]) for line in page["MetricDataResults"]))
        total += sum(sum(line["Values"]) for line in page["MetricDataResults"])
        token = page["NextToken"]
    assert sizes == [100_800] * 4 + [500_000 - 4 * 100_800]
    assert total == sum(value_of(minute, host) for minute in range(MINUTES) for host in range(500))
