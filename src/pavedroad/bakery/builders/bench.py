"""What a builder works with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery.layers import Layers
from pavedroad.bakery.rooms import Runners
from pavedroad.bakery.running import Report
from pavedroad.manifest.model import Build


@dataclass(frozen=True, slots=True)
class Bench:
    """`work` is a copy of the source; what is left in it becomes the application's layer. `source_digest` is
    over all of the source; `anew` asks for layers that are known to be made again."""

    work: Path
    build: Build
    source_digest: str
    runners: Runners
    layers: Layers
    anew: bool

    def clear(self, name: str) -> Path:
        """The place of something of ours in the work folder, with nothing in it: what code of the source has
        put there may be a link, through which we would write wherever it leads. Blocks."""
        place = self.work / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        return place

    @property
    def report(self) -> Report:
        return self.runners.own.report
