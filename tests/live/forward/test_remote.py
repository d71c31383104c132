"""A remote forward listens on the server, which is this machine here, and each connection to it comes to this side."""

from __future__ import annotations

import os
import random
import socket
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ForwardRefused, InvalidInput, OpenTimeout
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

from .conftest import SOON, everything, round_trip

MakeTarget = Callable[..., Any]
Until = Callable[..., Any]


def test_port_0_is_reported(either: Connection, make_target: MakeTarget) -> None:
    with either.forward_remote(0, ("127.0.0.1", make_target().port)) as forward:
        assert forward.port
        assert forward.address == ("127.0.0.1", forward.port)
        assert either.forwards == (forward,)
        for _ in range(3):
            assert round_trip(forward.address) == b"hello"
        assert not forward.errors
    assert either.forwards == ()


def test_several_at_once_and_alike(either: Connection, make_target: MakeTarget) -> None:
    port = make_target().port
    with ThreadPoolExecutor(4) as pool:
        forwards = list(pool.map(lambda _: either.forward_remote(0, port), range(4)))
    assert len({forward.port for forward in forwards}) == 4
    for forward in forwards:
        assert round_trip(forward.address) == b"hello"
    forwards[0].close()
    for forward in forwards[1:]:
        assert round_trip(forward.address) == b"hello"
        forward.close()


def test_data_is_complete_in_both_directions(either: Connection, make_target: MakeTarget) -> None:
    data = random.Random(5).randbytes(3_000_000)
    with either.forward_remote(0, make_target().port) as forward:
        with socket.create_connection(forward.address) as client:
            sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            assert everything(client) == data
            sender.join()


def test_the_target_may_end_its_direction_first(either: Connection, make_target: MakeTarget) -> None:
    heard: SimpleQueue[bytes] = SimpleQueue()

    def half_closes(peer: socket.socket) -> None:
        peer.sendall(b"that is all from me")
        peer.shutdown(socket.SHUT_WR)
        heard.put(everything(peer))

    with either.forward_remote(0, make_target(half_closes).port) as forward:
        with socket.create_connection(forward.address) as client:
            assert everything(client) == b"that is all from me"
            client.sendall(b"late news " * 100_000)
        assert heard.get(timeout=SOON) == b"late news " * 100_000


def test_connections_come_to_a_function(either: Connection, until: Until) -> None:
    calls: list[tuple[Any, ...]] = []

    def handler(sock: socket.socket, origin: Any, address: Any) -> None:
        calls.append((origin, address, threading.current_thread() is threading.main_thread(), sock.gettimeout()))
        with sock:
            sock.sendall(everything(sock).upper())

    with either.forward_remote(0, handler) as forward:
        assert forward.target == "handler"
        with ThreadPoolExecutor(8) as clients:
            assert list(clients.map(lambda _: round_trip(forward.address), range(8))) == [b"HELLO"] * 8
        assert calls == [(None, forward.address, False, None)] * 8
        until(lambda: forward.connections == 0)


def test_a_function_may_keep_the_socket_for_later(either: Connection) -> None:
    queue: SimpleQueue[socket.socket] = SimpleQueue()
    with either.forward_remote(0, lambda sock, *_: queue.put(sock)) as forward:
        with socket.create_connection(forward.address) as client:
            with queue.get(timeout=SOON) as sock:
                client.sendall(b"x")
                assert sock.recv(1) == b"x"
                sock.sendall(b"y")
                assert client.recv(1) == b"y"
            assert client.recv(1) == b""


def test_a_function_that_fails_costs_its_own_connection(
    either: Connection, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_sock: socket.socket, *_: object) -> None:
        raise ValueError("a bug")

    with either.forward_remote(0, broken) as forward:
        for _ in range(2):
            with socket.create_connection(forward.address) as client:
                client.settimeout(SOON)
                assert client.recv(1) == b""
        until(lambda: len(forward.errors) == 2)
        assert "a bug" in str(forward.errors[0])
        assert "ValueError: a bug" in caplog.text


def test_a_target_that_is_down(either: Connection, unused_port: int, until: Until) -> None:
    with either.forward_remote(0, ("127.0.0.1", unused_port)) as forward:
        with socket.create_connection(forward.address) as client:
            client.settimeout(SOON)
            assert client.recv(1) == b""
        until(lambda: forward.errors)
        assert f"127.0.0.1:{unused_port}" in str(forward.errors[0])
        assert "refused" in str(forward.errors[0])
        until(lambda: forward.connections == 0)


def test_unix_sockets_on_both_sides(either: Connection, make_target: MakeTarget, control_dir: Path) -> None:
    there, here = control_dir / "there", control_dir / "here"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(here))
    listener.listen()
    make_target(listener=listener)
    try:
        for _ in range(2):  # the server would not listen a second time if the file were left
            with either.forward_remote(there, here) as forward:
                assert forward.address == str(there)
                assert forward.port is None
                assert round_trip(forward.address) == b"hello"
            assert not there.exists()
    finally:
        here.unlink()


