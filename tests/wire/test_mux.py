"""Each message of PROTOCOL.mux, with its bytes written out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire import mux as wire
from openssh_core.errors import Malformed

Arrives = Callable[[bytes], memoryview]
Message = wire.Hello | wire.Request | wire.Reply

HELLO_OF_9_2 = "00000001 00000004"
HELLO_OF_10_5 = "00000001 00000004 00000004 696e666f 00000001 30"

LOCAL = wire.Forward(wire.FORWARD_LOCAL, "localhost", 8080, "db", 5432)
SOCKETS = wire.Forward(wire.FORWARD_REMOTE, "/a", wire.PORT_IS_SOCKET_PATH, "/b", wire.PORT_IS_SOCKET_PATH)
LOCAL_BYTES = "00000001 00000009 6c6f63616c686f7374 00001f90 00000002 6462 00001538"
SOCKETS_BYTES = "00000002 00000002 2f61 fffffffe 00000002 2f62 fffffffe"

# A message, its bytes, and the sizes at which it might as well end.
REQUESTS: list[tuple[wire.Hello | wire.Request, str, set[int]]] = [
    (wire.Hello(), HELLO_OF_9_2, set()),
    (wire.Hello(4, ((b"info", b"0"),)), HELLO_OF_10_5, {8}),
    (
        wire.NewSession(9, b"id"),
        "10000002 00000009 00000000 00000000 00000000 00000000 00000000 ffffffff 00000000 00000002 6964",
        set(),
    ),
    (
        wire.NewSession(9, b"sftp", True, True, True, True, "vt100", (b"A=1", b"B=\xff")),
        "10000002 00000009 00000000 00000001 00000001 00000001 00000001 ffffffff"
        "00000005 7674313030 00000004 73667470 00000003 413d31 00000003 423dff",
        {49, 56},
    ),
    (wire.NewStdioForward(9, "db", 5432), "10000008 00000009 00000000 00000002 6462 00001538", set()),
    (wire.AliveCheck(9), "10000004 00000009", set()),
    (wire.Terminate(9), "10000005 00000009", set()),
    (wire.OpenForward(9, LOCAL), f"10000006 00000009 {LOCAL_BYTES}", set()),
    (wire.OpenForward(9, SOCKETS), f"10000006 00000009 {SOCKETS_BYTES}", set()),
    (wire.CloseForward(9, LOCAL), f"10000007 00000009 {LOCAL_BYTES}", set()),
    (wire.StopListening(9), "10000009 00000009", set()),
    (wire.Proxy(9), "1000000f 00000009", set()),
]
REPLIES: list[tuple[wire.Hello | wire.Reply, str, set[int]]] = [
    (wire.Hello(), HELLO_OF_9_2, set()),
    (wire.Hello(4, ((b"info", b"0"),)), HELLO_OF_10_5, {8}),
    (wire.Ok(9), "80000001 00000009", set()),
    (wire.PermissionDenied(9, "no"), "80000002 00000009 00000002 6e6f", set()),
    (
        wire.Failure(9, "unsupported request"),
        "80000003 00000009 00000013 756e737570706f727465642072657175657374",
        set(),
    ),
    (wire.ExitMessage(2, 255), "80000004 00000002 000000ff", set()),
    (wire.Alive(9, 4242), "80000005 00000009 00001092", set()),
    (wire.SessionOpened(9, 2), "80000006 00000009 00000002", set()),
    (wire.RemotePort(9, 40000), "80000007 00000009 00009c40", set()),
    (wire.TtyAllocFail(2), "80000008 00000002", set()),
    (wire.ProxyReady(9), "8000000f 00000009", set()),
]
CASES: list[tuple[Callable[[bytes | memoryview], Message], Message, str, set[int]]] = [
    *((cast(Callable[[bytes | memoryview], Message], wire.decode_request), *case) for case in REQUESTS),
    *((cast(Callable[[bytes | memoryview], Message], wire.decode_reply), *case) for case in REPLIES),
]
each_message = pytest.mark.parametrize(
    ("decode", "message", "hexadecimal", "also_whole"),
    CASES,
    ids=[f"{decode.__name__}-{type(message).__name__}" for decode, message, _, _ in CASES],
)

u32s = st.integers(0, 0xFFFFFFFF)
words = st.text(max_size=20)
blobs = st.binary(max_size=20)
flags = st.booleans()
forwards = st.builds(wire.Forward, st.integers(1, 3), words, u32s, words, u32s)
hellos = st.builds(wire.Hello, u32s, st.lists(st.tuples(blobs, blobs), max_size=3).map(tuple))
environments = st.lists(blobs, max_size=3).map(tuple)
requests: st.SearchStrategy[wire.Hello | wire.Request] = st.one_of(
    hellos,
    st.builds(wire.NewSession, u32s, blobs, flags, flags, flags, flags, words, environments),
    st.builds(wire.NewStdioForward, u32s, words, u32s),
    st.builds(wire.AliveCheck, u32s),
    st.builds(wire.Terminate, u32s),
    st.builds(wire.OpenForward, u32s, forwards),
    st.builds(wire.CloseForward, u32s, forwards),
    st.builds(wire.StopListening, u32s),
    st.builds(wire.Proxy, u32s),
)
replies: st.SearchStrategy[wire.Hello | wire.Reply] = st.one_of(
    hellos,
    st.builds(wire.Ok, u32s),
    st.builds(wire.PermissionDenied, u32s, words),
    st.builds(wire.Failure, u32s, words),
    st.builds(wire.ExitMessage, u32s, u32s),
    st.builds(wire.Alive, u32s, u32s),
    st.builds(wire.SessionOpened, u32s, u32s),
    st.builds(wire.RemotePort, u32s, u32s),
    st.builds(wire.TtyAllocFail, u32s),
    st.builds(wire.ProxyReady, u32s),
)

CODES = [1, *(0x10000000 + n for n in range(17)), *(0x80000000 + n for n in range(17))]
likely = st.builds(lambda code, rest: code.to_bytes(4, "big") + rest, st.sampled_from(CODES), st.binary())


@each_message
def test_a_message_is_written_as_the_document_has_it(
    decode: object, message: Message, hexadecimal: str, also_whole: set[int]
) -> None:
    assert message.encode() == bytes.fromhex(hexadecimal)


@each_message
def test_a_message_is_read_however_it_arrives(
    decode: Callable[[memoryview], Message],
    message: Message,
    hexadecimal: str,
    also_whole: set[int],
    arrives: Arrives,
) -> None:
    assert decode(arrives(bytes.fromhex(hexadecimal))) == message


@each_message
def test_a_message_cut_short_is_malformed(
    decode: Callable[[bytes], Message], message: Message, hexadecimal: str, also_whole: set[int]
) -> None:
    body = bytes.fromhex(hexadecimal)
    for size in range(len(body)):
        if size in also_whole:
            assert type(decode(body[:size])) is type(message)
        else:
            with pytest.raises(Malformed):
                decode(body[:size])


@each_message
def test_bytes_too_many_are_malformed(
    decode: Callable[[bytes], Message], message: Message, hexadecimal: str, also_whole: set[int]
) -> None:
    with pytest.raises(Malformed):
        decode(bytes.fromhex(hexadecimal) + b"\x00")


@pytest.mark.parametrize(
    ("hexadecimal", "extensions"),
    [
        (HELLO_OF_9_2, ()),
        (HELLO_OF_10_5, ((b"info", b"0"),)),
        (f"{HELLO_OF_10_5} 00000001 ff 00000000", ((b"info", b"0"), (b"\xff", b""))),
        (f"{HELLO_OF_9_2} 00000001 78 00000001 31 00000001 78 00000001 32", ((b"x", b"1"), (b"x", b"2"))),
    ],
)
def test_extensions_that_nobody_knows_are_read_and_left_alone(
    hexadecimal: str, extensions: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert wire.decode_reply(bytes.fromhex(hexadecimal)) == wire.Hello(4, extensions)


def test_an_extension_without_a_value_is_malformed() -> None:
    with pytest.raises(Malformed):
        wire.decode_reply(bytes.fromhex("00000001 00000004 00000004 696e666f"))


def test_the_version_is_for_others_to_judge() -> None:
    assert wire.decode_reply(bytes.fromhex("00000001 00000005")) == wire.Hello(5)


def test_a_flag_that_is_not_1_is_set_all_the_same() -> None:
    body = bytes.fromhex(
        "10000002 00000009 00000003 616263 000000ff 00000000 00000000 80000000 0000007e 00000000 00000000"
    )
    assert wire.decode_request(body) == wire.NewSession(9, b"", want_tty=True, subsystem=True)


@pytest.mark.parametrize("kind", [0, 4, 9, 0xFFFFFFFF])
def test_a_forward_the_master_would_die_of_cannot_be_made(kind: int) -> None:
    with pytest.raises(Malformed, match=f"{kind} is no type of forward"):
        wire.Forward(kind, "", 0, "", 0)


def test_a_forward_of_an_unknown_type_cannot_be_read_either() -> None:
    of_type_9 = LOCAL_BYTES.replace("00000001", "00000009", 1)
    with pytest.raises(Malformed, match="9 is no type of forward"):
        wire.decode_request(bytes.fromhex(f"10000006 00000009 {of_type_9}"))


@pytest.mark.parametrize("code", [0, 2, 0x10000000, 0x10000003, 0x1000000E, 0x80000009, 0xFFFFFFFF])
def test_unknown_numbers_are_malformed(code: int) -> None:
    body = code.to_bytes(4, "big") + bytes(8)
    with pytest.raises(Malformed, match=f"{code:#x} is no reply"):
        wire.decode_reply(body)
    with pytest.raises(Malformed, match=f"{code:#x} is no request"):
        wire.decode_request(body)


def test_a_request_is_no_reply_and_a_reply_no_request() -> None:
    with pytest.raises(Malformed):
        wire.decode_reply(wire.AliveCheck(1).encode())
    with pytest.raises(Malformed):
        wire.decode_request(wire.Alive(1, 2).encode())


def test_reasons_that_are_no_utf_8_are_shown() -> None:
    body = bytes.fromhex("80000003 00000009 00000002 fffe")
    assert wire.decode_reply(body) == wire.Failure(9, r"\xff\xfe")


@pytest.mark.parametrize("hexadecimal", ["80000003 00000009 ffffffff 78", "00000001 00000004 80000000 78"])
def test_a_length_inside_a_message_is_not_believed(hexadecimal: str) -> None:
    with pytest.raises(Malformed, match="ends early"):
        wire.decode_reply(bytes.fromhex(hexadecimal))


@given(requests)
def test_reading_a_request_undoes_writing_it(message: wire.Hello | wire.Request) -> None:
    assert wire.decode_request(message.encode()) == message
    assert wire.decode_request(memoryview(message.encode())) == message


@given(replies)
def test_reading_a_reply_undoes_writing_it(message: wire.Hello | wire.Reply) -> None:
    assert wire.decode_reply(message.encode()) == message
    assert wire.decode_reply(memoryview(message.encode())) == message


@given(st.binary() | likely)
def test_any_bytes_give_a_message_or_malformed(body: bytes) -> None:
    for decode in (wire.decode_request, wire.decode_reply):
        try:
            message = decode(body)
        except Malformed:
            continue
        assert decode(message.encode()) == message
