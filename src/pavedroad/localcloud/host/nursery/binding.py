"""Guests share one network, and a program that listens at every address (0.0.0.0, ::) means its machine's:
it gets its guest's own address, so that the next guest may listen on the same port.

The kernel asks the guest's supervisor about each bind(2) of a guest (seccomp's user notification, Linux 5.6),
whatever the program is written in; seccomp_unotify(2) has the structures and numbers. It guards nothing: a
program that wants another address names it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from pavedroad.core import capabilities, kernel

_MACHINES = {"x86_64": (0xC000003E, 317, 49), "aarch64": (0xC00000B7, 277, 200)}
"""By name: how the kernel calls it, and its numbers of seccomp(2) and bind(2)."""
_FILTER, _NEW_LISTENER = 1, 8
_PATIENT = 32
"""Since Linux 5.19: no signal interrupts whom we have begun to answer."""
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_CONTINUE = 1
_GET_DESCRIPTOR = 438
_PR_SET_NO_NEW_PRIVS = 38
_TRIAL_SECONDS = 5.0
_SOURCE = str(Path(__file__).parents[4])
_TRIAL = (
    "import sys; sys.path.insert(0, sys.argv.pop()); from pavedroad.localcloud.host.nursery import binding; "
    "user = sys.argv.pop(); binding.try_it(int(user) if user else None)"
)
_LONGEST = 28
"""Bytes of an address of IPv6."""
_ANY = (bytes(16), bytes(10) + b"\xff\xff" + bytes(4))
"""IPv6's own, and IPv4's as IPv6 writes it."""


class _Code(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("yes", ctypes.c_ubyte),
        ("no", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("codes", ctypes.POINTER(_Code)))


class Binding:
    """The listening sockets of one guest, as its supervisor decides about them."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.asking: set[int] = set()
        """Descriptors, readable when a process of the guest waits for `answer`."""

    def watch(self, start: Callable[[Callable[[], None]], int]) -> int:
        """What `start` gives. It calls what it is given in the process that is to be watched, of one thread,
        and returns when that has become its program. Where the kernel refuses, nothing is watched."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            pid = start(partial(_be_watched, theirs))
            ours.setblocking(False)
            with suppress(BlockingIOError):
                _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, False)  # a received one is not: guests must not get it
                self.asking.update(descriptors)
        return pid

    def answer(self, descriptor: int) -> None:
        """To one call of bind; when nobody is left that could ask, never again."""
        if not (said := _said(descriptor, 0)):
            return
        if not said & select.POLLIN:
            self.asking.discard(descriptor)
            os.close(descriptor)
            return
        asked = bytearray(_NOTIFICATION.size)
        with suppress(OSError):  # who asked has been killed, or was interrupted and asks again
            fcntl.ioctl(descriptor, _RECEIVE, asked)
            number, thread, _, _, _, _, theirs, place, length, *_ = _NOTIFICATION.unpack(asked)
            error, flags = self._decide(thread, theirs & 0xFFFFFFFF, place, length & 0xFFFFFFFF)
            fcntl.ioctl(descriptor, _SEND, _ANSWER.pack(number, 0, -error, flags))

    def _decide(self, thread: int, theirs: int, place: int, length: int) -> tuple[int, int]:
        """The error's number for the program, 0 for none; or that the kernel is to do as it was asked."""
        try:
            port = _port_everywhere(_memory(thread, place, min(length, _LONGEST)))
            if not port:
                return 0, _CONTINUE
            taken = _socket_of(thread, theirs)
        except OSError:
            return 0, _CONTINUE
        with taken:
            try:
                self._bind(taken, port)
            except OSError as error:
                return error.errno or errno.EINVAL, 0
        return 0, 0

    def _bind(self, taken: socket.socket, port: int) -> None:
        where: tuple[str, int] = (self._address, port)
        if taken.family == socket.AF_INET6:
            if taken.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
                # Guests have no addresses of IPv6: it listens where nobody else does.
                with suppress(OSError):
                    taken.bind(("::1", 0))
                return
            where = (f"::ffff:{self._address}", port)
        if taken.getsockname()[:2] != where:  # a call that a signal has interrupted comes again
            taken.bind(where)


def possible(user: int | None) -> bool:
    """Whether this machine lets programs be watched so, be they of another user: tried. Blocks."""
    trial = [sys.executable, "-I", "-S", "-c", _TRIAL, "" if user is None else str(user), _SOURCE]
    return subprocess.run(trial, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def try_it(user: int | None) -> None:
    """Raise `OSError` where this machine does not let processes be watched so, be they of another user."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binding = Binding("127.0.0.1")
    told, tell = os.pipe()

    def start(be_watched: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            with suppress(BaseException):
                if user is not None:
                    capabilities.become(user)
                kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)
                be_watched()
                os.write(tell, b".")
                with socket.socket() as listening:
                    listening.bind(("0.0.0.0", port))
                    os._exit(listening.getsockname()[0] != "127.0.0.1")
            os._exit(1)
        os.close(tell)
        os.read(told, 1)
        return pid

    pid = binding.watch(start)
    for descriptor in binding.asking.copy():
        _said(descriptor, _TRIAL_SECONDS)
        binding.answer(descriptor)
    _, status = os.waitpid(pid, 0)
    if status:
        raise OSError(errno.ENOSYS, "the kernel lets nobody be watched")


def _said(descriptor: int, seconds: float) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return next((event for _, event in poll.poll(seconds * 1000)), 0)


def _be_watched(tell: socket.socket) -> None:
    with suppress(OSError, KeyError):
        descriptor = _install()
        try:
            socket.send_fds(tell, [b"."], [descriptor])
        finally:
            os.close(descriptor)


def _install() -> int:
    """This process, and all that it starts, asks about bind: who answers does so by this descriptor."""
    machine, seccomp, bind = _MACHINES[os.uname().machine]
    codes = (_Code * 6)(
        _Code(_LOAD, 0, 0, 4),
        _Code(_EQUAL, 0, 3, machine),
        _Code(_LOAD, 0, 0, 0),
        _Code(_EQUAL, 0, 1, bind),
        _Code(_RETURN, 0, 0, _ASK),
        _Code(_RETURN, 0, 0, _ALLOW),
    )
    program = _Program(len(codes), codes)
    try:
        return kernel.system_call(seccomp, _FILTER, _NEW_LISTENER | _PATIENT, ctypes.byref(program))
    except OSError:
        return kernel.system_call(seccomp, _FILTER, _NEW_LISTENER, ctypes.byref(program))


def _port_everywhere(address: bytes) -> int:
    """The port of a socket's address that is every address; 0 for any other, and where any port will do."""
    if len(address) < 8:
        return 0
    family, port = struct.unpack_from("=H", address)[0], struct.unpack_from("!H", address, 2)[0]
    if family == socket.AF_INET:
        return port if address[4:8] == bytes(4) else 0
    return port if family == socket.AF_INET6 and address[8:24] in _ANY else 0


def _memory(thread: int, place: int, length: int) -> bytes:
    memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(memory, length, place)
    finally:
        os.close(memory)


def _socket_of(thread: int, descriptor: int) -> socket.socket:
    """Another process's, which is ours too until we close it."""
    with open(f"/proc/{thread}/status", "rb") as lines:
        process = next(int(line.split()[1]) for line in lines if line.startswith(b"Tgid:"))
    watched = os.pidfd_open(process)
    try:
        return socket.socket(fileno=kernel.system_call(_GET_DESCRIPTOR, watched, descriptor, 0))
    finally:
        os.close(watched)
