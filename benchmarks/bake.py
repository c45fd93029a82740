"""How long bakes take: the first, one of changed source with unchanged dependencies, and an unchanged one.

    python -m benchmarks.bake [--only requirements]

Bakes into a private cloud of its own, with real uv and npm.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pavedroad.access.model import Principal, Role
from pavedroad.access.service import Access
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.core.clock import SystemClock
from pavedroad.core.places import Places
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.manifest.loading import load
from tests.localcloud.running import running_cloud

WHO = Principal("benchmark", frozenset({Role.DEPLOYER}))
MANIFEST = "application: bench\nowner: team-road\ncommand: {command}\n"
PROJECT = """
[project]
name = "bench"
version = "1.0"
dependencies = ["datasette==0.65.2"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
SERVICES: dict[str, dict[str, str]] = {
    "requirements (datasette)": {
        "paved.yaml": MANIFEST.format(command="python app.py"),
        "requirements.txt": "datasette==0.65.2\n",
        "app.py": "print('hello')\n",
    },
    "package (over datasette)": {
        "paved.yaml": MANIFEST.format(command="python -m bench"),
        "pyproject.toml": PROJECT,
        "src/bench/__init__.py": "",
        "app.py": "print('hello')\n",
    },
    "node (express)": {
        "paved.yaml": MANIFEST.format(command="node app.js"),
        "package.json": json.dumps(
            {"name": "bench", "version": "1.0.0", "dependencies": {"express": "5.1.0"}}
        ),
        "app.py": "// hello\n",
    },
}


async def measure(bakery: Bakery, folder: Path) -> dict[str, float]:
    manifest = load(folder)
    figures: dict[str, float] = {}
    for turn in ("first", "changed", "changed again", "unchanged"):
        if turn.startswith("changed"):
            with (folder / "app.py").open("a") as source:
                source.write(f"# {turn}\n")
        result = await bakery.bake(WHO, manifest, folder)
        assert result.reused == (turn == "unchanged")
        figures[turn] = result.seconds
    return figures


async def run(only: str) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="paved-bench-") as home,
        running_cloud(Path(home, "cloud")) as cloud,
    ):
        places = Places(Path(home, "platform"))
        places.prepare()
        database = Database(sqlite_url(places.database))
        migrate(database)
        clouds = AwsClouds(endpoint_url=cloud.endpoint, session=cloud.session())
        bakery = Bakery(clouds, places, SystemClock(), Access(database, SystemClock()))
        print(f"{'seconds':26}{'first':>9}{'changed':>9}{'again':>9}{'unchanged':>11}")
        slow: list[str] = []
        for number, (name, files) in enumerate(SERVICES.items()):
            if only not in name:
                continue
            folder = Path(home, f"service-{number}")
            for path, text in files.items():
                place = folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            figures = await measure(bakery, folder)
            print(f"{name:26}" + "".join(f"{figures[turn]:9.2f}" for turn in list(figures)[:3]), end="")
            print(f"{figures['unchanged']:11.2f}")
            if max(figures["changed"], figures["changed again"]) >= 2:
                slow.append(name)
        clouds.close()
        database.close()
    print("A changed source with unchanged dependencies: under 2 s." if not slow else f"Over 2 s: {slow}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="what has this in its name")
    asyncio.run(run(parser.parse_args().only))


if __name__ == "__main__":
    main()