def test_a_file_that_is_there_already_is_left_alone(either: Connection, control_dir: Path) -> None:
    path = control_dir / "precious"
    path.write_text("precious")
    with pytest.raises(ForwardRefused):
        either.forward_remote(path, 22)
    assert path.read_text() == "precious"
    path.unlink()


def test_a_port_in_use_is_refused(either: Connection, make_target: MakeTarget) -> None:
    port = make_target().port
    before = snapshot()
    with pytest.raises(ForwardRefused, match=rf"127\.0\.0\.1:{port} \(.*{port}\)") as caught:
        either.forward_remote(("127.0.0.1", port), 22)
    assert "PermitListen" in caught.value.advice
    assert caught.value.host == either.host
    with either.forward_remote(0, port) as forward:
        assert forward.port
        with pytest.raises(ForwardRefused):
            either.forward_remote(forward.port, port)
        assert round_trip(forward.address) == b"hello"
    assert either.forwards == ()
    assert_nothing_left(before, allow=["Thread-"])


def test_what_the_server_forbids(make_server: Callable[..., LoopbackServer]) -> None:
    server = make_server({"AllowTcpForwarding": "local", "AllowStreamLocalForwarding": "local"})
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(ForwardRefused):
            host.forward_remote(0, 22)
        with pytest.raises(ForwardRefused):
            host.forward_remote(server.directory / "no", 22)
        assert host.run("echo still here").stdout == "still here\n"


@pytest.mark.parametrize("bind", [-1, 70_000, True, "8080", ("", 0), ("-x", 0), "/" + "x" * 107, None])
def test_what_cannot_be_listened_on(host: Connection, bind: Any) -> None:
    with pytest.raises(InvalidInput):
        host.forward_remote(bind, 80)


def test_closing_frees_the_address(either: Connection, make_target: MakeTarget, until: Until) -> None:
    port = make_target().port
    forward = either.forward_remote(0, port)
    first = forward.port
    assert first
    forward.close()
    forward.close()
    assert forward.closed

    def is_free() -> bool:
        # The master's word that it is closed does not wait for the server's.
        try:
            round_trip(("127.0.0.1", first))
        except ConnectionError:
            return True
        return False

    until(is_free)
    with either.forward_remote(first, port) as again:
        assert again.port == first
        assert round_trip(again.address) == b"hello"


def test_forwards_end_with_their_connection(
    loopback_server: LoopbackServer, make_target: MakeTarget, control_dir: Path
) -> None:
    port = make_target().port
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_remote(0, port)
        unix = host.forward_remote(control_dir / "there", port)
        assert round_trip(unix.address) == b"hello"
        client = socket.create_connection(forward.address)
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    with client:
        client.settimeout(SOON)
        assert client.recv(1) == b""
    assert forward.closed
    assert unix.closed
    assert not (control_dir / "there").exists()
    assert_nothing_left(before, allow=["Thread-"])


def test_a_guest_leaves_only_its_own_behind_it(host: Connection, make_target: MakeTarget) -> None:
    port = make_target().port
    with host.forward_remote(0, port) as owners:
        with openssh_core.connect(host.host, control_path=host.control_path) as guest:
            guests = guest.forward_remote(0, port)
            client = socket.create_connection(guests.address)
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert guests.closed
        with client:
            client.settimeout(SOON)
            assert client.recv(1) == b""
        assert round_trip(owners.address) == b"hello"


def test_the_master_is_killed_while_a_forward_is_open(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_remote(0, make_target().port)
        os.kill(host.master_pid, 9)
        forward.close()
    assert forward.closed
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_a_server_that_does_not_answer_in_time(make_server: Callable[..., LoopbackServer], until: Until) -> None:
    server = make_server()
    with openssh_core.connect(**server.connect_options()) as host:
        server.freeze()
        with pytest.raises(OpenTimeout, match=r"0\.2 s"):
            host.forward_remote(0, 22, timeout=0.2)
        # The next one waits for its turn: two requests at once are what a master may die of.
        with pytest.raises(OpenTimeout):
            host.forward_remote(0, 22, timeout=0.2)
        assert host.forwards == ()
        server.thaw()
        with host.forward_remote(0, 22) as forward:
            assert forward.port
        assert host.run("echo still here").stdout == "still here\n"


def test_a_forked_child_closes_nothing_of_its_parents(either: Connection, make_target: MakeTarget) -> None:
    port = make_target().port
    with either.forward_remote(0, port) as remote, either.forward_local(0, port) as local:
        with warnings.catch_warnings():
            # Python 3.12 warns of forks in programs with threads. That it goes well all the same is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            try:
                remote.close()
                local.close()
                with either.forward_remote(0, port) as own:
                    assert round_trip(own.address) == b"hello"
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert round_trip(remote.address) == b"hello"
        assert round_trip(local.address) == b"hello"
