"""Ships a folder from Python, with the same services that the HTTP API, the command line and the portal use.

Needs a cloud and nothing else: `paved cloud up --detach`, `eval "$(paved cloud env)"`, then
`python examples/from_python/ship.py examples/hello`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pavedroad.access.model import Principal, Role
from pavedroad.core.errors import PavedError
from pavedroad.delivery.model import DeploymentView, DeployRequest
from pavedroad.manifest.loading import load
from pavedroad.platform.services import build, serving
from pavedroad.platform.settings import Settings

ME = Principal("me", frozenset({Role.DEPLOYER}))


async def ship(folder: Path) -> DeploymentView:
    manifest = load(folder)
    settings = Settings.read()
    settings.places.prepare()
    services = build(settings)
    async with serving(services):
        image = await services.bakery.bake(ME, manifest, folder, report=print)
        request = DeployRequest(manifest.model_dump(mode="json"), image.image_id)
        deployment = await services.delivery.deploy(ME, request)
        async for told in services.delivery.follow(deployment.id):
            if isinstance(told, DeploymentView):
                return told
            print(told.sentence)
    raise AssertionError("a deployment that is followed comes to an end")


if __name__ == "__main__":
    try:
        done = asyncio.run(ship(Path(sys.argv[1])))
    except PavedError as error:
        sys.exit(f"{error.sentence}\n{error.next_step or ''}".rstrip())
    print(done.error or f"{done.server_group} serves at {done.url}")
    sys.exit(bool(done.error))
