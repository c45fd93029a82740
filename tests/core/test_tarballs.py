"""Archives of anybody's: what is refused, that it is refused in words, and what it costs until then."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pavedroad.core.errors import InvalidInput, TooLarge
from pavedroad.core.tarballs import Limits, unpack

LIMITS = Limits(10_000_000, members=1000)
Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"x", **fields: object) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    return file(name, b"", type=kind, linkname=target)


def hard(name: str, target: str) -> Member:
    return link(name, target, tarfile.LNKTYPE)


def folder(name: str) -> Member:
    return file(name, b"", type=tarfile.DIRTYPE, mode=0o755)


def pax(name: str, **records: str) -> Member:
    return file(name, pax_headers=records)


def tar_of(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


def header(kind: bytes, size: int, name: str = "x") -> bytes:
    """A bare header, with a size that its content need not have."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def unpacked(tmp_path: Path, body: bytes, limits: Limits = LIMITS, *, links_may_leave: bool = False) -> Path:
    (tmp_path / "body").write_bytes(body)
    out = tmp_path / "out"
    out.mkdir()
    unpack(tmp_path / "body", out, limits, links_may_leave=links_may_leave)
    return out


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("compress", [zstandard.compress, gzip.compress, bytes])
def test_files_folders_and_links_come_out_as_they_went_in(
    tmp_path: Path, compress: Callable[[bytes], bytes], form: int
) -> None:
    long = f"{'long' * 20}/{'name' * 24}"
    body = tar_of(
        folder("./"),
        folder("sub/"),
        file("sub/run", b"#!/bin/sh\n", mode=0o4777, mtime=1_600_000_000),
        file(long, b"y" * 100_000),
        file("./ünïcode", b""),
        link("link", "sub/run"),
        link("to-nothing", "sub/not-shipped"),
        hard("same", "sub/run"),
        form=form,
    )
    out = unpacked(tmp_path, compress(body))
    assert (out / long).read_bytes() == b"y" * 100_000
    assert (out / "ünïcode").read_bytes() == b""
    assert (out / "link").read_bytes() == b"#!/bin/sh\n"
    assert (out / "same").samefile(out / "sub/run")
    made = (out / "sub/run").stat()
    assert (made.st_mode & 0o7777, made.st_uid, int(made.st_mtime)) == (0o755, os.geteuid(), 1_600_000_000)
    assert (out / "sub").stat().st_mode & 0o7777 == 0o755


def test_frames_and_members_of_a_compression_are_one_after_another_one_archive(tmp_path: Path) -> None:
    body = tar_of(file("a", b"a" * 5000), file("b"))
    for turn, compress in enumerate((zstandard.compress, gzip.compress)):
        place = tmp_path / str(turn)
        place.mkdir()
        out = unpacked(place, compress(body[:3000]) + compress(body[3000:]))
        assert (out / "b").read_bytes() == b"x"


