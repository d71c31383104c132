"""A local forward listens on this side, and each connection to it goes to the target on the other."""

from __future__ import annotations

import os
import random
import socket
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ConnectionClosed, ForwardRefused, InvalidInput, OpenRefused
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

from .conftest import SOON, everything, round_trip

MakeTarget = Callable[..., Any]
Until = Callable[..., object]


def test_port_0_is_reported_and_listens_at_once(either: Connection, make_target: MakeTarget) -> None:
    with either.forward_local(0, ("127.0.0.1", make_target().port)) as forward:
        assert forward.port
        assert forward.address == ("127.0.0.1", forward.port)
        assert forward.port != make_target().port
        for _ in range(3):
            assert round_trip(forward.address) == b"hello"
        assert not forward.errors


def test_a_port_alone_is_one_of_the_server_itself(either: Connection, make_target: MakeTarget) -> None:
    with either.forward_local(0, make_target().port) as forward:
        assert round_trip(forward.address) == b"hello"
        assert forward.target.startswith("localhost:")


def test_data_is_complete_in_both_directions(either: Connection, make_target: MakeTarget) -> None:
    data = random.Random(5).randbytes(3_000_000)
    with either.forward_local(0, make_target().port) as forward:
        with socket.create_connection(forward.address) as client:
            sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            assert everything(client) == data
            sender.join()


def test_two_hundred_connections_at_once(either: Connection, make_target: MakeTarget, until: Until) -> None:
    gate = threading.Barrier(200, timeout=SOON)

    def echo_when_all_are_here(peer: socket.socket) -> None:
        data = peer.recv(100)
        gate.wait()
        peer.sendall(data)

    def client(number: int) -> bytes:
        return round_trip(forward.address, b"client %d" % number)

    with either.forward_local(0, make_target(echo_when_all_are_here).port) as forward:
        with ThreadPoolExecutor(200) as clients:
            answers = list(clients.map(client, range(200)))
        assert answers == [b"client %d" % number for number in range(200)]
        until(lambda: forward.connections == 0)
        assert not forward.errors


