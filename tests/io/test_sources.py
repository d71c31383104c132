"""Where input comes from: bytes, pipes, sockets, files; and flags of shared descriptors stay as they are."""

from __future__ import annotations

import fcntl
import os
import pty
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openssh_core._io.reactor import Reactor
from openssh_core._io.sources import PIECE, FromBytes, FromDescriptor

Until = Callable[[Callable[[], Any]], Any]


class Input:
    """A source over a descriptor, driven as a session drives it: pulled dry, and again when it is ready."""

    def __init__(self, reactor: Reactor, fd: int) -> None:
        self._reactor = reactor
        self.pieces: list[bytes] = []
        self.ended = False
        self.source = FromDescriptor(reactor, fd, self._pull)
        reactor.call(self._pull)

    def _pull(self) -> None:
        while (piece := self.source.pull(PIECE)) is not None:
            if not piece:
                self.ended = True
                self.source.close()
                return
            self.pieces.append(piece)

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def close(self) -> None:
        self._reactor.call(self.source.close)
        self._reactor.call(self.source.close)


# ---- bytes


def test_bytes_come_in_pieces_and_end() -> None:
    source = FromBytes(b"0123456789")
    assert [bytes(source.pull(4)) for _ in range(4)] == [b"0123", b"4567", b"89", b""]


def test_bytes_of_any_kind() -> None:
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"abcd")[:3]):
        assert bytes(FromBytes(data).pull(10)) == b"abc"


def test_numbers_are_bytes_too() -> None:
    assert len(FromBytes(memoryview(b"12345678").cast("I")).pull(100)) == 8


def test_bytes_are_not_copied() -> None:
    data = bytearray(b"before")
    piece = FromBytes(data).pull(6)
    data[:] = b"behind"
    assert bytes(piece) == b"behind"


def test_after_close_there_are_no_bytes() -> None:
    source = FromBytes(b"abc")
    source.close()
    source.close()
    assert bytes(source.pull(10)) == b""


# ---- descriptors


def test_a_pipe_gives_what_comes_and_its_end(reactor: Reactor, until: Until) -> None:
    read, write = os.pipe()
    source = Input(reactor, read)
    assert source.pieces == []
    os.write(write, b"one")
    until(lambda: source.data == b"one")
    os.write(write, b"two")
    until(lambda: source.data == b"onetwo")
    assert not source.ended
    os.close(write)
    until(lambda: source.ended)


def test_much_comes_whole(reactor: Reactor, until: Until) -> None:
    read, write = os.pipe()
    source = Input(reactor, read)
    data = os.urandom(1_000_000)
    with open(write, "wb") as file:
        file.write(data)
    until(lambda: source.ended)
    assert source.data == data
    assert max(map(len, source.pieces)) <= PIECE


def test_a_file_is_always_ready(reactor: Reactor, until: Until, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"x" * 200_000)
    source = Input(reactor, os.open(path, os.O_RDONLY))
    assert source.ended
    assert source.data == b"x" * 200_000


def test_a_file_is_read_from_where_it_stands(reactor: Reactor, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"0123456789")
    fd = os.open(path, os.O_RDONLY)
    os.lseek(fd, 4, os.SEEK_SET)
    assert Input(reactor, fd).data == b"456789"


def test_nothing_comes_from_the_null_device(reactor: Reactor) -> None:
    assert Input(reactor, os.open("/dev/null", os.O_RDONLY)).ended


def test_a_socket(reactor: Reactor, until: Until) -> None:
    ours, theirs = socket.socketpair()
    source = Input(reactor, theirs.detach())
    with ours:
        ours.sendall(b"data")
        until(lambda: source.data == b"data")
    until(lambda: source.ended)


def test_a_terminal_that_hangs_up_is_at_its_end(reactor: Reactor, until: Until) -> None:
    controller, terminal = pty.openpty()
    source = Input(reactor, terminal)
    os.write(controller, b"line\n")
    until(lambda: source.data == b"line\n")
    os.close(controller)
    until(lambda: source.ended)


@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK])
def test_flags_that_others_share_stay_as_they_are(reactor: Reactor, until: Until, flags: int) -> None:
    read, write = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETFL, fcntl.fcntl(read, fcntl.F_GETFL) | flags)
    before = fcntl.fcntl(read, fcntl.F_GETFL)
    source = Input(reactor, os.dup(read))
    os.write(write, b"data")
    until(lambda: source.data)
    assert fcntl.fcntl(read, fcntl.F_GETFL) == before
    source.close()
    os.close(read)
    os.close(write)


def test_somebody_else_may_have_read_it_first(reactor: Reactor) -> None:
    """A shared non-blocking descriptor was readable when it was looked at, and is not any more."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    ready: list[bool] = []
    source = FromDescriptor(reactor, os.dup(read), lambda: ready.append(True))

    def race() -> None:
        assert source.pull(10) is None
        os.write(write, b"data")
        source._on_readable(0)
        assert os.read(read, 10) == b"data"
        assert source.pull(10) is None
        os.write(write, b"more")

    reactor.call(race)
    while len(ready) < 2:
        reactor.call(lambda: None)
    assert reactor.call(lambda: source.pull(10)) == b"more"
    reactor.call(source.close)
    os.close(read)
    os.close(write)


def test_after_close_there_is_nothing(reactor: Reactor) -> None:
    read, write = os.pipe()
    source = Input(reactor, read)
    source.close()
    assert source.source.pull(10) == b""
    os.close(write)
