from __future__ import annotations

from io import BytesIO
from urllib.parse import parse_qsl

import pytest

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.moto_adapter.zero_based import counted_from_one


def request(query: str = "", body: str = "") -> ApiRequest:
    return ApiRequest("ec2", "us-east-1", "1", "POST", "/", query, {}, BytesIO(body.encode()), len(body))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Tag.0.Key=a&Tag.1.Key=b", "Tag.1.Key=a&Tag.2.Key=b"),
        ("Filter.0.Name=x&Filter.0.Value.0=y", "Filter.1.Name=x&Filter.1.Value.1=y"),
        ("Filter.1.Name=x&Filter.1.Value.0=y", "Filter.1.Name=x&Filter.1.Value.1=y"),
        ("Tag.0.Key=%C3%A9+%26", "Tag.1.Key=%C3%A9+%26"),
    ],
)
def test_lists_that_begin_with_0_begin_with_1_then(before: str, after: str) -> None:
    assert parse_qsl(counted_from_one(request(before)).query) == parse_qsl(after)
    shifted = counted_from_one(request(body=before))
    assert parse_qsl(shifted.body().decode()) == parse_qsl(after)
    assert shifted.length == len(shifted.body())


@pytest.mark.parametrize("text", ["Tag.1.Key=a", "Version=2016.0&Value=1.0", "", "a=%FF&Port=.0"])
def test_everything_else_is_left_as_it_is(text: str) -> None:
    same = request(text, text)
    assert counted_from_one(same) is same
