"""RFC 4251 section 5, with its own examples where it has some."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire.primitives import U32_MAX, Reader, boolean, string, u32, u64
from openssh_core.errors import Malformed

READERS: list[Callable[[Reader], object]] = [
    Reader.u8,
    Reader.boolean,
    Reader.u32,
    Reader.u64,
    Reader.blob,
    Reader.string,
    Reader.text,
]


def test_a_uint32_has_its_most_significant_byte_first() -> None:
    assert u32(699921578) == bytes.fromhex("29b7f4aa")
    assert Reader(bytes.fromhex("29b7f4aa")).u32() == 699921578


def test_a_uint64_has_its_most_significant_byte_first() -> None:
    assert u64(0x0102030405060708) == bytes.fromhex("0102030405060708")
    assert Reader(bytes.fromhex("0102030405060708")).u64() == 0x0102030405060708


def test_a_string_is_its_length_and_its_bytes() -> None:
    assert string("testing") == bytes.fromhex("00000007") + b"testing"
    assert string(b"\x00\xff") == bytes.fromhex("00000002 00ff")
    assert string("") == bytes(4)


def test_text_goes_as_utf_8_and_undecodable_names_go_as_they_were() -> None:
    assert string("é") == bytes.fromhex("00000002 c3a9")
    assert string("a\udcff") == bytes.fromhex("00000002 61ff")


def test_a_boolean_is_one_byte() -> None:
    assert boolean(True) == b"\x01"
    assert boolean(False) == b"\x00"


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_but_zero_is_true(byte: int) -> None:
    assert Reader(bytes([byte])).boolean() is (byte != 0)


def test_values_come_off_the_front_in_order() -> None:
    body = Reader(bytes.fromhex("07 01 00000005 00000000000000ff 00000002 6869 00000001 78 6162"))
    assert body.u8() == 7
    assert body.boolean() is True
    assert body.u32() == 5
    assert body.u64() == 255
    assert body.string() == b"hi"
    assert body.text() == "x"
    assert body.left == 2
    assert body.rest() == b"ab"
    assert body.left == 0
    assert body.rest() == b""


def test_bulk_data_of_a_view_is_not_copied() -> None:
    packet = bytearray(string(b"payload"))
    blob = Reader(memoryview(packet)).blob()
    packet[4:] = b"PAYLOAD"
    assert blob == b"PAYLOAD"


def test_string_and_rest_are_bytes_of_their_own() -> None:
    packet = bytearray(string(b"one") + b"two")
    body = Reader(memoryview(packet))
    one, two = body.string(), body.rest()
    packet[:] = bytes(len(packet))
    assert (one, two) == (b"one", b"two")
    assert type(one) is type(two) is bytes


def test_words_that_are_no_utf_8_are_shown_and_not_refused() -> None:
    assert Reader(string(b"a\xff\xfeb")).text() == r"a\xff\xfeb"


@pytest.mark.parametrize("read", READERS)
def test_nothing_can_be_read_from_nothing(read: Callable[[Reader], object]) -> None:
    with pytest.raises(Malformed):
        read(Reader(b""))


@pytest.mark.parametrize("length", [4, U32_MAX, 2**31])
def test_a_length_is_checked_before_it_is_believed(length: int) -> None:
    body = Reader(u32(length) + b"abc")
    with pytest.raises(Malformed, match=f"{length} bytes wanted, 3 left"):
        body.blob()


def test_a_refused_read_takes_nothing() -> None:
    body = Reader(b"\x00\x00\x07")
    with pytest.raises(Malformed):
        body.u32()
    assert body.left == 3
    assert body.u8() == 0


@given(st.binary(), st.lists(st.sampled_from(READERS), max_size=12), st.booleans())
def test_any_bytes_give_values_or_malformed(
    data: bytes, reads: list[Callable[[Reader], object]], as_view: bool
) -> None:
    body = Reader(memoryview(data) if as_view else data)
    for read in reads:
        before = body.left
        try:
            read(body)
        except Malformed:
            break
        assert 0 <= body.left < before
    assert len(body.rest()) <= len(data)


@given(st.integers(0, U32_MAX), st.integers(0, 2**64 - 1), st.booleans(), st.binary(), st.text())
def test_what_was_written_is_what_is_read(small: int, large: int, flag: bool, data: bytes, words: str) -> None:
    body = Reader(u32(small) + u64(large) + boolean(flag) + string(data) + string(words))
    assert (body.u32(), body.u64(), body.boolean(), body.string(), body.text()) == (small, large, flag, data, words)
    assert body.left == 0
