"""Launch templates keep the numbers of their versions when some are deleted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest

from tests.localcloud.moto_adapter.bench import Answer, Bench


@pytest.fixture
def template(bench: Bench) -> str:
    """With four versions, the first of them the default."""
    name = f"template-{uuid.uuid4().hex[:8]}"
    made = bench.ask(
        "CreateLaunchTemplate", {"LaunchTemplateName": name, "LaunchTemplateData.InstanceType": "t3.micro"}
    )
    assert made.status == 200, made.body
    for size in ("small", "medium", "large"):
        add(bench, name, f"t3.{size}")
    return name


def add(bench: Bench, name: str, instance_type: str) -> str:
    made = bench.ask(
        "CreateLaunchTemplateVersion",
        {"LaunchTemplateName": name, "LaunchTemplateData.InstanceType": instance_type},
    )
    assert made.status == 200, made.body
    return made.every("launchTemplateVersion/versionNumber")[0]


def delete(bench: Bench, name: str, versions: Sequence[str]) -> Answer:
    numbered = {f"LaunchTemplateVersion.{place}": version for place, version in enumerate(versions, 1)}
    return bench.ask("DeleteLaunchTemplateVersions", {"LaunchTemplateName": name, **numbered})


def versions(bench: Bench, name: str, **more: str) -> dict[str, str]:
    answer = bench.ask("DescribeLaunchTemplateVersions", {"LaunchTemplateName": name, **more})
    assert answer.status == 200, answer.body
    numbers = answer.every("launchTemplateVersionSet/item/versionNumber")
    types = answer.every("launchTemplateVersionSet/item/launchTemplateData/instanceType")
    return dict(zip(numbers, types, strict=True))


def test_the_others_keep_their_numbers_and_none_is_given_twice(bench: Bench, template: str) -> None:
    answer = delete(bench, template, ["2", "4"])
    done = "successfullyDeletedLaunchTemplateVersionSet/item/versionNumber"
    assert answer.every(done) == ["2", "4"]
    assert versions(bench, template) == {"1": "t3.micro", "3": "t3.medium"}
    assert versions(bench, template, **{"LaunchTemplateVersion.1": "$Latest"}) == {"3": "t3.medium"}
    assert add(bench, template, "m5.large") == "5"
    assert versions(bench, template, MinVersion="2", MaxVersion="5") == {"3": "t3.medium", "5": "m5.large"}
    gone = bench.ask(
        "DescribeLaunchTemplateVersions", {"LaunchTemplateName": template, "LaunchTemplateVersion.1": "2"}
    )
    assert gone.code == "InvalidLaunchTemplateId.VersionNotFound"


def test_the_default_stays_and_what_there_is_not_is_said(bench: Bench, template: str) -> None:
    answer = delete(bench, template, ["1", "9", "3"])
    refused = "unsuccessfullyDeletedLaunchTemplateVersionSet/item"
    assert answer.every(f"{refused}/versionNumber") == ["1", "9"]
    assert answer.every(f"{refused}/responseError/code") == [
        "unexpectedError",
        "launchTemplateVersionDoesNotExist",
    ]
    assert answer.every("successfullyDeletedLaunchTemplateVersionSet/item/versionNumber") == ["3"]
    assert set(versions(bench, template)) == {"1", "2", "4"}
    changed = bench.ask("ModifyLaunchTemplate", {"LaunchTemplateName": template, "SetDefaultVersion": "4"})
    assert changed.status == 200, changed.body
    assert set(versions(bench, template, **{"LaunchTemplateVersion.1": "$Default"})) == {"4"}
    assert delete(bench, template, ["1"]).every(
        "successfullyDeletedLaunchTemplateVersionSet/item/versionNumber"
    )
