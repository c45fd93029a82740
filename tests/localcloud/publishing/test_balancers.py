"""AWS/ApplicationELB: rises of Envoy's counters in a minute, under AWS's names, dimensions and statistics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pavedroad.localcloud.measured import FrontMeasure, PoolMeasure, TargetMeasure, Traffic
from pavedroad.localcloud.publishing.balancers import BalancerMetrics
from pavedroad.localcloud.publishing.views import BalancerView, GroupView
from tests.localcloud.publishing.measures import (
    BALANCER,
    GROUP,
    LB,
    LISTENER,
    TG,
    ZONE_A,
    Published,
    answered,
    group,
    healthy,
    measured,
    own_answer,
    timed,
    traffic,
    unhealthy,
)

_ALL = ((LB,), (LB, TG), (LB, ZONE_A), (LB, TG, ZONE_A))
"""The combinations in which AWS has what targets answered."""


class Minutes:
    def __init__(self, *groups: GroupView, balancer: BalancerView = BALANCER) -> None:
        self._metrics = BalancerMetrics()
        self._balancer = balancer
        self._groups: Iterable[GroupView] = groups or (group(healthy()),)
        self.then(traffic())

    def then(self, it: Traffic | None) -> Published:
        return Published(self._metrics.samples(0, measured(at=0, traffic=it), [self._balancer], self._groups))


def test_answers_are_counted_in_every_combination_of_dimensions() -> None:
    published = Minutes().then(traffic((answered(200, 30), answered(204, 5), answered(503, 2))))
    for dimensions in _ALL:
        assert published.total("RequestCount", *dimensions) == 37
        assert published.total("HTTPCode_Target_2XX_Count", *dimensions) == 35
        assert published.total("HTTPCode_Target_5XX_Count", *dimensions) == 2
        assert published.average("RequestCount", *dimensions) == 1
    assert not published.names & {"HTTPCode_Target_3XX_Count", "HTTPCode_ELB_5XX_Count"}


def test_only_what_came_since_the_last_minute_counts() -> None:
    minutes = Minutes()
    minutes.then(traffic((answered(200, 30),)))
    assert minutes.then(traffic((answered(200, 31),))).total("RequestCount", LB) == 1


def test_an_envoy_that_was_started_anew_counts_from_nothing() -> None:
    minutes = Minutes()
    minutes.then(traffic((answered(200, 30),)))
    minutes.then(None)
    assert minutes.then(traffic((answered(200, 31),), run="next")).total("RequestCount", LB) == 31


def test_an_envoy_that_did_not_answer_for_a_minute_is_counted_with_the_next() -> None:
    minutes = Minutes()
    minutes.then(traffic((answered(200, 30),)))
    assert minutes.then(None).total("RequestCount", LB) == 0
    assert minutes.then(traffic((answered(200, 45),))).total("RequestCount", LB) == 15


def test_history_from_before_the_first_look_is_not_published() -> None:
    metrics = BalancerMetrics()
    old = traffic((answered(200, 1000),), (timed((0.1, 1000)),))
    assert metrics.samples(0, measured(at=0, traffic=old), [BALANCER], [group(healthy())]) == {}
    again = Published(metrics.samples(60, measured(at=60, traffic=old), [BALANCER], [group(healthy())]))
    assert again.total("RequestCount", LB) == 0
    assert "TargetResponseTime" not in again.names


def test_response_times_keep_their_values_and_counts() -> None:
    minutes = Minutes()
    minutes.then(traffic((answered(200, 10),), (timed((0.01, 9), (1.0, 1)),)))
    published = minutes.then(traffic((answered(200, 13),), (timed((0.01, 11), (0.5, 1), (1.0, 1)),)))
    for dimensions in _ALL:
        sample = published.get("TargetResponseTime", *dimensions)
        assert sample is not None
        assert (sample.values, sample.counts, sample.unit) == ((0.01, 0.5), (2, 1), "Seconds")


def test_a_quiet_minute_has_no_response_time_and_no_codes() -> None:
    published = Minutes().then(traffic())
    assert published.names == {
        "RequestCount",
        "RequestCountPerTarget",
        "HealthyHostCount",
        "UnHealthyHostCount",
        "ConsumedLCUs",
    }
    assert published.total("RequestCount", LB) == 0
    assert published.total("RequestCountPerTarget", TG) == 0


def test_what_the_balancer_answered_itself_is_told_from_what_targets_did() -> None:
    answers = (
        own_answer(502, 3, zone="us-east-1a"),
        own_answer(503, 4),
        own_answer(460, 1, zone="us-east-1a"),
    )
    published = Minutes().then(traffic((*answers, own_answer(301, 2, pool=""))))
    assert published.total("HTTPCode_ELB_5XX_Count", LB) == 7
    assert published.total("HTTPCode_ELB_502_Count", LB) == 3
    assert published.total("HTTPCode_ELB_503_Count", LB) == 4
    assert published.total("HTTPCode_ELB_4XX_Count", LB) == 1
    assert published.total("HTTPCode_ELB_3XX_Count", LB) == 2
    assert published.total("HTTPCode_ELB_5XX_Count", LB, ZONE_A) == 3
    assert published.total("RequestCount", LB) == 4, "those for which a target was chosen"
    assert not [name for name in published.names if "Target_" in name]


def test_requests_are_shared_out_over_the_healthy_targets() -> None:
    members = (healthy(), healthy(address="127.0.0.3"), unhealthy())
    published = Minutes(group(*members)).then(traffic((answered(200, 30),)))
    assert published.total("RequestCountPerTarget", TG) == 15
    assert published.total("RequestCountPerTarget", LB, TG) == 15


def test_hosts_are_counted_by_zone() -> None:
    published = Minutes(group(healthy(), healthy("us-east-1b"), unhealthy())).then(traffic())
    zone_b = ("AvailabilityZone", "us-east-1b")
    assert published.total("HealthyHostCount", LB, TG) == 2
    assert published.total("UnHealthyHostCount", LB, TG) == 1
    assert published.total("UnHealthyHostCount", LB, TG, ZONE_A) == 0
    assert published.total("UnHealthyHostCount", LB, TG, zone_b) == 1


def test_a_group_without_targets_or_balancer_has_no_hosts() -> None:
    assert Minutes(group()).then(traffic()).names == {"RequestCount", "ConsumedLCUs"}
    assert "HealthyHostCount" not in Minutes(group(healthy(), paths=())).then(traffic()).names


def test_connections_and_bytes_are_summed_over_clients_and_targets() -> None:
    front = FrontMeasure(LISTENER, "", 3, 2, 1, 0, 1000, 5000)
    pool = PoolMeasure(GROUP, 4, 2, 1)
    target = TargetMeasure(GROUP, "127.0.0.1", 8000, 1, 1, 0, 0, 0)
    published = Minutes().then(traffic(fronts=(front,), pools=(pool,), targets=(target,)))
    assert published.total("NewConnectionCount", LB) == 7
    assert published.total("ActiveConnectionCount", LB) == 4
    assert published.total("RejectedConnectionCount", LB) == 1
    assert published.total("ProcessedBytes", LB) == 6000
    for dimensions in _ALL:
        assert published.total("TargetConnectionErrorCount", *dimensions) == 1
    assert "ClientTLSNegotiationErrorCount" not in published.names


def test_capacity_is_that_of_what_is_used_most_and_told_where_it_is_known() -> None:
    def units(front: FrontMeasure, rules: int = 10) -> float | None:
        minutes = Minutes(balancer=replace(BALANCER, most_rules=rules))
        published = minutes.then(traffic(fronts=(front,)))
        return published.total("ConsumedLCUs", LB) if "ConsumedLCUs" in published.names else None

    assert units(FrontMeasure(LISTENER, "", 3000, 600, 0, 0, 0, 0)) == pytest.approx(2)
    assert units(FrontMeasure(LISTENER, "", 3000, 9000, 0, 0, 0, 0)) == pytest.approx(3)
    assert units(FrontMeasure(LISTENER, "", 0, 0, 0, 0, 10**9, 10**9)) == pytest.approx(120)
    assert units(FrontMeasure(LISTENER, "", 0, 0, 0, 0, 0, 0)) == 0
    assert units(FrontMeasure(LISTENER, "", 3000, 0, 0, 0, 0, 0), rules=11) is None


def test_redirects_are_the_balancers_own() -> None:
    published = Minutes().then(traffic((own_answer(302, 2, pool=""), answered(301, 5), own_answer(400, 1))))
    assert published.total("HTTP_Redirect_Count", LB) == 2
