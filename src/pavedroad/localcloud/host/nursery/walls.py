"""What a guest may see: the system's folders, its root and its own temporary folder, its image's shared
layers, and the interpreters that its image links to."""

from __future__ import annotations

import os
import sys

from pavedroad.core import seclusion
from pavedroad.core.confinement import Walls, installation_of, interpreters_of
from pavedroad.localcloud.host.faults import afflicted
from pavedroad.localcloud.host.nursery.messages import Boot

SCRIPT = "user-data"
TEMPORARY = "tmp"
"""Beside the root, so that no image of it has what is in there."""
_PROGRAMS = (".venv/bin", ".node/bin", "bin")
"""Of a root or a layer, where links to interpreters are."""

OURS = (
    sys.executable,
    os.path.join(sys.prefix, "pyvenv.cfg"),
    *installation_of(sys.executable),
    os.path.dirname(os.path.abspath(afflicted.__file__)),
)
"""What programs of our own need that run among a guest's processes."""


def walls(boot: Boot) -> Walls:
    """Its temporary folder is made where it is not yet."""
    root, temporary = os.path.join(boot.folder, "root"), os.path.join(boot.folder, TEMPORARY)
    os.makedirs(temporary, 0o700, exist_ok=True)
    layers = [part.source for part in boot.parts if part.shared]
    folders = [os.path.join(root, folder) for folder in _PROGRAMS]
    readable = (*layers, os.path.join(boot.folder, SCRIPT), *interpreters_of(folders), *boot.readable)
    return Walls(readable, (root, temporary) if boot.user is None else (root, temporary, "/tmp"))  # noqa: S108


def give(boot: Boot, user: int, walls: Walls) -> None:
    """What is the guest's is its user's, and what it may see is shown to this process and those to come."""
    root, temporary = os.path.join(boot.folder, "root"), os.path.join(boot.folder, TEMPORARY)
    for folder in (root, temporary):
        if os.stat(folder).st_uid != user:
            seclusion.hand_over(folder, user)
    os.chmod(boot.folder, 0o711)  # noqa: S103 - the folder above it is closed
    seclusion.seclude(temporary, (boot.folder, *walls.readable, *OURS))
