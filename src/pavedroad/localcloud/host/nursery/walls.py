"""What a guest may see: the system's folders, its root and its own temporary folder, its image's shared
layers, and the interpreters that its image links to."""

from __future__ import annotations

import os
import sys

from pavedroad.core import capabilities, seclusion
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
    made = Walls(readable, (root, temporary))
    return seclusion.with_own_temporary(made) if boot.secluded else made


def seclude(boot: Boot, walls: Walls) -> None:
    """What is the guest's is its user's, and what it may see is shown to this process and those to come."""
    root, temporary = os.path.join(boot.folder, "root"), os.path.join(boot.folder, TEMPORARY)
    if boot.user is None:
        capabilities.leave_users()
    else:
        for folder in (root, temporary):
            if os.stat(folder).st_uid != boot.user:
                seclusion.hand_over(folder, boot.user)
        os.chmod(boot.folder, 0o711)  # noqa: S103 - the folder above it is closed
    seclusion.seclude(temporary, (*walls.readable, *OURS), (boot.folder,))
