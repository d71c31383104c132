"""Each message of RFC 4254 section 5, with its bytes written out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire import channels as wire
from openssh_core.errors import Malformed

Arrives = Callable[[bytes], memoryview]

SESSION = "00000007 73657373696f6e"  # string "session"
EXEC = "00000004 65786563"  # string "exec"

# A message, its bytes, and where it may end early: sizes at which what comes before is a whole message, too.
MESSAGES: list[tuple[wire.Message, str, set[int]]] = [
    (wire.ChannelOpen("session", 3, 65536, 32768), f"5a {SESSION} 00000003 00010000 00008000", set()),
    (
        wire.ChannelOpen("session", 3, 65536, 32768, b"\x01\x02"),
        f"5a {SESSION} 00000003 00010000 00008000 0102",
        {24, 25},
    ),
    (wire.OpenConfirmation(3, 70, 0, 32768), "5b 00000003 00000046 00000000 00008000", set()),
    (wire.OpenConfirmation(3, 70, 0, 32768, b"x"), "5b 00000003 00000046 00000000 00008000 78", {17}),
    (wire.OpenFailure(3, 2, "no", "en"), "5c 00000003 00000002 00000002 6e6f 00000002 656e", {15}),
    (wire.OpenFailure(3, 2, "open failed"), "5c 00000003 00000002 0000000b 6f70656e206661696c6564 00000000", {24}),
    (wire.WindowAdjust(70, 2097152), "5d 00000046 00200000", set()),
    (wire.Data(70, b"hello"), "5e 00000046 00000005 68656c6c6f", set()),
    (wire.Data(70, b""), "5e 00000046 00000000", set()),
    (wire.ExtendedData(70, 1, b"oh"), "5f 00000046 00000001 00000002 6f68", set()),
    (wire.Eof(70), "60 00000046", set()),
    (wire.Close(70), "61 00000046", set()),
    (
        wire.ChannelRequest(70, "exec", True, b"\x00\x00\x00\x01w"),
        f"62 00000046 {EXEC} 01 00000001 77",
        {14, 15, 16, 17, 18},
    ),
    (wire.ChannelRequest(70, "exec", False), f"62 00000046 {EXEC} 00", set()),
    (wire.RequestSuccess(70), "63 00000046", set()),
    (wire.RequestFailure(70), "64 00000046", set()),
]
each_message = pytest.mark.parametrize(
    ("message", "hexadecimal", "also_whole"), MESSAGES, ids=[type(message).__name__ for message, _, _ in MESSAGES]
)

u32s = st.integers(0, 0xFFFFFFFF)
names = st.text(max_size=20)
blobs = st.binary(max_size=60)
messages: st.SearchStrategy[wire.Message] = st.one_of(
    st.builds(wire.ChannelOpen, names, u32s, u32s, u32s, blobs),
    st.builds(wire.OpenConfirmation, u32s, u32s, u32s, u32s, blobs),
    st.builds(wire.OpenFailure, u32s, u32s, names, names),
    st.builds(wire.WindowAdjust, u32s, u32s),
    st.builds(wire.Data, u32s, blobs),
    st.builds(wire.ExtendedData, u32s, u32s, blobs),
    st.builds(wire.Eof, u32s),
    st.builds(wire.Close, u32s),
    st.builds(wire.ChannelRequest, u32s, names, st.booleans(), blobs),
    st.builds(wire.RequestSuccess, u32s),
    st.builds(wire.RequestFailure, u32s),
)


def encoded(message: wire.Message) -> bytes:
    assert not isinstance(message, wire.Ignored)
    return message.encode()


@each_message
def test_a_message_is_written_as_the_rfc_has_it(message: wire.Message, hexadecimal: str, also_whole: set[int]) -> None:
    assert encoded(message) == bytes.fromhex(hexadecimal)


@each_message
def test_a_message_is_read_however_it_arrives(
    message: wire.Message, hexadecimal: str, also_whole: set[int], arrives: Arrives
) -> None:
    assert wire.decode(arrives(bytes.fromhex(hexadecimal))) == message


@each_message
def test_a_message_cut_short_is_malformed(message: wire.Message, hexadecimal: str, also_whole: set[int]) -> None:
    body = bytes.fromhex(hexadecimal)
    for size in range(len(body)):
        if size in also_whole:
            assert type(wire.decode(body[:size])) is type(message)
        else:
            with pytest.raises(Malformed):
                wire.decode(body[:size])


@each_message
def test_bytes_too_many_are_malformed_where_no_extra_data_is_foreseen(
    message: wire.Message, hexadecimal: str, also_whole: set[int]
) -> None:
    body = bytes.fromhex(hexadecimal) + b"\x00"
    if isinstance(message, wire.ChannelOpen | wire.OpenConfirmation | wire.ChannelRequest):
        assert type(wire.decode(body)) is type(message)
    else:
        with pytest.raises(Malformed, match="too many"):
            wire.decode(body)


def test_old_servers_leave_the_language_of_a_refusal_out() -> None:
    body = bytes.fromhex("5c 00000003 00000001 00000002 6e6f")
    assert wire.decode(body) == wire.OpenFailure(3, 1, "no")


def test_a_want_reply_that_is_not_1_is_true_all_the_same() -> None:
    request = wire.decode(bytes.fromhex(f"62 00000046 {EXEC} 07"))
    assert request == wire.ChannelRequest(70, "exec", True)


def test_junk_in_a_refusal_is_shown() -> None:
    body = bytes.fromhex("5c 00000003 00000002 00000002 fffe 00000000")
    assert wire.decode(body) == wire.OpenFailure(3, 2, r"\xff\xfe")


def test_data_of_a_view_is_not_copied() -> None:
    message = wire.decode(memoryview(bytes.fromhex("5e 00000046 00000002 6869")))
    assert isinstance(message, wire.Data)
    assert isinstance(message.data, memoryview)


def test_data_is_written_from_a_view_too() -> None:
    assert wire.Data(70, memoryview(b"hi")).encode() == bytes.fromhex("5e 00000046 00000002 6869")
    assert wire.ExtendedData(70, 1, memoryview(b"hi")).encode() == bytes.fromhex("5f 00000046 00000001 00000002 6869")


@pytest.mark.parametrize("number", [2, 3, 4, 80, 81, 82])
def test_what_means_nothing_here_is_ignored_whatever_it_holds(number: int) -> None:
    assert wire.decode(bytes([number])) == wire.Ignored(number)
    assert wire.decode(bytes([number]) + b"anything") == wire.Ignored(number)


@pytest.mark.parametrize("number", sorted(set(range(256)) - set(range(90, 101)) - {2, 3, 4, 80, 81, 82}))
def test_every_other_number_is_malformed(number: int) -> None:
    with pytest.raises(Malformed, match=f"number {number} has no place"):
        wire.decode(bytes([number]) + bytes(20))


@pytest.mark.parametrize(
    "hexadecimal",
    [
        "5e 00000046 ffffffff 68",  # DATA of 4 GiB
        "5f 00000046 00000001 80000000 68",
        "5a ffffffff 73",  # a channel type of 4 GiB
        "5c 00000003 00000002 7fffffff 6e6f",
        "62 00000046 ffffffff 65786563 01",
    ],
)
def test_a_length_inside_a_message_is_not_believed(hexadecimal: str) -> None:
    with pytest.raises(Malformed, match="ends early"):
        wire.decode(bytes.fromhex(hexadecimal))


@given(messages)
def test_reading_undoes_writing(message: wire.Message) -> None:
    body = encoded(message)
    assert wire.decode(body) == message
    assert wire.decode(memoryview(body)) == message


def with_a_likely_number(rest: bytes) -> st.SearchStrategy[bytes]:
    return st.integers(88, 102).map(lambda number: bytes([number]) + rest)


@given(st.binary() | st.binary().flatmap(with_a_likely_number))
def test_any_bytes_give_a_message_or_malformed(packet: bytes) -> None:
    try:
        message = wire.decode(packet)
    except Malformed:
        return
    if not isinstance(message, wire.Ignored):
        assert wire.decode(message.encode()) == message
