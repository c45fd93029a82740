"""A recipe: all that decides what an image is. Its key names the image."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery.layers import key_of
from pavedroad.bakery.model import Kind, Layer
from pavedroad.manifest.model import Manifest

_VERSION = 2  # of what an image's manifest says and is made from: raise it when that changes
_PYTHON_FILES = ("pyproject.toml", "requirements.txt", "setup.py")
# What a plain shell command does not hold: with it, the shell must stay to see the command through.
_COMPOUND = re.compile(r"[;&|(){}`]|^\s*(?:\w+=|if\b|for\b|while\b|case\b|exec\b|cd\b|\.\s|!)")


def kind_of(manifest: Manifest, folder: Path) -> Kind:
    """As the manifest says, or as the folder looks."""
    build = manifest.build
    if build.kind is not None:
        return build.kind
    if (
        build.packages
        or any((folder / name).is_file() for name in _PYTHON_FILES)
        or any(folder.glob("*.whl"))
    ):
        return "python"
    if (folder / "package.json").is_file():
        return "node"
    return "command" if build.command else "files"


@dataclass(frozen=True, slots=True)
class Recipe:
    """`base` and `base_version` are of the interpreter that was found; empty where the kind has none."""

    manifest: Manifest
    kind: Kind
    base: str
    base_version: str
    source_digest: str

    @property
    def key(self) -> str:
        """Over everything that goes into the image, and nothing else: capacity, say, is not in it."""
        manifest = self.manifest
        return key_of(
            _VERSION,
            self.kind,
            self.base,
            self.base_version,
            self.source_digest,
            manifest.application,
            manifest.build.model_dump(mode="json"),
            manifest.command,
            manifest.environment,
            manifest.port,
            manifest.stop,
        )

    def image_manifest(self, layers: Sequence[Layer], programs: Sequence[str]) -> dict[str, object]:
        """What the cloud boots."""
        return {
            "schema": 1,
            "command": with_programs(self.manifest.command, programs),
            "environment": {**self.manifest.environment, "PORT": str(self.manifest.port)},
            "stop_seconds": int(self.manifest.stop),
            "port": self.manifest.port,
            "layers": [
                {
                    "digest": layer.digest,
                    "path": layer.path,
                    "shared": layer.shared,
                    "key": layer.key,
                    "size": layer.size,
                }
                for layer in layers
            ],
        }


def with_programs(command: str, programs: Sequence[str]) -> str:
    """The command with the image's folders of programs before PATH; by `env`, so that any host can run it."""
    if not programs:
        return command
    path = ":".join([*(f"$PWD/{folder}" for folder in programs), "$PATH"])
    plain = command if not _COMPOUND.search(command) else f"/bin/sh -c {shlex.quote(command)}"
    return f'env "PATH={path}" {plain}'


_FOREIGN_IN_NAME = re.compile(r"[^a-zA-Z0-9()\[\] ./\-'@_]")
_FOREIGN_IN_TAG = re.compile(r"[^\w .:/=+\-@]")
_LONGEST_NAME = 128
_LONGEST_TAG = 256


def image_name(application: str, version: str, key: str, stamp: str) -> str:
    """As Aminator named them, package first, within what a cloud takes."""
    tail = f"-{key[:12]}-{stamp}"
    head = _FOREIGN_IN_NAME.sub("_", f"{application}-{version}")
    return head[: _LONGEST_NAME - len(tail)] + tail


def within_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags with the letters and the length that a cloud takes; empty ones are left out."""
    return {name: _FOREIGN_IN_TAG.sub("_", text)[:_LONGEST_TAG] for name, text in tags.items() if text}
