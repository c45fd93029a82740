"""A whole private cloud of an ordinary user's, in the machine's own network."""

from __future__ import annotations

from pathlib import Path

from pavedroad.core import confinement
from tests.localcloud.machines import await_state, console, image_of_command, run
from tests.localcloud.running import running_cloud
from tests.ordinary import as_ordinary_user, folder_of_ordinary_user
from tests.waiting import eventually

_LOOK = "cat $LOOKED || echo closed; id -u; echo well > $(mktemp) && echo complete; sleep 1000"


def test_an_ordinary_users_instances_are_walled_in_and_it_is_said() -> None:
    with (
        folder_of_ordinary_user() as folder,
        running_cloud(Path(folder) / "cloud", before=as_ordinary_user()) as cloud,
    ):
        looked = str(cloud.home / "cloud.json")
        [made] = run(cloud, **image_of_command(cloud, _LOOK, environment={"LOOKED": looked}))
        await_state(cloud, made, "running")
        said = str(eventually(lambda: (text := console(cloud, made)) * ("complete" in text)))
        assert ("closed" in said) == (confinement.way() == "landlock")
        eventually(lambda: "instances" in str(cloud.health["confinement"]), within=90)
        walls = str(cloud.health["confinement"])
        assert ("nothing else (Landlock)" in walls) == (confinement.way() == "landlock")
