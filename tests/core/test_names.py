"""Frigga's names: parsed, built, counted on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pavedroad.core.errors import InvalidInput
from pavedroad.core.names import ClusterName, ServerGroupName, is_server_group

PART = st.from_regex(r"[a-zA-Z0-9._]{1,12}", fullmatch=True)
DETAIL = st.from_regex(r"[a-zA-Z0-9._~^]{1,8}(-[a-zA-Z0-9._]{2,8})?", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("api", ("api", None, None)),
        ("api-prod", ("api", "prod", None)),
        ("api-prod-eu", ("api", "prod", "eu")),
        ("api-prod-eu-blue~1", ("api", "prod", "eu-blue~1")),
        ("api--eu", ("api", None, "eu")),
        ("my.app_1-main", ("my.app_1", "main", None)),
    ],
)
def test_a_cluster_is_application_stack_and_detail(
    name: str, parts: tuple[str, str | None, str | None]
) -> None:
    cluster = ClusterName.parse(name)
    assert (cluster.application, cluster.stack, cluster.detail) == parts
    assert str(cluster) == name


@given(application=PART, stack=st.none() | PART, detail=st.none() | DETAIL)
def test_what_is_built_is_parsed_back(application: str, stack: str | None, detail: str | None) -> None:
    cluster = ClusterName(application, stack, detail)
    name = str(cluster)
    if is_server_group(name):
        with pytest.raises(InvalidInput):
            ClusterName.parse(name)
    else:
        assert ClusterName.parse(name) == cluster
        group = ServerGroupName(cluster, 41)
        assert ServerGroupName.parse(str(group)) == group


@pytest.mark.parametrize("name", ["", "-api", "api!", "api prod", "api-v003", "a" * 300, "api/../etc"])
def test_what_is_no_cluster_is_refused_with_the_form_it_takes(name: str) -> None:
    with pytest.raises(InvalidInput, match="app-stack-detail"):
        ClusterName.parse(name)


def test_pushes_count_on_and_wrap_after_999() -> None:
    first = ServerGroupName.first(ClusterName.parse("api-prod"))
    assert str(first) == "api-prod-v000"
    assert str(first.next()) == "api-prod-v001"
    assert str(ServerGroupName.parse("api-prod-v999").next()) == "api-prod-v000"


def test_a_push_has_three_to_six_digits() -> None:
    assert is_server_group("api-v123456")
    assert not is_server_group("api-v12")
    assert not is_server_group("api-v1234567")
    with pytest.raises(InvalidInput, match="-v003"):
        ServerGroupName.parse("api-prod")


def test_labelled_variables_are_read_from_the_detail() -> None:
    assert ClusterName.parse("api-prod-c0us-z01a-blue").labels == {"country": "us", "zone": "1a"}
    assert ClusterName.parse("api").labels == {}
