"""A conversation on the control socket: hello once and first, answers after it, requests with their own numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._protocol.mux import MuxClient
from openssh_core._wire import mux as wire
from openssh_core._wire.frames import frame
from openssh_core.errors import LocalProtocolError, Malformed, RemoteProtocolError

Cut = Callable[[bytes], list[bytes]]

HELLO_OF_9_2 = bytes.fromhex("00000008 00000001 00000004")
HELLO_OF_10_5 = bytes.fromhex("00000015 00000001 00000004 00000004 696e666f 00000001 30")
ALIVE = bytes.fromhex("0000000c 80000005 00000001 00001092")


def greeted() -> MuxClient:
    client = MuxClient()
    assert client.feed(HELLO_OF_9_2) == []
    return client


def test_our_hello_is_version_4_without_extensions() -> None:
    assert MuxClient().hello() == HELLO_OF_9_2


@pytest.mark.parametrize(
    ("hello", "extensions"), [(HELLO_OF_9_2, {}), (HELLO_OF_10_5, {b"info": b"0"})], ids=["9.2", "10.5"]
)
def test_the_masters_hello_tells_its_extensions(hello: bytes, extensions: dict[bytes, bytes], cut: Cut) -> None:
    client = MuxClient()
    assert client.extensions is None
    assert [reply for piece in cut(hello) for reply in client.feed(piece)] == []
    assert client.extensions == extensions


@pytest.mark.parametrize("version", [0, 3, 5, 0xFFFFFFFF])
def test_another_version_is_refused(version: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"speaks mux version {version};"):
        MuxClient().feed(frame(wire.Hello(version).encode()))


def test_a_second_hello_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="hello twice"):
        greeted().feed(HELLO_OF_9_2)


def test_an_answer_before_the_hello_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="before it said hello"):
        MuxClient().feed(ALIVE)


def test_requests_may_go_before_the_hello_came() -> None:
    client = MuxClient()
    client.request(wire.AliveCheck(client.next_id()))
    assert client.feed(HELLO_OF_9_2 + ALIVE) == [wire.Alive(1, 4242)]


def test_every_request_has_a_number_of_its_own() -> None:
    client = greeted()
    assert client.request(wire.AliveCheck(client.next_id())) == bytes.fromhex("00000008 10000004 00000001")
    assert client.request(wire.Terminate(client.next_id())) == bytes.fromhex("00000008 10000005 00000002")


@pytest.mark.parametrize("number", [0, 2])
def test_a_request_with_another_number_is_not_sent(number: int) -> None:
    client = greeted()
    client.next_id()
    with pytest.raises(LocalProtocolError, match=f"request {number} sent as number 1"):
        client.request(wire.AliveCheck(number))


def test_answers_come_however_they_arrive(cut: Cut) -> None:
    client = greeted()
    stream = ALIVE + bytes.fromhex("00000017 80000003 00000002 0000000b 6f70656e206661696c6564")
    replies = [reply for piece in cut(stream) for reply in client.feed(piece)]
    assert replies == [wire.Alive(1, 4242), wire.Failure(2, "open failed")]


def test_a_reader_can_leave_what_follows_the_answer_to_somebody_else() -> None:
    client = greeted()
    stream = ALIVE + b"something else"
    replies: list[wire.Reply] = []
    while not replies:
        piece, stream = stream[: client.missing], stream[client.missing :]
        replies += client.feed(piece)
    assert replies == [wire.Alive(1, 4242)]
    assert stream == b"something else"


@pytest.mark.parametrize(
    "stream",
    [
        "00000000",
        "00000003 800000",
        "00000004 80000001",
        "00000008 80000009 00000001",
        "0000000c 80000001 00000001 00000001",
        "00040001",
        "ffffffff",
        "00000008 10000004 00000001",
    ],
    ids=["empty", "no number", "short", "unknown", "long", "huge", "4 GiB", "a request"],
)
def test_rubbish_is_malformed(stream: str) -> None:
    with pytest.raises(Malformed):
        greeted().feed(bytes.fromhex(stream))


@given(st.lists(st.binary(max_size=30), max_size=6), st.booleans())
def test_any_bytes_give_replies_or_a_remote_protocol_error(pieces: list[bytes], with_hello: bool) -> None:
    client = greeted() if with_hello else MuxClient()
    try:
        for piece in pieces:
            client.feed(piece)
            client.feed(frame(piece))
    except RemoteProtocolError:
        pass
