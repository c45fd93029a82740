"""Commands run by an ordinary user, also where the tests are run by root.

`python -m tests.ordinary OPTION...` runs the tests that are marked `ordinary` so, with pytest's options: the
machine's usual user may do less than root, and what only root can is not noticed by root.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pavedroad

ROOT = Path(__file__).resolve().parents[1]
ORDINARY = 65534
_AS_ORDINARY = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]


def as_ordinary_user() -> list[str]:
    """What comes before a command. Root's own folders may be closed to others: the interpreter and this
    code are then shown to them there, for that command alone."""
    if os.geteuid() != 0:
        return []
    shown: dict[Path, set[str]] = {}
    for needed in (
        Path(sys.executable).resolve().parents[1],
        Path(sys.prefix),
        Path(pavedroad.__file__).parents[2],
    ):
        if closed := _closed(needed):
            shown.setdefault(closed, set()).add(needed.relative_to(closed).parts[0])
    lines = ["set -e"]
    for folder, names in shown.items():
        for name in names:
            held = f"/run/pavedroad-shown-{os.getpid()}-{name}"
            lines += [f"mkdir -p {held}", f"mount --bind {folder / name} {held}"]
        lines.append(f"mount -t tmpfs -o mode=755 tmpfs {folder}")
        for name in names:
            held = f"/run/pavedroad-shown-{os.getpid()}-{name}"
            lines += [f"mkdir {folder / name}", f"mount --move {held} {folder / name}", f"rmdir {held}"]
    script = "\n".join([*lines, "export HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1", 'exec "$@"'])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *_AS_ORDINARY]


def folder_of_ordinary_user() -> tempfile.TemporaryDirectory[str]:
    made = tempfile.TemporaryDirectory(prefix="paved-ordinary-")
    if os.geteuid() == 0:
        os.chown(made.name, ORDINARY, ORDINARY)
    return made


def main() -> int:
    """How the tests ended; well where there is nothing to do, or nothing can be done, which is said."""
    if os.geteuid() != 0:
        return 0  # all tests were an ordinary user's
    with folder_of_ordinary_user() as home:
        settings = {"HOME": home, "TMPDIR": home, "USER": "ordinary", "LOGNAME": "ordinary"}
        there = [*as_ordinary_user(), "env", *(f"{name}={value}" for name, value in settings.items())]
        python = [*there, "sh", "-c", 'cd "$0" && exec "$@"', str(ROOT), sys.executable, "-m", "pytest"]
        options = ["-p", "no:cacheprovider", "-m", "ordinary"]
        try:
            tried = subprocess.run([*python, "--version"], capture_output=True, text=True, check=False)
            why = tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""
        except OSError as error:
            why = str(error)
        if why:
            sys.stderr.write(
                f"\nSKIPPED: no test was run by an ordinary user, since root could not be one here: {why}\n"
            )
            return 0
        sys.stderr.write("\nOnce more, by an ordinary user, what root may be too mighty to notice:\n")
        return subprocess.run([*python, *options, *sys.argv[1:]], check=False).returncode


def _closed(path: Path) -> Path | None:
    """The first folder on the way there that others may not pass."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


if __name__ == "__main__":
    sys.exit(main())
