"""Starting a guest's process, with an exact word on why it did not start."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
from collections.abc import Callable
from typing import NoReturn

from pavedroad.localcloud.host.nursery import linux

_SHELL = "/bin/sh"
_COMPOUND = re.compile(r"[;&|(){}\n`]|^\s*(?:\w+=|if\b|for\b|while\b|case\b|exec\b|cd\b|\.\s|!)")
_LITERAL = re.compile(r"[\w@%+:,./~-]+")


class NotStartedError(Exception):
    """The process was not started: the system's word, and what it was about."""

    def __init__(self, number: int, subject: str) -> None:
        super().__init__(f"{os.strerror(number)}: '{subject}'")


def shell_line(command: str) -> list[str]:
    """The command as the shell gets it; a simple one takes the shell's place, so that it is the process."""
    return [_SHELL, "-c", command if _COMPOUND.search(command) else f"exec {command}"]


def check(command: str, root: str, environment: dict[str, str]) -> None:
    """Raise for a program that is not there or may not be run, where the command names it plainly: the shell
    would only answer 127."""
    if _COMPOUND.search(command):
        return
    try:
        words = shlex.split(command)
    except ValueError:
        return
    if not words or not _LITERAL.fullmatch(words[0]) or words[0].startswith("~"):
        return
    program = words[0]
    folders = [""] if "/" in program else environment.get("PATH", os.defpath).split(":")
    places = [os.path.join(root, folder, program) for folder in folders]
    existing = [place for place in places if os.path.exists(place)]
    if not existing:
        raise NotStartedError(errno.ENOENT, program)
    if not any(os.path.isfile(place) and os.access(place, os.X_OK) for place in existing):
        raise NotStartedError(errno.EACCES, program)


def launch(
    arguments: list[str], root: str, environment: dict[str, str], output: int, confine: Callable[[], None]
) -> int:
    """A process of its own group in `root`, both its outputs in `output`; its pid once its exec succeeded.
    `confine` is called in it, before it is the guest's."""
    told, tell = os.pipe()  # close-on-exec: an empty pipe that closes says that the exec succeeded
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _become(arguments, root, environment, output=output, tell=tell, parent=parent, confine=confine)
    os.close(tell)
    with open(told, "rb") as answers:
        answer = answers.read()
    if answer:
        os.waitpid(pid, 0)
        raise NotStartedError(*json.loads(answer))
    return pid


def _become(
    arguments: list[str],
    root: str,
    environment: dict[str, str],
    *,
    output: int,
    tell: int,
    parent: int,
    confine: Callable[[], None],
) -> NoReturn:
    subject = root
    try:
        linux.die_with(parent, signal.SIGKILL)
        os.setpgid(0, 0)
        os.umask(0o022)
        for number in signal.Signals:
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        linux.limit_guest()
        confine()
        linux.die_with(parent, signal.SIGKILL)  # who becomes another user has forgotten it
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        subject = arguments[0]
        os.execve(subject, arguments, environment)  # noqa: S606 - the guest's own command
    except OSError as error:
        os.write(tell, json.dumps([error.errno or errno.EINVAL, subject]).encode())
    finally:
        os._exit(127)