OUTWARD: dict[str, list[Member]] = {
    "above": [file("../outside")],
    "above, later": [file("a/../../outside")],
    "from the root": [file("/outside")],
    "a link to the root's": [link("a", "/etc/passwd")],
    "a link above": [link("a", "../../etc/passwd")],
    "a link by a link that comes later": [
        link("paved.yaml", "d/e/../../outside"),
        folder("x"),
        link("d", "x"),
        link("x/e", "."),
    ],
    "a file by a link": [link("a", ".."), file("a/outside")],
    "a file by a link inside": [folder("b"), link("a", "b"), file("a/c")],
    "a folder that becomes a link": [folder("a"), link("a", "..")],
    "a link that becomes a folder": [link("a", ".."), folder("a"), file("a/outside")],
    "a link that becomes a file": [link("a", "../outside"), file("a")],
    "a file that becomes a folder": [file("a"), file("a/b")],
    "a file that is there twice": [file("a"), file("a")],
    "a hard link above": [hard("a", "../outside")],
    "a hard link to the root's": [hard("a", "/etc/passwd")],
    "a hard link to a link": [link("b", "../outside"), hard("a", "b")],
    "a hard link by a link": [link("b", ".."), hard("a", "b/outside")],
    "a hard link to nothing": [hard("a", "b")],
    "a hard link to a folder": [folder("b"), hard("a", "b")],
    "a hard link to all": [hard("a", ".")],
    "a circle of links": [link("a", "b"), link("b", "a")],
    "a link to itself": [link("a", "a")],
    "a long way of links": [link(f"l{n}", f"l{n + 1}") for n in range(60)],
    "a pipe": [link("a", "", tarfile.FIFOTYPE)],
    "a device": [link("a", "", tarfile.CHRTYPE)],
    "a disk": [link("a", "", tarfile.BLKTYPE)],
    "an unknown kind": [link("a", "", b"V")],
    "a link to nothing": [link("a", "")],
    "no name": [file(".")],
    "a long name": [file("n" * 300)],
    "a long path": [file("/".join(["n" * 200] * 6))],
    "a deep path": [file("d/" * 101 + "f")],
    "a long link": [link("a", "n" * 1100)],
    "a name that is not UTF-8": [file("caf\udce9")],
    "a link that is not UTF-8": [link("a", "caf\udce9")],
    "a zero byte": [pax("a", path="a\0b")],
    "a sparse file": [pax("a", **{"GNU.sparse.major": "1", "GNU.sparse.minor": "0"})],
    "a size below nothing": [pax("a", size="-1")],
    "a size of words": [pax("a", size="many")],
    "a size of many digits": [pax("a", size="9" * 5000)],
}


@pytest.mark.parametrize("members", OUTWARD.values(), ids=OUTWARD)
def test_what_leads_out_or_cannot_be_is_refused(tmp_path: Path, members: list[Member]) -> None:
    (tmp_path / "outside").write_text("theirs")
    with pytest.raises(InvalidInput, match=r"not a tar archive that can be unpacked: .+"):
        unpacked(tmp_path, tar_of(*members, form=tarfile.PAX_FORMAT))
    assert (tmp_path / "outside").read_text() == "theirs"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{}" * 5000,
        b"\x28\xb5\x2f\xfdbroken",
        b"\x1f\x8bbroken",
        zstandard.compress(b"hello" * 999),
        tar_of(file("a"))[:512],
        tar_of(file("a"))[:1024],
        zstandard.compress(tar_of(file("a", random.Random(1).randbytes(100_000))))[:50_000],
        gzip.compress(tar_of(file("a", random.Random(1).randbytes(100_000))))[:50_000],
        header(tarfile.REGTYPE, -5) + bytes(1024),
        header(tarfile.GNUTYPE_LONGNAME, 5) + b"name\0".ljust(512, b"\0") + bytes(1024),
        header(tarfile.XHDTYPE, 9) + b"9999 a=b\n".ljust(512, b"\0") + bytes(1024),
        header(tarfile.XHDTYPE, 9) + b"0 path=b\n".ljust(512, b"\0") + bytes(1024),
        header(tarfile.XGLTYPE, 10) + b"10 path=b\n".ljust(512, b"\0") + bytes(1024),
        header(tarfile.GNUTYPE_SPARSE, 5) + bytes(1536),
    ],
)
def test_what_is_no_whole_archive_is_refused_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"not a tar archive that can be unpacked: .+") as refused:
        unpacked(tmp_path, body)
    assert refused.value.next_step


def test_a_damaged_header_in_the_middle_does_not_end_the_archive(tmp_path: Path) -> None:
    body = bytearray(tar_of(file("a"), file("b"), file("c")))
    body[1024 + 150] ^= 1
    with pytest.raises(InvalidInput, match="bad checksum"):
        unpacked(tmp_path, bytes(body))


@pytest.mark.parametrize(
    "body",
    [
        tar_of(file("a", bytes(10_000_001))),
        tar_of(*(file(f"f{number}") for number in range(1001))),
        header(tarfile.REGTYPE, 10_000_001) + bytes(4096),
        b"".join(header(tarfile.GNUTYPE_LONGNAME, 0) for _ in range(3001)),
    ],
    ids=["bytes", "members", "announced", "records"],
)
def test_too_much_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(TooLarge, match=r"over 10,000,000 bytes or 1,000 files"):
        unpacked(tmp_path, zstandard.compress(body))