def test_a_target_that_is_down_closes_the_client_and_keeps_the_reason(
    either: Connection, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with either.forward_local(0, ("127.0.0.1", unused_port)) as forward:
        assert round_trip_or_reset(forward.address) == b""
        assert isinstance(forward.errors[-1], OpenRefused)
        assert str(unused_port) in str(forward.errors[-1])
        assert f"127.0.0.1:{unused_port}" in caplog.text
        assert forward.connections == 0
    assert either.run("echo still here").stdout == "still here\n"


def round_trip_or_reset(address: Any) -> bytes:
    try:
        return round_trip(address)
    except OSError:
        return b""


def test_the_server_is_told_where_a_client_comes_from(
    make_server: Callable[..., LoopbackServer], make_target: MakeTarget
) -> None:
    server = make_server({"LogLevel": "DEBUG1"})
    with openssh_core.connect(**server.connect_options()) as host:
        with host.forward_local(0, make_target().port) as forward:
            with socket.create_connection(forward.address) as client:
                port = client.getsockname()[1]
                client.sendall(b"x")
                assert client.recv(1) == b"x"
            server.wait_for_log(rf"originator 127\.0\.0\.1 port {port}\b")


def test_a_unix_socket_may_listen(either: Connection, make_target: MakeTarget, control_dir: Path) -> None:
    path = control_dir / "listener"
    with either.forward_local(path, make_target().port) as forward:
        assert forward.address == str(path)
        assert forward.port is None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert round_trip(forward.address) == b"hello"
    assert not path.exists()


def test_ipv6(either: Connection, make_target: MakeTarget) -> None:
    with either.forward_local(("::1", 0), make_target().port) as forward:
        assert forward.address == ("::1", forward.port)
        with socket.create_connection(forward.address) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"


def test_only_the_loopback_interface_listens_unless_told_otherwise(either: Connection, make_target: MakeTarget) -> None:
    with either.forward_local(0, make_target().port) as forward:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", forward.port))
    with either.forward_local(("0.0.0.0", 0), make_target().port) as forward:
        assert round_trip(("127.0.0.2", forward.port)) == b"hello"


def test_an_address_in_use_is_refused(either: Connection, make_target: MakeTarget, control_dir: Path) -> None:
    target = make_target()
    with either.forward_local(0, target.port) as forward:
        assert forward.port
        with pytest.raises(ForwardRefused, match=f"127.0.0.1:{forward.port}.*in use") as caught:
            either.forward_local(forward.port, target.port)
        assert "port 0" in caught.value.advice
        assert either.forwards == (forward,)
    path = control_dir / "taken"
    path.write_text("precious")
    with pytest.raises(ForwardRefused):
        either.forward_local(path, target.port)
    assert path.read_text() == "precious"
    path.unlink()
    with pytest.raises(ForwardRefused):
        either.forward_local(control_dir / "missing" / "socket", target.port)


def test_an_address_of_another_machine_is_refused(either: Connection) -> None:
    with pytest.raises(ForwardRefused):
        either.forward_local(("192.0.2.1", 0), 22)


def test_a_privileged_port_is_refused_to_who_has_no_privilege(
    host: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # The tests run as root, which may.
    monkeypatch.setattr(socket.socket, "bind", denied)
    with pytest.raises(ForwardRefused, match="Permission denied") as caught:
        host.forward_local(80, 80)
    assert "1024" in caught.value.advice


@pytest.mark.parametrize(
    "bind", [-1, 70_000, True, 1.5, "8080", "relative", ("127.0.0.1",), ("", 0), ("web 1", 0), (0, 0), None, b"/x"]
)
def test_what_cannot_be_listened_on(host: Connection, bind: Any) -> None:
    with pytest.raises(InvalidInput):
        host.forward_local(bind, 80)


@pytest.mark.parametrize("target", [0, -1, 70_000, True, "web1:80", ("web1", 0), ("-x", 80), "/" + "x" * 107, None])
def test_what_cannot_be_led_to(host: Connection, target: Any) -> None:
    with pytest.raises(InvalidInput):
        host.forward_local(0, target)


def test_a_path_of_a_socket_may_be_as_long_as_the_system_allows(host: Connection, control_dir: Path) -> None:
    longest = str(control_dir / "x").ljust(107, "x")
    with host.forward_local(longest, 80):
        assert os.path.exists(longest)
    with pytest.raises(InvalidInput, match="107"):
        host.forward_local(longest + "x", 80)


def test_closing_is_idempotent_and_frees_the_address(either: Connection, make_target: MakeTarget) -> None:
    target = make_target()
    forward = either.forward_local(0, target.port)
    port = forward.port
    assert port
    assert either.forwards == (forward,)
    forward.close()
    assert forward.closed
    forward.close()
    assert either.forwards == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with either.forward_local(port, target.port) as again:
        assert round_trip(again.address) == b"hello"


def test_connections_outlive_their_forward(either: Connection, make_target: MakeTarget, until: Until) -> None:
    with either.forward_local(0, make_target().port) as forward:
        client = socket.create_connection(forward.address)
        client.sendall(b"before")
        assert client.recv(100) == b"before"
    with client:
        client.sendall(b"after")
        assert client.recv(100) == b"after"
        assert forward.connections == 1
    until(lambda: forward.connections == 0)


def test_forwards_end_with_their_connection(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    target = make_target()
    before = snapshot()
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_local(0, target.port)
        client = socket.create_connection(forward.address)
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    with client:
        client.settimeout(SOON)
        assert client.recv(1) == b""
    assert forward.closed
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(forward.address)
    with pytest.raises(ConnectionClosed):
        host.forward_local(0, target.port)
    assert_nothing_left(before, allow=["Thread-"])


def test_a_guest_closes_its_own_forwards_only(host: Connection, make_target: MakeTarget) -> None:
    target = make_target()
    with host.forward_local(0, target.port) as owners:
        with openssh_core.connect(host.host, control_path=host.control_path) as guest:
            guests = guest.forward_local(0, target.port)
            assert round_trip(guests.address) == b"hello"
        assert guests.closed
        assert round_trip(owners.address) == b"hello"


def test_the_master_is_killed_while_a_forward_is_open(
    loopback_server: LoopbackServer, make_target: MakeTarget, until: Until
) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        forward = host.forward_local(0, make_target().port)
        with socket.create_connection(forward.address) as client:
            client.settimeout(SOON)
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            os.kill(host.master_pid, 9)
            assert client.recv(1) == b""
        assert round_trip_or_reset(forward.address) == b""
        until(lambda: forward.errors)
        assert isinstance(forward.errors[-1], openssh_core.ConnectionLost)


def test_an_open_forward_keeps_its_connection(loopback_server: LoopbackServer, make_target: MakeTarget) -> None:
    forward = openssh_core.connect(**loopback_server.connect_options()).forward_local(0, make_target().port)
    assert round_trip(forward.address) == b"hello"
    forward._on_close.__self__.close()  # type: ignore[attr-defined]


def test_a_slow_reader_holds_up_nobody_else(either: Connection, make_target: MakeTarget) -> None:
    flood = make_target(lambda peer: peer.sendall(bytes(20_000_000)))
    quick = make_target()
    with either.forward_local(0, flood.port) as first, either.forward_local(0, quick.port) as second:
        with socket.create_connection(first.address) as slow:
            assert slow.recv(1)
            for _ in range(20):
                assert round_trip(second.address) == b"hello"
            assert len(everything(slow)) > 19_000_000


def test_a_forward_goes_on_when_its_connection_is_made_again(
    loopback_server: LoopbackServer, make_target: MakeTarget
) -> None:
    with openssh_core.connect(**loopback_server.connect_options(), reconnect=True) as host:
        forward = host.forward_local(0, make_target().port)
        assert round_trip(forward.address) == b"hello"
        os.kill(host.master_pid, 9)
        # A forward does not log in by itself: the next command does.
        while True:
            try:
                host.run("true")
                break
            except openssh_core.ConnectionLost:
                continue
        assert round_trip(forward.address) == b"hello"
