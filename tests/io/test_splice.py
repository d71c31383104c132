"""Two sockets joined: every byte arrives, each direction ends by itself, and what waits to be written stays bounded."""

from __future__ import annotations

import os
import random
import select
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from openssh_core._io.reactor import Reactor, get_reactor
from openssh_core._io.splice import Splice

SOON = 30.0


class Joined:
    """Two outer sockets whose other ends are joined.

    Attributes:
        left, right: the outer ones.
        over: set when the splice is over.
    """

    def __init__(self, reactor: Reactor, left: tuple[socket.socket, socket.socket], right: tuple[socket.socket, ...]):
        self.left, inner_left = left
        self.right, inner_right = right
        self.over = threading.Event()
        self.splice = Splice(reactor, inner_left, inner_right, lambda _: self.over.set())
        self.splice.start()
        for outer in (self.left, self.right):
            outer.settimeout(SOON)


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


@pytest.fixture(params=["unix", "tcp", "mixed"])
def joined(request: pytest.FixtureRequest) -> Iterator[Joined]:
    left = socket.socketpair() if request.param != "tcp" else tcp_pair()
    right = socket.socketpair() if request.param == "unix" else tcp_pair()
    both = Joined(get_reactor(), left, right)
    yield both
    both.left.close()
    both.right.close()
    assert both.over.wait(SOON)


def everything(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_much_in_both_directions_at_once(joined: Joined) -> None:
    sent = {end: random.Random(end is joined.left).randbytes(3_000_000) for end in (joined.left, joined.right)}
    received: dict[socket.socket, bytes] = {}

    def send(end: socket.socket) -> None:
        end.sendall(sent[end])
        end.shutdown(socket.SHUT_WR)

    def receive(end: socket.socket) -> None:
        received[end] = everything(end)

    work = [threading.Thread(target=what, args=(end,)) for end in sent for what in (send, receive)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert received[joined.left] == sent[joined.right]
    assert received[joined.right] == sent[joined.left]
    assert joined.over.wait(SOON)


def test_one_direction_may_end_long_before_the_other(joined: Joined) -> None:
    joined.left.sendall(b"that is all")
    joined.left.shutdown(socket.SHUT_WR)
    assert everything(joined.right) == b"that is all"
    for _ in range(100):
        joined.right.sendall(b"and more ")
    assert joined.left.recv(9) == b"and more "
    assert not joined.over.is_set()
    joined.right.close()
    everything(joined.left)
    assert joined.over.wait(SOON)


def test_what_was_said_before_a_close_arrives(joined: Joined) -> None:
    writer = threading.Thread(target=lambda: (joined.left.sendall(bytes(2_000_000)), joined.left.close()))
    writer.start()
    assert len(everything(joined.right)) == 2_000_000
    writer.join()


def test_a_reader_that_does_not_read_holds_the_writer_up(joined: Joined) -> None:
    """Otherwise everything would pile up in this process."""
    joined.left.setblocking(False)
    sent = 0
    while True:
        try:
            sent += joined.left.send(bytes(65_536))
        except BlockingIOError:
            if not select.select([], [joined.left], [], 0.2)[1]:
                break
    assert sent < 40_000_000  # what the system keeps for four sockets (tcp_rmem, tcp_wmem), and ours
    received = 0
    while received < sent:
        received += len(joined.right.recv(65_536))
    assert received == sent


def test_whoever_resets_the_connection_ends_both(joined: Joined) -> None:
    joined.left.sendall(b"x")
    assert joined.right.recv(1) == b"x"
    joined.right.setblocking(False)
    # Fill what there is, so that something waits to be written when the reader goes.
    while select.select([], [joined.right], [], 0.1)[1]:
        try:
            joined.right.send(bytes(65_536))
        except BlockingIOError:
            break
    if joined.left.family == socket.AF_INET:
        joined.left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    joined.left.close()
    joined.right.setblocking(True)
    joined.right.settimeout(SOON)
    try:
        assert joined.right.recv(1) == b""
    except ConnectionResetError:
        pass
    joined.right.close()
    assert joined.over.wait(SOON)


def test_an_idle_splice_and_one_whose_end_is_gone_cost_no_time(joined: Joined) -> None:
    """A hang-up is told again and again by the system, unless one stops to listen."""
    joined.left.close()
    try:
        joined.right.sendall(b"x")
    except OSError:
        pass  # nobody is there any more: just as well
    before = sum(os.times()[:2])
    select.select([], [], [], 0.3)
    assert sum(os.times()[:2]) - before < 0.2


def test_cut(joined: Joined) -> None:
    joined.splice.cut()
    assert joined.over.wait(SOON)
    assert joined.left.recv(1) == b""
    assert joined.right.recv(1) == b""
    joined.splice.cut()
