"""AWS/ELB: what classic load balancers did in a minute."""

from __future__ import annotations

from pavedroad.localcloud.publishing.classics import ClassicMetrics
from pavedroad.localcloud.publishing.views import ClassicView, MemberView
from tests.localcloud.publishing.measures import (
    GROUP,
    LISTENER,
    ZONE_A,
    Published,
    answered,
    measured,
    own_answer,
    timed,
    traffic,
)

_LB = ("LoadBalancerName", "old")
_MEMBERS = (
    MemberView("us-east-1a", "127.0.0.2", 0, "healthy"),
    MemberView("us-east-1a", "127.0.0.3", 0, "unhealthy"),
    MemberView("us-east-1b", "127.0.0.4", 0, "initial"),
    MemberView("us-east-1b", "127.0.0.5", 0, "draining"),
)
_VIEW = ClassicView(
    ("123456789012", "us-east-1"), "old", frozenset({LISTENER}), frozenset(), frozenset({GROUP}), _MEMBERS
)


def test_requests_answers_times_and_hosts_are_published_by_balancer_and_by_zone() -> None:
    metrics = ClassicMetrics()
    assert metrics.samples(0, measured(at=0, traffic=traffic()), [_VIEW]) == {}
    then = traffic(
        (answered(200, 30), answered(503, 2), own_answer(503, 4), own_answer(301, 1, pool="")),
        (timed((0.01, 9)),),
    )
    published = Published(metrics.samples(60, measured(at=60, traffic=then), [_VIEW]))
    for dimensions in ((_LB,), (_LB, ZONE_A)):
        assert published.total("RequestCount", *dimensions) == 32
        assert published.total("HTTPCode_Backend_2XX", *dimensions) == 30
        assert published.total("HTTPCode_Backend_5XX", *dimensions) == 2
        sample = published.get("Latency", *dimensions)
        assert sample is not None
        assert (sample.values, sample.counts, sample.unit) == ((0.01,), (9,), "Seconds")
    assert published.total("HTTPCode_ELB_5XX", _LB) == 4
    assert "HTTPCode_ELB_3XX" not in published.names
    assert published.total("HealthyHostCount", _LB) == 1
    assert published.total("UnHealthyHostCount", _LB) == 2
    assert published.total("UnHealthyHostCount", _LB, ("AvailabilityZone", "us-east-1b")) == 1
