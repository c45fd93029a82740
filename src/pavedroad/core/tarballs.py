"""Tar archives of anybody's, unpacked into a folder that nothing leaves, in memory that they do not choose.

tarfile reads the headers and no more. Its own reader takes as much memory as a header asks for, ends without
a word where an archive is damaged, and looks at links before all of them are there.
"""

from __future__ import annotations

import errno
import gzip
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import zstandard

from pavedroad.core.errors import InvalidInput, TooLarge

_BLOCK = 512
_CHUNK = 1 << 18
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_LARGEST_WINDOW = 32 << 20
"""Of zstd, in memory: level 19 takes 8 MB."""
_LARGEST_RECORD = 64 << 10
"""Of what comes before a member: a long name, or pax records."""
_LONGEST_PATH, _LONGEST_NAME, _DEEPEST = 1024, 255, 100
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
_PAX = frozenset({tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE})
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_HEEDED = frozenset({"path", "linkpath", "size"})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ARCHIVES_OWN = frozenset(
    {
        errno.EEXIST,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.EMLINK,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
    }
)
"""What a file system refuses since the archive asks for it; the rest is the machine's trouble."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an archive may hold: bytes of files, and members."""

    size: int
    members: int = 200_000

    @property
    def stream(self) -> int:
        """Bytes in all, headers and padding included."""
        return self.size + 4 * _BLOCK * self.members


LAYER = Limits(32 << 30, members=1_000_000)
"""Of an image. What could not be unpacked again is not packed: files with holes cost their maker nothing."""


def unpack(archive: Path, folder: Path, limits: Limits, *, links_may_leave: bool = False) -> int:
    """Into a folder that is there and empty. The tar is plain or compressed with zstd or gzip, told by its
    first bytes. What comes out is ours; symbolic links stay inside, unless told that they may leave, and
    nothing is ever written through one. Gives the bytes of the files. Raises InvalidInput or TooLarge."""
    with archive.open("rb") as file, _plain(file) as plain, _Tree(folder) as tree:
        stream, size = _Stream(plain, limits), 0
        for member in _members(stream, limits):
            size += member.size
            try:
                tree.add(member, stream)
            except OSError as error:
                if error.errno not in _ARCHIVES_OWN:
                    raise
                raise _refused(f"{member.spoken}: {error.strerror}") from error
    if not links_may_leave:
        _check_links(folder)
    return size


def _refused(why: str) -> InvalidInput:
    return InvalidInput(
        f"This is not a tar archive that can be unpacked: {why}.",
        next_step="Send a folder's files and folders as a tar, compressed with zstd or gzip.",
    )


def _plain(file: IO[bytes]) -> IO[bytes]:
    start = file.read(4)
    file.seek(0)
    if start == _ZSTD:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        return cast("IO[bytes]", decompressor.stream_reader(file, read_across_frames=True))
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    return file


class _Stream:
    """What is decompressed, counted before anything of it is believed."""

    def __init__(self, plain: IO[bytes], limits: Limits) -> None:
        self._plain = plain
        self._limits = limits
        self._left = limits.stream

    def chunks(self, size: int) -> Iterator[bytes]:
        """So many bytes; none is missing."""
        while size:
            try:
                chunk = self._plain.read(min(size, _CHUNK))
            except (zstandard.ZstdError, zlib.error, gzip.BadGzipFile, EOFError) as error:
                raise _refused(str(error)) from error
            if not chunk:
                raise _refused("it ends too early")
            size -= len(chunk)
            self._left -= len(chunk)
            if self._left < 0:
                raise _too_large(self._limits)
            yield chunk

    def bytes(self, size: int) -> bytes:
        return b"".join(self.chunks(size))

    def pad(self, size: int) -> None:
        """The rest of the last block of something of this size."""
        self.bytes(-size % _BLOCK)


def _too_large(limits: Limits) -> TooLarge:
    return TooLarge(
        f"The archive unpacks to over {limits.size:,} bytes or {limits.members:,} files.",
        next_step="Leave out what is not needed.",
    )


