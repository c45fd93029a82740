"""Any operation of any service, asked for as no client would: an error in the service's own form, no trace,
no page, no hang, and the cloud goes on."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pavedroad.localcloud import cbor
from tests.localcloud.api.hostile import FORM, SPOKEN, Hostile, Spoken, hostile
from tests.localcloud.api.test_wire import ask, code_of
from tests.localcloud.running import RunningCloud

OURS = {"InternalFailure", "InternalError", "InternalServiceError"}
_NO_MATTER = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
_ANY = settings(
    database=None, deadline=None, suppress_health_check=_NO_MATTER, max_examples=25, phases=[Phase.generate]
)


def reads(operation: str) -> bool:
    return operation.startswith(("Describe", "Get", "List"))


def is_answered_well(cloud: RunningCloud, spoken: Spoken, asked: Hostile) -> None:
    headers = {name.replace("-", "_").title(): value for name, value in asked.headers.items()}
    status, answered, said = ask(cloud, asked.service, asked.body, path=asked.path, **headers)
    kind = answered.get("content-type", "")
    assert status < 500, said[:500]
    assert b"Traceback" not in said
    assert "html" not in kind
    if status >= 400:
        assert _code(kind, said) not in OURS, said[:500]
        in_form = spoken.protocol == "query" and asked.headers == {"content-type": FORM}
        assert not in_form or "xml" in kind, kind


def _code(kind: str, said: bytes) -> str:
    if "cbor" in kind:
        return str(cbor.loads(said)["__type"])
    return str(json.loads(said)["__type"]) if "json" in kind else code_of(said)


@_ANY
@given(data=st.data())
def test_what_only_reads_is_refused_or_answered(cloud: RunningCloud, data: st.DataObject) -> None:
    spoken = data.draw(st.sampled_from(SPOKEN))
    is_answered_well(cloud, spoken, data.draw(hostile(spoken, reads)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_is_asked_the_cloud_goes_on_and_can_be_saved(fresh_cloud: RunningCloud) -> None:
    @settings(_ANY, max_examples=250)
    @given(data=st.data())
    def whatever(data: st.DataObject) -> None:
        spoken = data.draw(st.sampled_from(SPOKEN))
        is_answered_well(fresh_cloud, spoken, data.draw(hostile(spoken)))

    whatever()
    queue = fresh_cloud.client("sqs").create_queue(QueueName="after-all")["QueueUrl"]
    fresh_cloud.stop()
    assert "could not be saved" not in fresh_cloud.log
    fresh_cloud.start()
    assert queue in fresh_cloud.client("sqs").list_queues()["QueueUrls"]
