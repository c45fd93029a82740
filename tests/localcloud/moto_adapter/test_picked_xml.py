"""Whatever moto answers is written as moto's own serialisers write it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from pavedroad.localcloud.coverage import coverage
from pavedroad.localcloud.moto_adapter import picked_xml
from tests.localcloud.asking.asking import Asking
from tests.localcloud.asking.preconditions import prepare
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.moto_adapter.everything import everything

WRITERS: tuple[Any, ...] = (picked_xml.Ec2, picked_xml.Query, picked_xml.S3)


@pytest.mark.slow
def test_every_answer_is_as_moto_would_write_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    compared: dict[str, int] = {}
    differing: dict[str, tuple[str, str]] = {}

    def compare(writer: Any) -> None:
        ours, theirs = writer._serialize_result, writer.__mro__[1]._serialize_result

        def both(self: Any, answer: dict[str, Any], result: Any) -> Any:
            name = f"{writer.__name__} {self.operation_name}"
            expected = theirs(self, {**answer, "headers": dict(answer["headers"])}, result)
            found = ours(self, answer, result)
            compared[name] = max(compared.get(name, 0), len(found["body"]))
            if found != expected:
                differing[name] = (found["body"], expected["body"])
            return found

        monkeypatch.setattr(writer, "_serialize_result", both)

    for writer in WRITERS:
        compare(writer)
    served = {(it.service, operation) for it in coverage() for operation in it.real | it.stored}
    with everything(bench, tmp_path) as cloud:
        asking = Asking(cloud.call)
        asking.learn("", prepare(cloud.call))
        asking.ask_all(served)
    assert not differing
    assert len(compared) > 300
