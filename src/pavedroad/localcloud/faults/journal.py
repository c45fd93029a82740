"""Every start and end of a fault, a line of JSON each, in the cloud's own log of faults."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from pavedroad.localcloud.faults.model import Fault

_LARGEST = 4 * 2**20
_log = logging.getLogger(__name__)


class Journal:
    """Appends to `path`; a long log is turned over once, so that it never grows without end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, event: str, fault: Fault) -> None:
        line = json.dumps({"event": event, **fault.document()}, separators=(",", ":"))
        try:
            if self._path.exists() and self._path.stat().st_size > _LARGEST:
                self._path.replace(self._path.with_suffix(".log.1"))
            with self._path.open("a") as file:
                file.write(line + "\n")
        except OSError:
            _log.exception("The log of faults could not be written")
