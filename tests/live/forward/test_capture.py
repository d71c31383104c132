"""`capture_tunnel`: one question, its end, and everything that comes back."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import openssh_core
from openssh_core import CommandTimeout, Connection, ConnectionLost, OpenRefused, OpenTimeout
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

MakeTarget = Callable[..., Any]


def test_what_comes_back_is_bytes_or_text(either: Connection, make_target: MakeTarget) -> None:
    port = make_target().port
    assert either.capture_tunnel("127.0.0.1", port, input=b"\xff\r\n") == b"\xff\r\n"
    assert either.capture_tunnel("127.0.0.1", port, input="grün\r\n", encoding="utf-8") == "grün\n"
    assert either.capture_tunnel("127.0.0.1", port) == b""


def test_much_in_both_directions(either: Connection, make_target: MakeTarget) -> None:
    data = random.Random(6).randbytes(5_000_000)
    assert either.capture_tunnel("127.0.0.1", make_target().port, input=data) == data


def test_a_target_that_does_not_listen_to_the_end(either: Connection, make_target: MakeTarget) -> None:
    target = make_target(lambda peer: (peer.recv(10), peer.sendall(b"enough")))
    assert either.capture_tunnel("127.0.0.1", target.port, input=bytes(10)) == b"enough"


def test_the_limit_passes_and_what_came_is_kept(either: Connection, make_target: MakeTarget) -> None:
    end = threading.Event()
    target = make_target(lambda peer: (peer.sendall(b"begun"), end.wait()))
    before = snapshot()
    with pytest.raises(CommandTimeout, match=r"within 0\.5 s") as caught:
        either.capture_tunnel("127.0.0.1", target.port, input=b"x", timeout=0.5, encoding="ascii")
    assert caught.value.stdout == "begun"
    end.set()
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_refusals_are_those_of_a_tunnel(either: Connection, unused_port: int) -> None:
    with pytest.raises(OpenRefused):
        either.capture_tunnel("127.0.0.1", unused_port)


@pytest.mark.parametrize("guest", [False, True])
def test_a_connection_that_breaks_is_no_end(
    loopback_server: LoopbackServer, make_target: MakeTarget, guest: bool
) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:

        def says_half(peer: socket.socket) -> None:
            peer.sendall(b"half of ")
            peer.recv(1)
            os.kill(host.master_pid, 9)
            peer.recv(1)

        connection = openssh_core.connect(host.host, control_path=host.control_path) if guest else host
        with connection, pytest.raises(ConnectionLost, match="before the end") as caught:
            connection.capture_tunnel("127.0.0.1", make_target(says_half).port, input=b"x")
        assert caught.value.stdout in (b"", b"half of ")


def test_a_server_that_does_not_answer(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        server.freeze()
        with pytest.raises(OpenTimeout):
            host.capture_tunnel("127.0.0.1", 1, timeout=0.2)
        server.thaw()
