"""Spot requests: bought, waiting for their price, cancelled, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pavedroad.localcloud.api.ec2.metadata import metadata_of
from pavedroad.localcloud.api.ec2.spot import on_demand_price, spot_price, steps
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_facts import facts_of
from pavedroad.localcloud.moto_adapter.ec2_spot import advance
from tests.localcloud.moto_adapter.bench import Answer, Bench, filters
from tests.localcloud.moto_adapter.test_ec2_launch import IMAGE, SPOT

REGION = "us-west-2"


def ask(bench: Bench, action: str, **form: object) -> Answer:
    return bench.ask(action, form, region=REGION)


def request_of(bench: Bench, request_id: str) -> dict[str, str]:
    answer = bench.ask("DescribeSpotInstanceRequests", {"SpotInstanceRequestId.1": request_id}, region=REGION)
    return {
        "state": answer.first("state"),
        "code": answer.root.findtext("spotInstanceRequestSet/item/status/code", ""),
        "instance": answer.first("instanceId"),
    }


@pytest.fixture
def image(bench: Bench) -> str:
    return bench.ask("DescribeImages", filters(name=IMAGE), region=REGION).first("imageId")


@pytest.fixture
def backend(bench: Bench) -> ec2_backend.LocalEC2Backend:
    return ec2_backend.backend(ec2_backend.ACCOUNT, REGION)


def spot_request(bench: Bench, image: str, **more: object) -> str:
    form = {"LaunchSpecification.ImageId": image, "LaunchSpecification.InstanceType": "t3.micro", **more}
    answer = bench.ask("RequestSpotInstances", form, region=REGION)
    assert answer.status == 200, answer.body
    return answer.first("spotInstanceRequestId")


def test_a_request_is_fulfilled_and_its_instance_says_so(bench: Bench, image: str) -> None:
    request_id = spot_request(bench, image)
    found = request_of(bench, request_id)
    assert (found["state"], found["code"]) == ("active", "fulfilled")
    answer = bench.ask("DescribeInstances", {"InstanceId.1": found["instance"]}, region=REGION)
    assert answer.first("instanceLifecycle") == "spot"
    assert answer.first("spotInstanceRequestId") == request_id
    chosen = bench.ask(
        "DescribeSpotInstanceRequests",
        filters(launch__instance_type="t3.*", instance_id=found["instance"], status_code="fulfilled"),
        region=REGION,
    )
    assert chosen.every("spotInstanceRequestSet/item/spotInstanceRequestId") == [request_id]
    assert (
        bench.ask("DescribeSpotInstanceRequests", filters(state="failed"), region=REGION).every(
            "spotInstanceRequestSet/item"
        )
        == []
    )


def test_a_price_that_is_too_low_waits_and_a_launch_does_not(bench: Bench, image: str) -> None:
    request_id = spot_request(bench, image, SpotPrice="0.0001")
    found = request_of(bench, request_id)
    assert (found["state"], found["code"]) == ("open", "price-too-low")
    cancelled = ask(bench, "CancelSpotInstanceRequests", **{"SpotInstanceRequestId.1": request_id})
    assert cancelled.first("state") == "cancelled"
    assert request_of(bench, request_id)["code"] == "canceled-before-fulfillment"
    refused = bench.ask(
        "RunInstances",
        {**SPOT, "ImageId": image, "InstanceMarketOptions.SpotOptions.MaxPrice": "0.0001"},
        region=REGION,
    )
    assert refused.code == "SpotMaxPriceTooLow"


def test_an_interrupted_instance_has_its_notice_and_then_ends(
    bench: Bench, image: str, backend: ec2_backend.LocalEC2Backend
) -> None:
    request_id = spot_request(bench, image)
    one = backend.by_id[request_of(bench, request_id)["instance"]]
    now = datetime.now(UTC)
    assert "meta-data/spot/instance-action" not in metadata_of(facts_of(one))
    one.interruption = now + timedelta(seconds=120)
    assert advance(backend, now)
    assert request_of(bench, request_id)["code"] == "marked-for-termination"
    texts = metadata_of(facts_of(one))
    at = one.interruption.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert texts["meta-data/spot/instance-action"] == f'{{"action": "terminate", "time": "{at}"}}'
    assert texts["meta-data/spot/termination-time"] == at
    assert "noticeTime" in texts["meta-data/events/recommendations/rebalance"]
    assert texts["meta-data/instance-life-cycle"] == "spot"
    assert not advance(backend, now + timedelta(seconds=119))
    assert one.life.should_run
    assert advance(backend, now + timedelta(seconds=121))
    assert (one.life.wish, one.life.reason_code) == ("terminate", "Server.SpotInstanceTermination")
    found = request_of(bench, request_id)
    assert (found["state"], found["code"]) == ("closed", "instance-terminated-no-capacity")


def test_a_notice_that_is_taken_back_leaves_nothing(
    bench: Bench, image: str, backend: ec2_backend.LocalEC2Backend
) -> None:
    request_id = spot_request(bench, image)
    one = backend.by_id[request_of(bench, request_id)["instance"]]
    one.interruption = datetime.now(UTC) + timedelta(seconds=120)
    advance(backend, datetime.now(UTC))
    one.interruption = None
    advance(backend, datetime.now(UTC))
    assert request_of(bench, request_id)["code"] == "fulfilled"
    assert "meta-data/spot/instance-action" not in metadata_of(facts_of(one))


def test_a_persistent_request_stops_its_instance_or_buys_another(
    bench: Bench, image: str, backend: ec2_backend.LocalEC2Backend
) -> None:
    stops = spot_request(bench, image, Type="persistent", InstanceInterruptionBehavior="stop")
    one = backend.by_id[request_of(bench, stops)["instance"]]
    one.interruption = datetime.now(UTC)
    advance(backend, datetime.now(UTC) + timedelta(seconds=1))
    assert (one.life.wish, one.life.reason_code) == ("stop", "Server.SpotInstanceShutdown")
    assert request_of(bench, stops)["code"] == "instance-stopped-no-capacity"
    again = spot_request(bench, image, Type="persistent")
    first = request_of(bench, again)["instance"]
    bench.ask("TerminateInstances", {"InstanceId.1": first}, region=REGION)
    advance(backend, datetime.now(UTC))
    advance(backend, datetime.now(UTC))
    found = request_of(bench, again)
    assert found["state"] == "active"
    assert found["instance"] != first


def test_a_request_ends_with_its_time(bench: Bench, image: str, backend: ec2_backend.LocalEC2Backend) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    request_id = spot_request(bench, image, SpotPrice="0.0001", ValidUntil=until)
    advance(backend, datetime.now(UTC) + timedelta(hours=2))
    assert request_of(bench, request_id)["code"] == "schedule-expired"


def test_a_request_that_makes_no_sense_is_refused(bench: Bench, image: str) -> None:
    spec = {"LaunchSpecification.ImageId": image, "LaunchSpecification.InstanceType": "t3.micro"}
    for wrong, code in (
        ({"SpotPrice": "cheap"}, "InvalidParameterValue"),
        ({"InstanceCount": "0"}, "InvalidParameterValue"),
        ({"InstanceInterruptionBehavior": "stop"}, "InvalidParameterCombination"),
        ({"ValidUntil": "2001-01-01T00:00:00Z"}, "InvalidParameterValue"),
        ({"LaunchSpecification.ImageId": "ami-00000000"}, "InvalidAMIID.NotFound"),
    ):
        assert bench.ask("RequestSpotInstances", {**spec, **wrong}, region=REGION).code == code, wrong
    unknown = {"SpotInstanceRequestId.1": "sir-0000aaaa"}
    assert (
        ask(bench, "DescribeSpotInstanceRequests", **unknown).code == "InvalidSpotInstanceRequestID.NotFound"
    )
    assert ask(bench, "CancelSpotInstanceRequests", **unknown).code == "InvalidSpotInstanceRequestID.NotFound"


def test_prices_are_the_same_whenever_they_are_asked_for(bench: Bench) -> None:
    form = {
        "InstanceType.1": "t3.micro",
        "StartTime": "2026-01-01T00:00:00Z",
        "EndTime": "2026-01-02T00:00:00Z",
        "MaxResults": "5",
    }
    now = datetime.now(UTC)
    form["EndTime"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    form["StartTime"] = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = ask(bench, "DescribeSpotPriceHistory", **form)
    assert len(first.every("spotPriceHistorySet/item")) == 5
    assert ask(bench, "DescribeSpotPriceHistory", **form).body == first.body
    rest = ask(bench, "DescribeSpotPriceHistory", **{**form, "NextToken": first.first("nextToken")})
    assert not set(map(str, _rows(first))) & set(map(str, _rows(rest)))


def _rows(answer: Answer) -> list[tuple[str, ...]]:
    return [
        tuple(element.text or "" for element in item)
        for item in answer.root.findall("spotPriceHistorySet/item")
    ]


def test_a_series_moves_and_stays_below_the_price_on_demand() -> None:
    on_demand = on_demand_price(2, 4096)
    until = datetime(2026, 3, 1, tzinfo=UTC)
    series = [
        spot_price("t3.medium", "us-east-1a", on_demand, at)
        for at in steps(until - timedelta(days=30), until)
    ]
    assert len(series) >= 120
    assert len(set(series)) > 20
    assert all(0.2 * on_demand < price < 0.55 * on_demand for price in series)
