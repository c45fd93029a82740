"""`paved images`: what was baked, and what of it may go."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pavedroad.bakery.sizes import counted, spoken
from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import age
from pavedroad.cli.commands import group
from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import AsJson, confirm, result, say, show
from pavedroad.core.errors import NotFound

_SECONDS = 600.0


class _ListUnlessTold(TyperGroup):
    """`paved images` and `paved images APPLICATION` list; no application can be called as a command here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = next((argument for argument in args if not argument.startswith("-")), None)
        asks = {"-h", "--help"}.intersection(args)
        return super().parse_args(ctx, args if named in self.commands or asks else ["list", *args])


app = group(cls=_ListUnlessTold, help="The images that were baked: list them, and prune what nothing uses.")


@app.command("list")
def list_images(
    application: Annotated[str | None, typer.Argument(help="Only this application's.")] = None,
    as_json: AsJson = False,
) -> None:
    """The images that were baked, newest first."""
    found = Client.here().get("/v1/images", application=application)
    if application and not found:
        raise NotFound(
            f"The application '{application}' has no image.", next_step="List all images: paved images."
        )
    if as_json:
        result(found)
        return
    columns = ("IMAGE", "APPLICATION", "VERSION", "COMMIT", "BASE", "BAKED BY", "AGE")
    rows = Rows(*columns, spare=("BAKED BY", "BASE", "COMMIT"))
    for image in found:
        rows.add(
            image["id"],
            image["application"],
            image["version"],
            image["commit"] or "",
            image["base"],
            image["baked_by"],
            age(image["baked_at"]),
        )
    show(rows)


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option("--keep", min=0, help="How many of each application stay in any case.")
    ] = 5,
    region: Annotated[str, typer.Option("--region", help="Of the cloud.")] = "us-east-1",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take away the images that nothing uses, and what only they were made of."""
    client = Client.here()
    plan = client.get("/v1/images/prune", keep=str(keep), region=region)
    if not as_json:
        _tell(plan)
    if dry_run or not (plan["images"] or plan["objects"]):
        if as_json:
            result(plan)
        return
    if not yes:
        confirm(f"delete {_counted(plan)}")
    done = client.post(f"/v1/images/prune?keep={keep}&region={segment(region)}", within=_SECONDS)
    if as_json:
        result(done)
    else:
        say(f"{_counted(done)} gone.{_why(done)}")


def _tell(plan: dict[str, Any]) -> None:
    if plan["images"]:
        rows = Rows("IMAGE", "APPLICATION", "VERSION", "BAKED BY", "AGE", spare=("BAKED BY",))
        for image in plan["images"]:
            baked = age(image["baked_at"])
            rows.add(image["id"], image["application"], image["version"], image["baked_by"], baked)
        show(rows)
    stays = ", ".join(f"{count} {why}" for why, count in plan["kept"].items()) or "none"
    say(f"{_counted(plan)} to go. Images that stay: {stays}.{_why(plan)}")


def _counted(view: dict[str, Any]) -> str:
    images, objects = counted(len(view["images"]), "image"), counted(view["objects"], "object")
    return f"{images} and {objects} of {spoken(view['bytes'])}"


def _why(view: dict[str, Any]) -> str:
    return f" {view['reason']}" if view["reason"] else ""
