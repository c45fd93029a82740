"""Several private clouds on one machine keep out of each other's addresses."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.localcloud.blocks import Block, claim, recorded


def test_no_two_blocks_overlap_and_all_are_loopback() -> None:
    networks = [
        ipaddress.ip_network(cidr) for number in range(64) for cidr in Block(number).networks.values()
    ]
    assert all(network.is_loopback for network in networks)
    ordered = sorted(networks)
    assert not any(one.overlaps(next_one) for one, next_one in pairwise(ordered))
    assert ordered[0] == ipaddress.ip_network("127.16.0.0/16")  # what is below is for others
    assert Block(0).networks["us-east-1"] == "127.16.0.0/16"


def test_a_region_keeps_its_network_from_one_version_to_the_next() -> None:
    """Saved addresses are in it: regions that AWS opens come last in the list."""
    known = {"us-west-2": "127.143.0.0/16", "af-south-1": "127.247.128.0/22", "us-west-1": "127.247.248.0/22"}
    assert {region: Block(47).networks[region] for region in known} == known


def test_two_clouds_get_two_blocks_and_each_keeps_its_own(tmp_path: Path) -> None:
    first_home, second_home = tmp_path / "one", tmp_path / "two"
    first_home.mkdir()
    second_home.mkdir()
    first, second = claim(first_home), claim(second_home)
    try:
        assert first.block != second.block
        (first_home / "state.snapshot").touch()
        with pytest.raises(Unavailable, match=r"in use by .*process"):
            claim(first_home)
        number = first.block.number
        first.release()
        first = claim(first_home)
        assert first.block.number == number
    finally:
        first.release()
        second.release()


def test_a_holder_of_the_addresses_is_named_and_nothing_saved_is_moved_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    first = claim(home)
    first.release()
    taking = (
        "import sys, socket; held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
        f"held.bind(chr(0) + 'pavedroad-block-{first.block.number}'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", taking, "--home", "/where/it/is"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        (home / "state.snapshot").touch()
        with pytest.raises(Unavailable) as refusal:
            claim(home)
        assert f"in use by the private cloud in /where/it/is (process {other.pid})" in refusal.value.sentence
        (home / "state.snapshot").unlink()
        second = claim(home)
        assert second.block != first.block
        other.communicate()
    second.release()
    assert recorded(home) == second.block


def test_the_number_alone_is_read_and_written_in_words_that_show_when_they_are_cut(tmp_path: Path) -> None:
    record = tmp_path / "block"
    record.write_text("47")
    claim(tmp_path).release()
    said = record.read_bytes()
    for length in range(len(said) - 1):
        record.write_bytes(said[:length])
        with pytest.raises(StateUnreadable, match="cannot be read"):
            claim(tmp_path)
    record.write_bytes(said)
    found = recorded(tmp_path)
    assert found == Block(47)


@pytest.mark.parametrize(
    "text",
    [b"garbage", b"", b"64", b"block 64 of 64", b"block 7 of 63", b"-1", b"1 2", b"\xff\xfe", b"9" * 5000],
)
def test_a_block_that_cannot_be_read_is_refused_in_words_and_stays(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "block").write_bytes(text)
    with pytest.raises(StateUnreadable, match=f"The file {tmp_path / 'block'} cannot be read: ") as refusal:
        claim(tmp_path)
    assert len(refusal.value.sentence) < 300
    assert (tmp_path / "block").read_bytes() == text


def test_a_block_that_is_missing_beside_a_saved_state_is_missed(tmp_path: Path) -> None:
    (tmp_path / "state.snapshot").touch()
    with pytest.raises(StateUnreadable, match="is missing, and a state is saved beside it"):
        claim(tmp_path)
    assert not (tmp_path / "block").exists()


def test_a_folder_in_the_place_of_the_block_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "block").mkdir()
    with pytest.raises(StateUnreadable, match="Is a directory"):
        claim(tmp_path)