@dataclass(frozen=True, slots=True)
class _Member:
    parts: tuple[str, ...]
    kind: bytes
    size: int
    mode: int
    modified: int
    link: str

    @property
    def spoken(self) -> str:
        return repr("/".join(self.parts))


def _members(stream: _Stream, limits: Limits) -> Iterator[_Member]:
    """Each as its header says, and as the records before it do; their contents are the caller's to read."""
    told: dict[str, str] = {}
    left, headers, size = limits.members, 3 * limits.members, 0
    while (header := _header(stream)) is not None:
        headers -= 1
        member = None
        if header.type in _PAX or header.type in _LONG or header.type == tarfile.XGLTYPE:
            told |= _told_ahead(header, stream)
        else:
            member, told = _member(header, told), {}
            left -= 1
            size += member.size
        if left < 0 or headers < 0 or size > limits.size:
            raise _too_large(limits)
        if member is not None:
            yield member
    if told:
        raise _refused("it ends before the member that a record announces")


def _header(stream: _Stream) -> tarfile.TarInfo | None:
    """The next; None at the mark that ends an archive, without which it is not whole."""
    block = stream.bytes(_BLOCK)
    if not any(block):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise _refused(f"{error}") from error
    if header.size < 0:
        raise _refused(f"{header.name!r} has a size below nothing")
    return header


def _told_ahead(header: tarfile.TarInfo, stream: _Stream) -> dict[str, str]:
    """What GNU's long names and pax's records say of the member after them."""
    if header.size > _LARGEST_RECORD:
        raise _refused(f"a record of {header.size:,} bytes stands before a member")
    body = stream.bytes(header.size)
    stream.pad(header.size)
    if header.type in _LONG:
        return {_LONG[header.type]: _text(body.rstrip(b"\0"))}
    told = dict(_records(body))
    if header.type == tarfile.XGLTYPE and told:
        raise _refused("all members have one name or size")
    return told


def _records(body: bytes) -> Iterator[tuple[str, str]]:
    """Of pax, each `<length> <key>=<value>` and a new line: those that we heed."""
    at = 0
    while at < len(body):
        length, _, _ = body[at : at + 8].partition(b" ")
        end = at + (int(length) if length.isdigit() else 0)
        key, equals, value = body[at + len(length) + 1 : end - 1].partition(b"=")
        if not equals or end > len(body) or body[end - 1 : end] != b"\n":
            raise _refused("a member's pax records are garbled")
        if key.startswith(b"GNU.sparse."):
            raise _refused("a member is a sparse file")
        if (name := key.decode(errors="replace")) in _HEEDED:
            yield name, _text(value)
        at = end


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise _refused(f"the name {name[:80]!r} is not UTF-8") from None


