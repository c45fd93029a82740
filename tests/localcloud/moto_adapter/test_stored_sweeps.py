"""Nothing that a client can send makes a stored service fail, or make what cannot be saved and had again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pavedroad.localcloud.api.services import ApiResponse
from pavedroad.localcloud.moto_adapter import snapshot
from pavedroad.localcloud.moto_adapter.stored.service import Stored
from pavedroad.localcloud.stored_services import SERVED, StoredService
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.generated import model_of, parameters, wire
from tests.localcloud.moto_adapter.test_other_sweeps import fine

_OFTEN = ("dynamodb", "ecr", "ecs", "events", "kinesis", "kms", "logs", "rds", "secretsmanager", "ssm")
_RARELY = [pytest.param(it, marks=() if it.moto in _OFTEN else pytest.mark.slow, id=it.moto) for it in SERVED]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:  # pyright: ignore[reportUnusedFunction]
    caplog.set_level(logging.CRITICAL)


def calls(service: StoredService, shape: str) -> Iterator[tuple[str, tuple[str, str, dict[str, str], bytes]]]:
    model: Any = model_of(service.boto)
    for operation in model.operation_names:
        asked = model.operation_model(operation).input_shape
        made = {} if shape == "nothing" else parameters(asked, everything=shape == "everything")
        try:
            yield operation, wire(service.boto, operation, made)
        except (ValueError, AttributeError, KeyError):
            continue  # nothing that could be sent


def ask(bench: Bench, service: StoredService, call: tuple[str, str, dict[str, str], bytes]) -> ApiResponse:
    method, path, headers, body = call
    return bench.send(
        service.name, body, method=method, path=path, headers={"content-type": "text/plain", **headers}
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("service", _RARELY)
def test_every_operation_is_answered_and_what_it_makes_is_saved(bench: Bench, service: StoredService) -> None:
    bench.services[service.name] = Stored(service, bench.state)
    wrong: list[str] = []
    for shape in ("nothing", "required", "everything"):
        for operation, call in calls(service, shape):
            answer = ask(bench, service, call)
            if not fine(answer.status, answer.body) or b"cannot keep" in answer.body:
                wrong.append(f"{operation} of {shape}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)
    moto = snapshot.MotoState()
    dump = {name: it for name, it in moto.dump().items() if name == service.moto}
    saved = moto.form.encode(dump)
    assert dump.keys() == moto.form.decode(saved, moto.form.version).keys()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{[", "SerializationException"),
        (b'{"Name": ["a"]}', "SerializationException"),
        (b'{"Name": null}', "ValidationException"),
        (b'{"Name": ""}', "ValidationException"),
        (b"", "ValidationException"),
    ],
)
def test_what_the_model_forbids_is_refused(bench: Bench, body: bytes, code: str) -> None:
    service = next(it for it in SERVED if it.name == "ssm")
    bench.services["ssm"] = Stored(service, bench.state)
    headers = {"x-amz-target": "AmazonSSM.GetParameter", "content-type": "application/x-amz-json-1.1"}
    answer = bench.send("ssm", body, headers=headers)
    assert answer.status == 400
    assert f'"__type": "{code}"'.encode() in answer.body
