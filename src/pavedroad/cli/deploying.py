"""`paved bake`, `deploy`, `deployments`, `images`, `cancel`: from a folder to a server group that serves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pavedroad.cli.baking import bake_folder
from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import age
from pavedroad.cli.following import follow_deployment, outcome
from pavedroad.cli.screen import AsJson, note, note_plain, one_line, result, say, show, table
from pavedroad.cli.story import Story
from pavedroad.manifest.loading import load, validate
from pavedroad.manifest.model import Manifest

Source = Annotated[Path, typer.Argument(metavar="[PATH]", help="The folder with paved.yaml.")]
Version = Annotated[
    str | None, typer.Option("--version", help="What to call it; default: counted or of git.")
]
Rebake = Annotated[bool, typer.Option("--rebake", help="Bake even if nothing has changed.")]


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

    def begin(self, manifest: Manifest, image_id: str, *, wait_for_turn: bool = False) -> dict[str, Any]:
        request = {
            "manifest": manifest.model_dump(mode="json"),
            "image_id": image_id,
            "when_busy": "wait" if wait_for_turn else "refuse",
        }
        return self._client.post("/v1/deployments", request)

    def follow(self, begun: dict[str, Any]) -> dict[str, Any]:
        """To its end; Ctrl-C leaves it going on."""
        try:
            return follow_deployment(self._client, begun["id"], self._story)
        except KeyboardInterrupt:
            note(
                f"\nThe deployment goes on without you. Follow it: paved deployments {begun['id']} --follow. "
                f"Cancel it: paved cancel {begun['id']}"
            )
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
    client = Client.here()
    with Story(quiet=as_json) as story:
        if image is None:
            image = bake_folder(client, source, manifest, story, version=version, rebake=rebake)["image_id"]
        road = Deploy(client, story)
        begun = road.begin(manifest, str(image), wait_for_turn=wait_for_turn)
        ended = begun if no_follow else road.follow(begun)
    if as_json:
        result(ended)
    if no_follow:
        if not as_json:
            say(f"{begun['id']} has begun. Follow it: paved deployments {begun['id']} --follow")
        return
    _tell_end(ended, quiet=as_json)


def deployments(
    deployment: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One deployment, with its story.")
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Only this cluster's.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """The deployments, newest first; or one, line by line."""
    client = Client.here()
    if deployment is not None:
        _one(client, deployment, follow=follow, as_json=as_json)
        return
    found = client.get("/v1/deployments", cluster=cluster)
    if as_json:
        result(found)
        return
    rows = table("ID", "CLUSTER", "SERVER GROUP", "VERSION", "PHASE", "AGE", "WHO", "REASON")
    for entry in found:
        rows.add_row(
            entry["id"],
            entry["cluster"],
            entry["server_group"],
            entry["version"],
            entry["phase"],
            age(entry["started_at"]),
            entry["who"],
            one_line(entry["error"]),
        )
    show(rows)


def cancel(
    deployment: Annotated[str, typer.Argument(metavar="ID", help="The deployment.")], as_json: AsJson = False
) -> None:
    """Stop a deployment and take away what it made; what served before serves."""
    done = Client.here().post(f"/v1/deployments/{segment(deployment)}/cancel")
    result(done) if as_json else say(f"{deployment} is being cancelled.")


def images(
    application: Annotated[str | None, typer.Argument(help="Only this application's.")] = None,
    as_json: AsJson = False,
) -> None:
    """The images that were baked, newest first."""
    found = Client.here().get("/v1/images", application=application)
    if as_json:
        result(found)
        return
    rows = table("IMAGE", "APPLICATION", "VERSION", "COMMIT", "BASE", "BAKED BY", "AGE")
    for image in found:
        rows.add_row(
            image["id"],
            image["application"],
            image["version"],
            image["commit"] or "",
            image["base"],
            image["baked_by"],
            age(image["baked_at"]),
        )
    show(rows)


def _one(client: Client, deployment: str, *, follow: bool, as_json: bool) -> None:
    found = client.get(f"/v1/deployments/{segment(deployment)}")
    if follow:
        with Story(quiet=as_json) as story:
            found = Deploy(client, story).follow(found)
    elif not as_json:
        for progress in found["progress"]:
            say(f"{progress['at'][11:19]} {progress['sentence']}")
    if as_json:
        result(found)
    if found["finished_at"]:
        _tell_end(found, quiet=as_json)


def _tell_end(ended: dict[str, Any], *, quiet: bool) -> None:
    """The address, or why there is none with the console's last lines."""
    if ended["console"] and not quiet:
        note(f"The last lines of the console of {ended['server_group']}:")
        for line in ended["console"].splitlines():
            note_plain(f"  {line}")
    outcome(ended)
    if not quiet:
        say(f"{ended['server_group']} serves version {ended['version']}: {ended['url']}")


def _with_strategy(manifest: Manifest, kind: str | None) -> Manifest:
    if kind is None:
        return manifest
    values = manifest.model_dump(mode="json")
    return validate({**values, "strategy": {**values["strategy"], "kind": kind}}, "--strategy")