def test_links_of_a_layer_may_name_programs_of_the_machine(tmp_path: Path) -> None:
    out = unpacked(tmp_path, tar_of(link("python", "/usr/bin/python3")), links_may_leave=True)
    assert (out / "python").is_symlink()


_MEASURE = """
import resource, sys
from pathlib import Path
from pavedroad.bakery.unpacking import unpack
from pavedroad.core.errors import PavedError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

here = Path(sys.argv[1])
unpack(here / "plain", here / "out-plain")
before = peak()
for bomb in sorted(here.glob("bomb-*")):
    try:
        unpack(bomb, here / f"out-{bomb.name}")
        print(bomb.name, "unpacked")
    except PavedError as error:
        print(bomb.name, error.status, peak() - before)
"""


def test_a_small_archive_takes_little_memory_whatever_it_says(tmp_path: Path) -> None:
    """A gigabyte of a header's own content, packed into 100 kB, as each kind of header."""

    def bomb(kind: bytes, compressor: zstandard.ZstdCompressor) -> bytes:
        packed = compressor.compressobj()
        body = [packed.compress(header(kind, 1 << 30))]
        body += [packed.compress(bytes(1 << 20)) for _ in range(1 << 10)]
        return b"".join([*body, packed.flush()])

    (tmp_path / "plain").write_bytes(zstandard.compress(tar_of(file("a"))))
    plain = zstandard.ZstdCompressor()
    for name, kind in {
        "pax": tarfile.XHDTYPE,
        "global": tarfile.XGLTYPE,
        "name": tarfile.GNUTYPE_LONGNAME,
        "link": tarfile.GNUTYPE_LONGLINK,
    }.items():
        (tmp_path / f"bomb-{name}").write_bytes(bomb(kind, plain))
    window = zstandard.ZstdCompressionParameters(window_log=27)
    (tmp_path / "bomb-window").write_bytes(
        bomb(tarfile.XHDTYPE, zstandard.ZstdCompressor(compression_params=window))
    )
    assert max(bomb.stat().st_size for bomb in tmp_path.glob("bomb-*")) < 200_000
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    told = [line.split() for line in done.stdout.splitlines()]
    assert [(name, status) for name, status, _ in told] == [
        (f"bomb-{name}", "400") for name in ("global", "link", "name", "pax", "window")
    ]
    assert max(int(kilobytes) for _, _, kilobytes in told) < 64 * 1024


_WHOLE = tar_of(
    folder("sub"),
    file("sub/a", b"text" * 300),
    link("b", "sub/a"),
    hard("c", "sub/a"),
    pax("d", path="e" * 150),
    file("f" * 150),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(_WHOLE) - 1), st.binary(min_size=1, max_size=12)), min_size=1, max_size=6
    ),
    mended=st.booleans(),
    compress=st.sampled_from([bytes, zstandard.compress, gzip.compress]),
    damage=st.integers(-400, 400),
)
def test_whatever_is_changed_in_an_archive_it_is_refused_in_words_or_unpacked_inside(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, bytes]],
    mended: bool,
    compress: Callable[[bytes], bytes],
    damage: int,
) -> None:
    body = bytearray(_WHOLE)
    for at, piece in changes:
        body[at : at + len(piece)] = piece
    if mended:
        _mend_checksums(body)
    sent = bytearray(compress(bytes(body)))
    if damage > 0:
        sent[damage % len(sent)] ^= damage % 255 + 1
    tmp_path = tmp_path_factory.mktemp("changed")
    try:
        out = unpacked(tmp_path, bytes(sent))
    except (InvalidInput, TooLarge):
        pass
    else:
        for place in out.rglob("*"):
            assert place.resolve().is_relative_to(out.resolve())
    assert sorted(place.name for place in tmp_path.iterdir()) == ["body", "out"]


def _mend_checksums(body: bytearray) -> None:
    """So that a changed header is not refused for its checksum alone."""
    for at in range(0, len(body) - 511, 512):
        block = body[at : at + 512]
        if block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            body[at + 148 : at + 156] = b"%06o\0 " % sum(block)
