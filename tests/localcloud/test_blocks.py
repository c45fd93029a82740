"""Several private clouds on one machine keep out of each other's addresses."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.localcloud.blocks import Block, claim


def test_no_two_blocks_overlap_and_all_are_loopback() -> None:
    networks = [
        ipaddress.ip_network(cidr) for number in range(64) for cidr in Block(number).networks.values()
    ]
    assert len(set(networks)) == 64 * 3
    assert all(network.is_loopback for network in networks)
    assert Block(0).networks["us-east-1"] == "127.16.0.0/16"


def test_two_clouds_get_two_blocks_and_each_keeps_its_own(tmp_path: Path) -> None:
    first_home, second_home = tmp_path / "one", tmp_path / "two"
    first_home.mkdir()
    second_home.mkdir()
    first, second = claim(first_home), claim(second_home)
    try:
        assert first.block != second.block
        with pytest.raises(Unavailable, match="in use by another"):
            claim(first_home)
        number = first.block.number
        first.release()
        first = claim(first_home)
        assert first.block.number == number
    finally:
        first.release()
        second.release()


@pytest.mark.parametrize("text", [b"garbage", b"", b"64", b"-1", b"1 2", b"\xff\xfe", b"9" * 5000])
def test_a_block_that_cannot_be_read_is_refused_in_words_and_stays(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "block").write_bytes(text)
    with pytest.raises(StateUnreadable, match=f"The file {tmp_path / 'block'} cannot be read: ") as refusal:
        claim(tmp_path)
    assert len(refusal.value.sentence) < 300
    assert (tmp_path / "block").read_bytes() == text


def test_a_folder_in_the_place_of_the_block_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "block").mkdir()
    with pytest.raises(StateUnreadable, match="Is a directory"):
        claim(tmp_path)
