"""`paved bake` and `deploy`: from a folder to a server group that serves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pavedroad.cli.baking import bake_folder
from pavedroad.cli.client import Client
from pavedroad.cli.following import follow_deployment, outcome, tell_end
from pavedroad.cli.screen import AsJson, note, result, say
from pavedroad.cli.story import Story
from pavedroad.core.errors import InvalidInput
from pavedroad.manifest.loading import load, validate
from pavedroad.manifest.model import Manifest

Source = Annotated[Path, typer.Argument(metavar="[PATH]", help="A folder with paved.yaml, or such a file.")]
Version = Annotated[
    str | None, typer.Option("--version", help="What to call it; default: counted or of git.")
]
Rebake = Annotated[bool, typer.Option("--rebake", help="Bake even if nothing has changed.")]


_MOST_INSTANCES = 10_000


class Deploy:
    """The way of a version: bake, begin, follow."""

    def __init__(self, client: Client, story: Story) -> None:
        self._client = client
        self._story = story

    def folder(self, folder: Path, *, version: str | None = None) -> dict[str, Any]:
        """Bake and deploy; the deployment once it has succeeded."""
        manifest = load(folder)
        baked = bake_folder(self._client, folder, manifest, self._story, version=version)
        begun = self.begin(manifest, baked["image_id"])
        return outcome(follow_deployment(self._client, begun["id"], self._story))

    def begin(
        self,
        manifest: Manifest,
        image_id: str,
        *,
        wait_for_turn: bool = False,
        foreign_image: bool = False,
        capacity: str | None = None,
    ) -> dict[str, Any]:
        request = {
            "manifest": manifest.model_dump(mode="json"),
            "image_id": image_id,
            "when_busy": "wait" if wait_for_turn else "refuse",
            "foreign_image": foreign_image,
            "capacity": _capacity(capacity),
        }
        try:
            return self._client.post("/v1/deployments", request)
        except KeyboardInterrupt:
            note(f"It may have begun: see `paved deployments --cluster {manifest.cluster}`.")
            raise


def bake(
    source: Source = Path(), version: Version = None, rebake: Rebake = False, as_json: AsJson = False
) -> None:
    """Make an image of a folder; unchanged, it is the image that is there."""
    manifest = load(source)
    client = Client.here()
    with Story(quiet=as_json) as story:
        baked = bake_folder(client, source, manifest, story, version=version, rebake=rebake)
    if as_json:
        result(baked)
    else:
        say(f"{baked['image_id']}  version {baked['version']}" + ("  (unchanged)" if baked["reused"] else ""))


def deploy(
    source: Source = Path(),
    *,
    image: Annotated[
        str | None, typer.Option("--image", help="An image that is there; nothing is baked.")
    ] = None,
    foreign_image: Annotated[
        bool, typer.Option("--foreign-image", help="Also an image that is another application's.")
    ] = False,
    capacity: Annotated[
        str | None,
        typer.Option(
            "--capacity",
            metavar="N|manifest",
            help="So many instances, or as paved.yaml says; default: no fewer than serve now.",
        ),
    ] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="red-black, highlander or none.")] = None,
    wait_for_turn: Annotated[
        bool, typer.Option("--wait-for-turn", help="Wait while another deployment of the cluster runs.")
    ] = False,
    version: Version = None,
    rebake: Rebake = False,
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="Begin it, and do not wait for its end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ship a folder: bake it, launch a new server group, wait until healthy, give it the traffic."""
    manifest = _with_strategy(load(source), strategy)
    _capacity(capacity)
    client = Client.here()
    with Story(quiet=as_json) as story:
        if image is None:
            image = bake_folder(client, source, manifest, story, version=version, rebake=rebake)["image_id"]
        begun = Deploy(client, story).begin(
            manifest,
            str(image),
            wait_for_turn=wait_for_turn,
            foreign_image=foreign_image,
            capacity=capacity,
        )
        ended = begun if no_follow else follow_deployment(client, begun["id"], story)
    if as_json:
        result(ended)
    if no_follow:
        if not as_json:
            say(f"{begun['id']} has begun. Follow it: paved deployments {begun['id']} --follow")
        return
    tell_end(ended, quiet=as_json)


def _capacity(told: str | None) -> int | str | None:
    if told is None or told == "manifest":
        return told
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:9]) <= _MOST_INSTANCES):
        raise InvalidInput(
            f"--capacity says '{told}', and takes a number of instances, or 'manifest'.",
            next_step="Leave it out to keep as many as serve now.",
        )
    return int(told)


def _with_strategy(manifest: Manifest, kind: str | None) -> Manifest:
    if kind is None:
        return manifest
    values = manifest.model_dump(mode="json")
    return validate({**values, "strategy": {**values["strategy"], "kind": kind}}, "--strategy")
