"""A process that unpacks one layer: `python -m pavedroad.localcloud.host.unpack LAYER.tar.zst FOLDER`."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pavedroad.core import tarballs
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.localcloud.host.nursery import linux

UNFINISHED = ".unpacking-"
ASIDE = ".damaged-"


def unpack(layer: Path, folder: Path) -> None:
    """Beside its place, then renamed: it is there whole, or not at all. Only files, folders and links, none
    of which leads out of the folder (but links may name a program of the machine)."""
    with layer.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != folder.name:
        layer.replace(layer.with_name(f"{ASIDE}{layer.name}"))  # whoever has it whole brings it again
        raise Unavailable("its bytes are not those that its digest names; it is set aside.")
    building = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    try:
        tarballs.unpack(layer, building, tarballs.LAYER, links_may_leave=True)
        building.chmod(0o755)
        building.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) or not folder.is_dir():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def main() -> None:
    linux.die_with(os.getppid(), signal.SIGKILL)
    os.umask(0o022)  # guests that are users of their own enter its folders
    try:
        unpack(Path(sys.argv[1]), Path(sys.argv[2]))
    except OSError as error:
        sys.exit(f"{error.strerror or error}.")
    except PavedError as error:
        sys.exit(error.sentence)


if __name__ == "__main__":
    main()
