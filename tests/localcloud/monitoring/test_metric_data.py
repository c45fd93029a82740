"""GetMetricData on a bench: alignment, statistics, metric math, pages."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.statistics import UnknownStatistic, datapoints, statistic
from pavedroad.localcloud.monitoring.store import Point, Store, metric_id
from tests.localcloud.monitoring.bench import BEGINNING, Bench


def stat(name: str, metric: str = "Load", how: str = "Sum", period: int = 60, **more: Any) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "Test", "MetricName": metric, "Dimensions": []},
            "Period": period,
            "Stat": how,
        },
        **more,
    }


def got(bench: Bench, *queries: dict[str, Any], minutes: int = 10, **more: Any) -> dict[str, Any]:
    return bench.call(
        "GetMetricData",
        MetricDataQueries=list(queries),
        StartTime=BEGINNING - timedelta(minutes=minutes),
        EndTime=BEGINNING,
        ScanBy="TimestampAscending",
        **more,
    )


def values(bench: Bench, expression: str, *others: dict[str, Any], **more: Any) -> list[list[float]]:
    """What an expression over `a` (1, 2, missing, 4) and `b` (10, 20, 30, 0) gives, line by line."""
    hidden = [stat("a", "A", ReturnData=False), stat("b", "B", ReturnData=False)]
    found = got(bench, *hidden, {"Id": "e", "Expression": expression}, *others, minutes=4, **more)
    return [line["Values"] for line in found["MetricDataResults"] if line["Id"] == "e"]


@pytest.fixture
def lines(bench: Bench) -> Bench:
    for ago, first, second in ((4, 1.0, 10.0), (3, 2.0, 20.0), (2, None, 30.0), (1, 4.0, 0.0)):
        if first is not None:
            bench.put(first, name="A", ago=60 * ago)
        bench.put(second, name="B", ago=60 * ago)
    return bench


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a + 1", [[2, 3, 5]]),
        ("a * 2 - b / 10", [[1, 2, 8]]),
        ("b / a", [[10, 10, 0]]),
        ("a / b", [[0.1, 0.1]]),
        ("-a ^ 2", [[-1, -4, -16]]),
        ("2 ^ 3 ^ 0 * a", [[2, 4, 8]]),
        ("a > 1 AND b > 0", [[0, 1, 0]]),
        ("a == 1 || b == 0", [[1, 0, 1]]),
        ("IF(a > 1, b, -1)", [[-1, 20, 0]]),
        ("IF(a > 1, b)", [[20, 0]]),
        ("FILL(a, 0)", [[1, 2, 0, 4]]),
        ("FILL(a, REPEAT)", [[1, 2, 2, 4]]),
        ("FILL(a, LINEAR)", [[1, 2, 3, 4]]),
        ("FILL(a, b)", [[1, 2, 30, 4]]),
        ("SUM([a, b])", [[11, 22, 30, 4]]),
        ("AVG(METRICS())", [[5.5, 11, 15, 2]]),
        ("MAX([a, b])", [[10, 20, 30, 4]]),
        ("MIN([a, b])", [[1, 2, 30, 0]]),
        ("a / SUM(a)", [[1 / 7, 2 / 7, 4 / 7]]),
        ("DIFF(b)", [[10, 10, -30]]),
        ("RATE(b)", [[10 / 60, 10 / 60, -0.5]]),
        ("DIFF_TIME(a)", [[60, 120]]),
        ("RUNNING_SUM(b)", [[10, 30, 60, 60]]),
        ("ABS(a - 3)", [[2, 1, 1]]),
        ("CEIL(a / 3) + FLOOR(a / 3)", [[1, 1, 3]]),
        ("PERIOD(a) + TIME_SERIES(1)", [[61, 61, 61, 61]]),
        ("TIME_SERIES(DATAPOINT_COUNT(a))", [[3, 3, 3, 3]]),
        ("TIME_SERIES(METRIC_COUNT(METRICS()))", [[2, 2, 2, 2]]),
        ("SORT(METRICS(), AVG, DESC)", [[10, 20, 30, 0], [1, 2, 4]]),
        ('SORT([a, b], "MAX", "ASC", 1)', [[1, 2, 4]]),
        ("SLICE([a, b], 1)", [[10, 20, 30, 0]]),
        ("FIRST([a, b]) + LAST([a, b])", [[11, 22, 4]]),
        ("REMOVE_EMPTY([a, b, IF(a > 100, a)])", [[1, 2, 4], [10, 20, 30, 0]]),
        ("METRICS() * 2", [[2, 4, 8], [20, 40, 60, 0]]),
        ("SEARCH('{Test} MetricName=\"A\"', 'Sum', 60)", [[1, 2, 4]]),
        ("SUM(SEARCH('{Test} A OR B', 'Sum', 60))", [[11, 22, 30, 4]]),
        ("SEARCH(' Namespace=\"Test\" NOT MetricName=\"A\" ', 'Maximum')", [[10, 20, 30, 0]]),
        ("LOG10(b)", [[1, math.log10(20), math.log10(30)]]),
        ("STDDEV([b, b])", [[0, 0, 0, 0]]),
    ],
)
def test_metric_math(lines: Bench, expression: str, wanted: list[list[float]]) -> None:
    assert values(lines, expression) == [pytest.approx(line) for line in wanted]


@pytest.mark.parametrize(
    "expression",
    [
        "a +",
        "nobody + 1",
        "SUM()",
        "COFFEE(a)",
        "a b",
        "(a",
        "a ? b",
        "AVG(a)",
        "1",
        "'text'",
        "e",
        "f",
        "SEARCH('(', 'Sum', 60)",
        "SEARCH('x', 'Best', 60)",
        "FILL(a, HIGH)",
        "ANOMALY_DETECTION_BAND(a)",
        "METRICS() + METRICS()",
        "(" * 500,
        "-" * 2000 + "a",
    ],
)
def test_what_is_no_expression_is_refused(lines: Bench, expression: str) -> None:
    with pytest.raises(ServiceError) as caught:
        values(lines, expression, {"Id": "f", "Expression": "e * 2"})
    assert caught.value.code == "ValidationError"


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ([], "must not be empty"),
        ([stat("a"), stat("a")], "not unique"),
        ([stat("A")], "expected pattern"),
        ([{"Id": "a"}], "MetricDataQueries.member.1.MetricStat is required"),
        ([stat("a", Expression="1")], "Exactly one of MetricStat and Expression"),
        ([stat("a", period=61)], "Invalid period"),
        ([stat("a", how="Most")], "Most"),
    ],
)
def test_queries_are_checked_whole(bench: Bench, queries: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        got(bench, *queries)


def test_periods_begin_where_the_request_begins(bench: Bench) -> None:
    for ago in range(1, 11):
        bench.put(float(ago), ago=60 * ago)
    found = got(bench, stat("a", period=300))["MetricDataResults"][0]
    assert found["Timestamps"] == [BEGINNING - timedelta(minutes=10), BEGINNING - timedelta(minutes=5)]
    assert found["Values"] == [10 + 9 + 8 + 7 + 6, 5 + 4 + 3 + 2 + 1]


def test_pages_hold_so_many_datapoints_and_lose_none(bench: Bench) -> None:
    for ago in range(1, 8):
        bench.put(float(ago), ago=60 * ago)
        bench.put(float(-ago), name="Other", ago=60 * ago)
    seen: dict[str, list[float]] = {"a": [], "b": []}
    token, pages = None, 0
    while pages == 0 or token:
        found = got(bench, stat("a"), stat("b", "Other"), MaxDatapoints=3, NextToken=token)
        for line in found["MetricDataResults"]:
            seen[line["Id"]] += line["Values"]
        assert sum(len(line["Values"]) for line in found["MetricDataResults"]) <= 3
        token, pages = found["NextToken"], pages + 1
    assert pages == 5
    assert seen == {"a": [7, 6, 5, 4, 3, 2, 1], "b": [-7, -6, -5, -4, -3, -2, -1]}
    with pytest.raises(ServiceError, match="InvalidNextToken"):
        got(bench, stat("a"), NextToken="none")


@pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
def test_a_page_goes_on_where_the_last_one_ended_whatever_comes_meanwhile(bench: Bench, order: str) -> None:
    for ago in (3, 5, 7, 9):
        bench.put(float(ago), ago=60 * ago)
    wanted = {"MetricDataQueries": [stat("a")], "MaxDatapoints": 2, "ScanBy": order}
    times = {"StartTime": BEGINNING - timedelta(minutes=10), "EndTime": BEGINNING}
    first = bench.call("GetMetricData", **wanted, **times)
    for ago in (2, 10):
        bench.put(float(ago), ago=60 * ago)
    second = bench.call("GetMetricData", **wanted, **times, NextToken=first["NextToken"])
    seen = [page["MetricDataResults"][0]["Values"] for page in (first, second)]
    assert seen == ([[9, 7], [5, 3]] if order == "TimestampAscending" else [[3, 5], [7, 9]])


def test_labels_are_filled_in(bench: Bench) -> None:
    bench.put(1.0, ago=120)
    bench.put(5.0, ago=60)
    label = "${PROP('MetricName')} ${MAX} at ${MAX_TIME} of ${DATAPOINT_COUNT}"
    found = got(bench, stat("a", Label=label), LabelOptions={"Timezone": "+0130"})
    assert found["MetricDataResults"][0]["Label"] == "Load 5 at 2026-01-02 04:33:00 of 2"
    assert got(bench, stat("a"))["MetricDataResults"][0]["Label"] == "Load"


def test_labels_say_by_what_metrics_differ(bench: Bench) -> None:
    def labels(*queries: dict[str, Any]) -> list[str]:
        return [line["Label"] for line in got(bench, *queries)["MetricDataResults"]]

    assert labels(stat("a"), stat("b", "Other")) == ["Load", "Other"]
    assert labels(stat("a"), stat("b", how="Average")) == ["Load Sum", "Load Average"]
    assert labels(stat("a"), stat("b", period=300)) == ["Load 60", "Load 300"]
    assert labels(stat("a"), stat("b", how="p90", period=300)) == ["Load Sum 60", "Load p90 300"]


def test_units_are_not_mixed_and_several_are_said(bench: Bench) -> None:
    bench.put(60_000.0, ago=60, Unit="Milliseconds")
    bench.put(1.0, ago=60, Unit="Seconds")
    (found,) = got(bench, stat("a"))["MetricDataResults"]
    assert found["Values"] == [60_000.0]
    said = {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}
    assert found["Messages"] == [said]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "must not equal"), (0.9, "must not equal"), (-5.0, "EndTime must be greater than StartTime")],
)
def test_times_count_to_the_second(bench: Bench, seconds: float, said: str) -> None:
    times = {"StartTime": BEGINNING, "EndTime": BEGINNING + timedelta(seconds=seconds)}
    with pytest.raises(ServiceError, match=said):
        bench.call("GetMetricData", MetricDataQueries=[stat("a")], **times)
    metric = {"Namespace": "Test", "MetricName": "Load", "Period": 60, "Statistics": ["Sum"]}
    with pytest.raises(ServiceError, match="InvalidParameterValue: The parameter StartTime must be less"):
        bench.call("GetMetricStatistics", **metric, **times)


@pytest.mark.parametrize("operation", ["ListMetrics", "ListDashboards"])
def test_a_bad_token_is_a_bad_value(bench: Bench, operation: str) -> None:
    with pytest.raises(ServiceError, match="InvalidParameterValue: Request parameter NextToken is invalid"):
        bench.call(operation, NextToken="none")


def test_an_alarm_may_watch_metric_math(bench: Bench) -> None:
    share = {"Id": "share", "Expression": "100 * failed / all", "Label": "Failures"}
    bench.call(
        "PutMetricAlarm",
        AlarmName="share",
        Metrics=[stat("failed", "Failed", ReturnData=False), stat("all", "All", ReturnData=False), share],
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    bench.put(1.0, name="Failed", ago=60)
    bench.put(10.0, name="All", ago=60)
    bench.service.step()
    assert bench.described("share")["StateReason"] == (
        "Threshold Crossed: 1 datapoint [10.0 (02/01/26 03:03:00)] was greater than the threshold (5.0)."
    )


@pytest.mark.parametrize(
    "metrics",
    [
        [stat("a"), stat("b")],
        [stat("a", ReturnData=False), {"Id": "e", "Expression": "METRICS()"}, {"Id": "f", "Expression": "e"}],
        [{"Id": "e", "Expression": "a"}],
    ],
)
def test_an_alarm_takes_one_time_series(bench: Bench, metrics: list[dict[str, Any]]) -> None:
    with pytest.raises(ServiceError) as caught:
        bench.call(
            "PutMetricAlarm",
            AlarmName="share",
            Metrics=metrics,
            EvaluationPeriods=1,
            Threshold=5.0,
            ComparisonOperator="GreaterThanThreshold",
        )
    assert caught.value.code == "ValidationError"


_PLACE = ("1", "r")
_METRIC = metric_id("N", "m", ())
_DATA = some.lists(
    some.tuples(some.integers(0, 3600), some.integers(0, 40).map(float), some.integers(1, 3).map(float)),
    min_size=1,
    max_size=60,
)


def _stored(data: list[tuple[int, float, float]], width: int) -> Store:
    store = Store()
    store.put(_PLACE, [Point(_METRIC, "None", at, width, (value,), (count,)) for at, value, count in data])
    return store


@settings(max_examples=150, deadline=None)
@given(
    _DATA,
    some.sampled_from([60, 120, 300, 600]),
    some.integers(0, 20),
    some.sampled_from([0, 10, 50, 90, 99, 99.9, 100]),
)
def test_statistics_are_those_of_a_naive_reference(
    data: list[tuple[int, float, float]], period: int, begin: int, rank: float
) -> None:
    origin = begin * 60
    slices = _stored(data, 60).slices(_PLACE, _METRIC, None, origin, 10**6, spreads=True)

    def of(name: str) -> dict[int, float]:
        return dict(datapoints(slices.values(), statistic(name), period, origin))

    grouped: dict[int, list[float]] = {}
    for at, value, count in data:
        minute = at - at % 60
        if minute >= origin:
            grouped.setdefault(minute - (minute - origin) % period, []).extend([value] * int(count))
    assert of("Sum") == {start: sum(found) for start, found in grouped.items()}
    assert of("SampleCount") == {start: len(found) for start, found in grouped.items()}
    assert of("Minimum") == {start: min(found) for start, found in grouped.items()}
    assert of("Maximum") == {start: max(found) for start, found in grouped.items()}
    assert of("Average") == pytest.approx(
        {start: sum(found) / len(found) for start, found in grouped.items()}
    )
    ranked = {start: sorted(found) for start, found in grouped.items()}
    # Nearest rank, without the rounding error of a product of floats.
    places = {
        start: max(0, math.ceil(round(len(found) * rank / 100, 9)) - 1) for start, found in ranked.items()
    }
    assert of(f"p{rank}") == {start: found[places[start]] for start, found in ranked.items()}
    assert of("tm100") == pytest.approx(of("Average"))
    assert of("TC(:20)") == {start: sum(value <= 20 for value in found) for start, found in grouped.items()}
    assert of("PR(20:)") == pytest.approx(
        {start: 100 * sum(value > 20 for value in found) / len(found) for start, found in grouped.items()}
    )


@settings(max_examples=60, deadline=None)
@given(_DATA)
def test_old_buckets_are_folded_without_losing_a_value(data: list[tuple[int, float, float]]) -> None:
    fine, folded = _stored(data, 1), _stored(data, 1)
    for _, one in folded.everything():
        one.coarsen(10**6, 300)
    for name in ("Sum", "p90", "Maximum", "SampleCount"):
        both = [
            datapoints(
                store.slices(_PLACE, _METRIC, None, 0, 10**6, spreads=True).values(), statistic(name), 300, 0
            )
            for store in (fine, folded)
        ]
        assert both[0] == both[1]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("tm90", 5.0),
        ("TM(10%:90%)", 5.5),
        ("TS(2:4)", 7.0),
        ("wm80", 5.2),
        ("IQM", 5.5),
        ("tc50", 5.0),
        ("ts50", 15.0),
        ("PR(5:)", 50.0),
    ],
)
def test_trimmed_statistics_of_one_to_ten(bench: Bench, name: str, wanted: float) -> None:
    for value in range(1, 11):
        bench.put(float(value), ago=60)
    assert got(bench, stat("a", how=name))["MetricDataResults"][0]["Values"] == [pytest.approx(wanted)]


@pytest.mark.parametrize(
    "name", ["p101", "p", "tm", "TM(5:1)", "PR(10%:20%)", "PR()", "average", "", "TM(5%:9)"]
)
def test_what_is_no_statistic_is_refused(name: str) -> None:
    with pytest.raises(UnknownStatistic):
        statistic(name)


def test_percentiles_of_statistic_sets_and_of_negative_values_are_unknown(bench: Bench) -> None:
    summary = {"SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0}
    at = BEGINNING - timedelta(minutes=1)
    datum = {"MetricName": "Load", "Timestamp": at, "StatisticValues": summary}
    bench.call("PutMetricData", Namespace="Test", MetricData=[datum])
    bench.put(-1.0, name="Cold", ago=60)
    found = got(bench, stat("a", how="p50"), stat("b", how="Average"), stat("c", "Cold", "p50"))
    assert [line["Values"] for line in found["MetricDataResults"]] == [[], [1.5], []]
