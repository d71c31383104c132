"""A dynamic forward is a SOCKS proxy whose connections start at the server. Clients here are `nc` and bare bytes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ForwardRefused, OpenRefused, RemoteProtocolError
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

from .conftest import SOON

MakeTarget = Callable[..., Any]
Until = Callable[..., Any]


def through(forward: Any, version: str, host: str, port: int, data: bytes = b"hello") -> bytes:
    """What comes back, by OpenBSD's netcat. It looks names up itself, but for -X 5."""
    words = ["nc.openbsd", "-N", "-X", version, "-x", f"127.0.0.1:{forward.port}", host, str(port)]
    return subprocess.run(words, input=data, capture_output=True, timeout=SOON, check=False).stdout


def ask(forward: Any, data: bytes, size: int) -> tuple[socket.socket, bytes]:
    client = socket.create_connection(forward.address)
    client.settimeout(SOON)
    client.sendall(data)
    answer = b""
    while len(answer) < size and (piece := client.recv(size - len(answer))):
        answer += piece
    return client, answer


def connect_5(host: bytes, port: int) -> bytes:
    return b"\5\1\0\5\1\0\3" + bytes([len(host)]) + host + port.to_bytes(2, "big")


@pytest.mark.parametrize("version", ["4", "5"])
def test_a_real_client(either: Connection, make_target: MakeTarget, version: str) -> None:
    target = make_target()
    with either.forward_dynamic(0) as forward:
        assert forward.port
        assert either.forwards == (forward,)
        assert through(forward, version, "127.0.0.1", target.port) == b"hello"
        assert not forward.errors


def test_names_are_for_the_server_and_what_is_said_early_is_not_lost(
    either: Connection, make_target: MakeTarget, until: Until
) -> None:
    port = make_target().port
    with either.forward_dynamic(0) as forward:
        for request, size, answer in (
            (connect_5(b"localhost", port), 12, b"\5\0\5\0\0\1"),
            (b"\4\1" + port.to_bytes(2, "big") + b"\0\0\0\1me\0localhost\0", 8, b"\0\x5a"),
        ):
            # A client in a hurry sends its data with the request.
            client, said = ask(forward, request + b"early", size + 5)
            with client:
                assert said.startswith(answer)
                assert said[size:] == b"early"
        until(lambda: forward.connections == 0)


def test_a_target_that_talks_first_is_heard_after_the_proxy(either: Connection, make_target: MakeTarget) -> None:
    port = make_target(lambda peer: peer.sendall(b"SSH-2.0-me first")).port
    with either.forward_dynamic(0) as forward:
        for _ in range(10):
            client, said = ask(forward, connect_5(b"127.0.0.1", port), 12 + 16)
            client.close()
            assert said[:6] == b"\5\0\5\0\0\1"
            assert said[12:] == b"SSH-2.0-me first"


def test_a_refusal_is_told_to_the_client(host: Connection, guest: Connection, unused_port: int, until: Until) -> None:
    for connection, code in ((host, 5), (guest, 1)):  # only a master of our own knows why
        with connection.forward_dynamic(0) as forward:
            client, said = ask(forward, connect_5(b"127.0.0.1", unused_port), 100)
            client.close()
            assert said == bytes([5, 0, 5, code, 0, 1]) + bytes(6)
            client, said = ask(forward, b"\4\1" + unused_port.to_bytes(2, "big") + b"\x7f\0\0\1\0", 100)
            client.close()
            assert said == b"\0\x5b" + bytes(6)
            assert [type(error) for error in forward.errors] == [OpenRefused] * 2
            until(lambda forward=forward: forward.connections == 0)


def test_nonsense_costs_its_own_connection(either: Connection, make_target: MakeTarget, until: Until) -> None:
    with either.forward_dynamic(0) as forward:
        for nonsense, answer in (
            (b"GET / HTTP/1.1\r\n\r\n", b""),
            (connect_5(b"-oProxyCommand=x", 22), b"\5\0\5\1\0\1" + bytes(6)),
            (connect_5(b"web1", 0), b"\5\0\5\1\0\1" + bytes(6)),
            (b"\5\1\2", b"\5\xff"),
        ):
            with socket.create_connection(forward.address) as client:
                client.settimeout(SOON)
                client.sendall(nonsense)
                said = b""
                try:
                    while piece := client.recv(100):
                        said += piece
                except ConnectionResetError:
                    pass  # it was closed before all the nonsense was read
                assert said == answer
        # Who goes away without a word has asked for nothing.
        socket.create_connection(forward.address).close()
        until(lambda: forward.connections == 0)
        assert len(forward.errors) == 4
        assert isinstance(forward.errors[0], RemoteProtocolError)
        assert through(forward, "5", "127.0.0.1", make_target().port) == b"hello"


def test_many_at_once(either: Connection, make_target: MakeTarget) -> None:
    gate = threading.Barrier(50, timeout=SOON)

    def when_all_are_here(peer: socket.socket) -> None:
        data = peer.recv(100)
        gate.wait()
        peer.sendall(data)

    port = make_target(when_all_are_here).port

    def client(number: int) -> bytes:
        sock, said = ask(forward, connect_5(b"127.0.0.1", port) + b"%05d" % number, 17)
        sock.close()
        return said[12:]

    with either.forward_dynamic(0) as forward:
        with ThreadPoolExecutor(50) as clients:
            assert list(clients.map(client, range(50))) == [b"%05d" % number for number in range(50)]


def test_it_ends_with_its_connection(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    port = make_target().port
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_dynamic(0)
        talking, _ = ask(forward, b"\5\1\0", 2)
        connected, _ = ask(forward, connect_5(b"127.0.0.1", port) + b"x", 13)
        assert forward.connections == 2
        with pytest.raises(ForwardRefused):
            host.forward_dynamic(forward.port or 0)
    for client in (talking, connected):
        with client:
            assert client.recv(1) == b""
    assert forward.closed
    assert_nothing_left(before, allow=["Thread-"])


def test_a_forked_child_holds_nothing_open(either: Connection, make_target: MakeTarget) -> None:
    ours, childs = socket.socketpair()
    with either.forward_dynamic(0) as forward:
        connected, _ = ask(forward, connect_5(b"127.0.0.1", make_target().port) + b"x", 13)
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in programs with threads. That it goes well all the same is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            ours.close()
            childs.sendall(b"I live")
            childs.recv(1)
            os._exit(0)
        childs.close()
        assert ours.recv(6) == b"I live"
        address = forward.address
    with connected, ours:
        connected.shutdown(socket.SHUT_WR)
        assert connected.recv(1) == b"", "the child would keep the tunnel's other direction open"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    assert os.waitpid(pid, 0)[1] == 0
