"""Where Pavedroad keeps what it keeps on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pavedroad.core.errors import Unavailable
from pavedroad.core.homes import check_home

KEY_FILE = "key.json"
"""In the folder of a private cloud."""
_KEPT = ("token", "platform.db", "platform.db-wal", "workflows.db", "workflows.db-wal")
_MADE_ANEW = ("lock", "running.json", "platform.db.lock", "platform.db-shm", "workflows.db-shm")


@dataclass(frozen=True, slots=True)
class Places:
    """The files below one home folder (`PAVED_HOME`, else `$XDG_STATE_HOME/pavedroad`)."""

    home: Path

    @classmethod
    def default(cls) -> Places:
        if named := os.environ.get("PAVED_HOME"):
            return cls(Path(named).expanduser().absolute())
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return cls(Path(state).absolute() / "pavedroad")

    @property
    def running(self) -> Path:
        """JSON of what runs now: processes and addresses."""
        return self.home / "running.json"

    @property
    def lock(self) -> Path:
        return self.home / "lock"

    @property
    def token(self) -> Path:
        """The bearer token of the first administrator, mode 0600."""
        return self.home / "token"

    @property
    def database(self) -> Path:
        return self.home / "platform.db"

    @property
    def cloud(self) -> Path:
        """The private cloud's own folder."""
        return self.home / "cloud"

    @property
    def cloud_key(self) -> Path:
        """The private cloud's own access key, mode 0600; see `core.cloud_key`."""
        return self.cloud / KEY_FILE

    @property
    def builds(self) -> Path:
        """The bakery's folder: caches and folders under construction."""
        return self.home / "builds"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def prepare(self) -> None:
        """Make the folders, private to this user. `StateUnreadable` where something else is in the place of
        one, or of a file."""
        check_home(self.home, kept=_KEPT, made_anew=_MADE_ANEW, folders=("cloud", "builds", "logs"))
        try:
            for folder in (self.home, self.cloud, self.builds, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_uid == os.geteuid():
                    folder.chmod(0o700)  # also where it was made by hand: others could put files in it
            probe = self.home / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise Unavailable(
                f"The folder {self.home} cannot be written: {error.strerror}.",
                next_step="Make it writable, or set PAVED_HOME to a folder that is.",
            ) from error