def _member(header: tarfile.TarInfo, told: dict[str, str]) -> _Member:
    name, link = told.get("path", header.name), told.get("linkpath", header.linkname)
    parts = _parts(name)
    if header.type in _FILES:
        size = told.get("size", str(header.size))
        if not (size.isdecimal() and len(size) <= 18):
            raise _refused(f"{name!r} has the size {size[:20]!r}")
        kind, content = tarfile.REGTYPE, int(size)
    elif header.type in {tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE}:
        kind, content = header.type, 0
    else:
        raise _refused(f"{name!r} is neither file, folder nor link")
    if not parts and kind != tarfile.DIRTYPE:
        raise _refused(f"{name!r} is no name")
    if kind == tarfile.LNKTYPE:
        _parts(link)
    elif kind == tarfile.SYMTYPE and (not link or len(_encoded(link)) > _LONGEST_PATH):
        raise _refused(f"{name!r} links to nothing that can be")
    modified = header.mtime if 0 <= header.mtime < 1 << 33 else 0
    return _Member(parts, kind, content, header.mode, int(modified), link)


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the last name of a path that lies inside."""
    if name.startswith("/"):
        raise _refused(f"{name[:80]!r} would be unpacked outside")
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise _refused(f"{name[:80]!r} would be unpacked outside")
    if (
        len(_encoded(name)) > _LONGEST_PATH
        or len(parts) > _DEEPEST
        or any(len(part.encode()) > _LONGEST_NAME for part in parts)
    ):
        raise _refused(f"the name {name[:80]!r}… is too long or too deep")
    return parts


def _encoded(name: str) -> bytes:
    if "\0" in name:
        raise _refused(f"the name {name[:80]!r} has a zero byte")
    try:
        return name.encode()
    except UnicodeEncodeError:
        raise _refused(f"the name {name[:80]!r} is not UTF-8") from None


class _Tree:
    """A folder that is filled by descriptors: no link in it is followed, whatever it holds by then."""

    def __init__(self, folder: Path) -> None:
        self._root = os.open(folder, _FOLDER)
        self._at: tuple[str, ...] = ()
        self._here = os.dup(self._root)

    def __enter__(self) -> _Tree:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._here)
        os.close(self._root)

    def add(self, member: _Member, stream: _Stream) -> None:
        """Under a name that is not there yet, but for folders."""
        if member.kind == tarfile.DIRTYPE:
            if member.parts:
                self._enter(member.parts)
                os.fchmod(self._here, (member.mode & 0o755) | 0o700)
            return
        *folders, name = member.parts
        if member.kind == tarfile.LNKTYPE:
            self._link(member, name, tuple(folders))
            return
        self._enter(tuple(folders))
        if member.kind == tarfile.SYMTYPE:
            os.symlink(member.link, name, dir_fd=self._here)
            return
        with os.fdopen(os.open(name, _NEW_FILE, 0o600, dir_fd=self._here), "wb") as file:
            for chunk in stream.chunks(member.size):
                file.write(chunk)
            file.flush()
            # Nobody else may write; no set-user-id.
            os.fchmod(file.fileno(), (member.mode & 0o755) | 0o600)
            os.utime(file.fileno(), (member.modified, member.modified))
        stream.pad(member.size)

    def _link(self, member: _Member, name: str, folders: tuple[str, ...]) -> None:
        *above, target = _parts(member.link) or ("",)
        self._enter(tuple(above), make=False)
        source = os.dup(self._here)
        try:
            if not stat.S_ISREG(os.stat(target, dir_fd=source, follow_symlinks=False).st_mode):
                raise _refused(f"{member.spoken} is a hard link to what is no file")
            self._enter(folders)
            os.link(target, name, src_dir_fd=source, dst_dir_fd=self._here, follow_symlinks=False)
        finally:
            os.close(source)

    def _enter(self, folders: tuple[str, ...], *, make: bool = True) -> None:
        if folders == self._at:
            return
        here = os.dup(self._root)
        try:
            for folder in folders:
                if make:
                    _make(folder, here)
                inner = os.open(folder, _FOLDER, dir_fd=here)
                os.close(here)
                here = inner
        except OSError:
            os.close(here)
            raise
        os.close(self._here)
        self._here, self._at = here, folders


def _make(folder: str, inside: int) -> None:
    with suppress(FileExistsError):  # what is no folder fails to open as one
        os.mkdir(folder, 0o755, dir_fd=inside)


def _check_links(root: Path) -> None:
    """Now that all is there: no link leads out, by whatever others on its way, and none in a circle."""
    real = os.path.realpath(root)
    for link in _links(real):
        _check_link(Path(link), real)


def _links(folder: str) -> Iterator[str]:
    """One folder open at each depth, and no list of what is there."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield entry.path
            elif entry.is_dir(follow_symlinks=False):
                yield from _links(entry.path)


def _check_link(link: Path, root: str) -> None:
    name = os.path.relpath(link, root)
    try:
        link.stat()
    except FileNotFoundError:
        pass  # to what is not shipped
    except OSError as error:
        raise _refused(f"the link {name!r}: {error.strerror}") from error
    if link.readlink().is_absolute() or not Path(os.path.realpath(link)).is_relative_to(root):
        raise _refused(f"the link {name!r} leads out of the folder")
