"""Packets over a socket: whole whatever the sizes and the pieces they come in, and after an interrupt at any step."""

from __future__ import annotations

import os
import random
import select
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openssh_core._io import packet_stream
from openssh_core._io.packet_stream import PacketStream
from openssh_core._wire.frames import frame
from openssh_core.errors import Malformed

LIMIT = 256 * 1024
SIZES = [0, 1, 100, 16 * 1024, 16 * 1024 + 1, 65_532, 65_536, 200_000, LIMIT]


class Pieces:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def pieces(self) -> tuple[bytes, ...]:
        return (frame(self.body)[:4], self.body)


@pytest.fixture
def ends() -> Iterator[tuple[PacketStream, PacketStream]]:
    one, other = (PacketStream(sock, LIMIT, lambda _: None) for sock in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def take(stream: PacketStream) -> bytes:
    while (packet := stream.reader.peek()) is None:
        if not stream.reader.receive():
            assert stream.wait(select.POLLIN, 30)
    body = bytes(packet)
    stream.reader.advance()
    return body


def exchange(one: PacketStream, other: PacketStream, bodies: list[bytes]) -> list[bytes]:
    for body in bodies:
        one.writer.put(Pieces(body))
    got: list[bytes] = []
    while len(got) < len(bodies):
        one.writer.flush()
        other.reader.receive() if other.reader.peek() is None else got.append(take(other))
    return got


def test_packets_of_every_size(ends: tuple[PacketStream, PacketStream]) -> None:
    chance = random.Random(1)
    bodies = [os.urandom(size) for size in SIZES]
    bodies += [os.urandom(chance.choice([3, 500, 20_000, 90_000])) for _ in range(200)]
    assert exchange(*ends, bodies) == bodies
    assert ends[1].reader.taken == len(bodies) and not ends[0].writer.waiting


def test_a_packet_longer_than_any(ends: tuple[PacketStream, PacketStream]) -> None:
    one, other = ends
    one.writer.put(Pieces(bytes(LIMIT + 1)))
    one.writer.flush()
    with pytest.raises(Malformed, match=str(LIMIT + 1)):
        take(other)


def test_the_end(ends: tuple[PacketStream, PacketStream]) -> None:
    one, other = ends
    one.hang_up()
    for _ in range(2):
        with pytest.raises(EOFError):
            take(other)


class Interrupted(Exception):
    pass


class Interrupts:
    """Raises before a line of the module is run, at every chance but seldom; as a signal handler might."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._file = PacketStream.__init__.__code__.co_filename
        self.count = 0

    def __call__(self, frame: Any, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != self._file:
            return None
        if event == "line" and self._chance.random() < 0.02:
            self.count += 1
            raise Interrupted
        return self

    def during(self, step: Callable[[], object]) -> object:
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return step()
        finally:
            sys.settrace(before)


@pytest.mark.parametrize("size", [0, 127, 16 * 1024, 16 * 1024 + 1, 100_000])
def test_one_call_takes_a_long_packet_whole(ends: tuple[PacketStream, PacketStream], size: int) -> None:
    one, other = ends
    # A long one before it: then only the beginning of the next is taken at first.
    for body in (bytes(50_000), os.urandom(size)):
        one.writer.put(Pieces(body))
        assert one.writer.flush()
        assert other.reader.peek() is None
        assert other.reader.receive(wait=True)
        while other.reader.peek() is None:
            assert size == 16 * 1024 and other.reader.receive(wait=True), "short enough for the buffer of short ones"
        assert take(other) == body


def test_a_part_of_a_long_packet_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_stream, "NAP", 0.05)
    near, far = socket.socketpair()
    with near:
        stream, body = PacketStream(far, LIMIT, lambda _: None), os.urandom(70_000)
        assert stream.can_wait
        assert not stream.reader.receive(wait=True) and stream.reader.drained
        whole = frame(body)
        for start, stop in [(0, 3), (3, 4), (4, 30_000), (30_000, 69_999)]:
            near.sendall(whole[start:stop])
            assert stream.reader.receive(wait=True)
            assert stream.reader.peek() is None and stream.reader.drained
        near.sendall(whole[69_999:] + frame(b"next"))
        assert [take(stream), take(stream)] == [body, b"next"]
        stream.close()


class Green:
    """A socket as libraries of green threads have them: around one, and with its own idea of waiting."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def test_nobody_sleeps_in_a_socket_of_another_kind() -> None:
    near, far = socket.socketpair()
    with near, far:
        green: Any = Green(far)
        stream = PacketStream(green, LIMIT, lambda _: None)
        assert not stream.can_wait and far.gettimeout() == 0.0
        near.sendall(frame(b"one"))
        assert take(stream) == b"one"


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_interrupts_at_any_line(monkeypatch: pytest.MonkeyPatch, seed: int, wait: bool) -> None:
    monkeypatch.setattr(packet_stream, "NAP", 0.001)
    ends = [PacketStream(sock, LIMIT, lambda _: None) for sock in socket.socketpair()]
    one, other = ends
    interrupts, chance = Interrupts(seed), random.Random(seed)
    bodies = [os.urandom(chance.choice([3, 500, 20_000, 90_000])) for _ in range(60)]
    for body in bodies:
        one.writer.put(Pieces(body))
    got: dict[int, bytes] = {}

    def step() -> None:
        one.writer.flush()
        while (packet := other.reader.peek()) is not None:
            got[other.reader.taken] = bytes(packet)
            other.reader.advance()
        other.reader.receive(wait=wait)

    def steps() -> None:
        while len(got) < len(bodies) or other.reader.taken < len(bodies):
            try:
                interrupts.during(step)
            except Interrupted:
                pass

    # In a thread that ends with it: what a tracer raises at the end of an `except` block leaves the exception before it
    # "being handled" in that thread for ever, and all that its traceback holds (CPython 3.11).
    with ThreadPoolExecutor(1) as pool:
        pool.submit(steps).result()
    assert [got[number] for number in range(len(bodies))] == bodies
    assert interrupts.count
    for end in ends:
        end.close()
