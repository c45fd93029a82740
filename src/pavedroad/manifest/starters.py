"""Services to start from: small, working, with a test and a `paved.yaml` that editors understand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from pavedroad.core.errors import Conflict, InvalidInput, Unavailable
from pavedroad.core.names import ClusterName
from pavedroad.manifest.loading import parse
from pavedroad.manifest.schema import json_schema

Kind = Literal["python", "node", "command"]

SCHEMA = ".paved/schema.json"
_TEMPLATES = Path(__file__).with_name("templates")


def write(folder: Path, *, name: str, kind: Kind, owner: str) -> list[str]:
    """Fill a new folder; gives the files' names. Nothing that is there is ever overwritten."""
    if "-" in name or str(ClusterName.parse(name)) != name:
        likely = re.sub(r"[^a-zA-Z0-9._]+", "_", name).strip("_") or "api"
        raise InvalidInput(
            f"'{name}' is not an application's name: it takes letters, digits, '.' and '_'; a '-' parts the "
            "names of application, stack and detail, as in api-prod-eu-v003.",
            next_step=f"Write it so: paved new {likely}",
        )
    files = {
        place.relative_to(_TEMPLATES / kind).as_posix(): place.read_text()
        for place in sorted((_TEMPLATES / kind).rglob("*"))
        if place.is_file() and "__pycache__" not in place.parts
    }
    files = {path: text.replace("@NAME@", name).replace("@OWNER@", owner) for path, text in files.items()}
    parse(files["paved.yaml"].encode(), "paved.yaml")  # an owner that makes no sense is refused here
    files[SCHEMA] = json.dumps(json_schema(), indent=1) + "\n"
    try:
        folder.mkdir(parents=True)
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    except FileExistsError:
        raise Conflict(
            f"{folder.absolute()} is there already.", next_step="Choose another name, or remove it."
        ) from None
    except OSError as error:
        raise Unavailable(
            f"{folder.absolute()} cannot be written: {error.strerror}.", next_step="Choose a folder that can."
        ) from error
    return sorted(files)
