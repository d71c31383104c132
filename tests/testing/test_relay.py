"""What a relay does to connections. No time is measured: what must not come is waited for behind what must."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer, Relay

Wire = Callable[..., tuple[socket.socket, socket.socket]]


@pytest.fixture
def listener(no_leaks: None) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(30)
        yield sock


@pytest.fixture
def relayed(listener: socket.socket) -> Iterator[Callable[..., Relay]]:
    """Make relays to the listener."""
    with ExitStack() as ends:
        yield lambda **named: ends.enter_context(Relay(*listener.getsockname(), **named))


@pytest.fixture
def wire(listener: socket.socket) -> Iterator[Callable[[Relay], tuple[socket.socket, socket.socket]]]:
    """Connect through a relay; returns both ends, the client's first."""
    with ExitStack() as ends:

        def connect(relay: Relay) -> tuple[socket.socket, socket.socket]:
            client = ends.enter_context(socket.create_connection((relay.host, relay.port), timeout=30))
            server, _ = listener.accept()
            server.settimeout(30)
            return client, ends.enter_context(server)

        yield connect


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := sock.recv(size - len(data))):
        data += more
    return data


def silent(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return bool(sock.recv(1)) and False
    except BlockingIOError:
        return True
    finally:
        sock.settimeout(30)


def test_bytes_pass_both_ways(relayed: Any, wire: Wire) -> None:
    relay = relayed()
    client, server = wire(relay)
    client.sendall(b"ping")
    assert exactly(server, 4) == b"ping"
    server.sendall(b"pong")
    assert exactly(client, 4) == b"pong"
    assert (relay.connections, relay.open_connections) == (1, 1)


@pytest.mark.parametrize("options", [{}, {"delay": 0.01}, {"bandwidth": 50e6}])
def test_much_passes_whole_even_to_a_slow_reader(relayed: Any, wire: Wire, options: dict[str, float]) -> None:
    client, server = wire(relayed(**options))
    data = hashlib.shake_256(b"seed").digest(8_000_000)

    def send() -> None:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    digest = hashlib.sha256()
    while piece := server.recv(7919):
        digest.update(piece)
    sender.join()
    assert digest.digest() == hashlib.sha256(data).digest()


def test_what_is_delayed_comes_after_what_is_not(relayed: Any, wire: Wire) -> None:
    late_client, late_server = wire(relayed(delay=3600))
    client, server = wire(relayed())
    late_client.sendall(b"x")
    client.sendall(b"x")
    assert exactly(server, 1) == b"x"
    assert silent(late_server)


def test_what_is_delayed_comes(relayed: Any, wire: Wire) -> None:
    client, server = wire(relayed(delay=0.02))
    for _ in range(3):
        client.sendall(b"x")
        server.sendall(exactly(server, 1))
        assert exactly(client, 1) == b"x"


def test_a_limited_rate_lets_through_what_it_may(relayed: Any, wire: Wire) -> None:
    client, server = wire(relayed(bandwidth=1.0))
    fast_client, fast_server = wire(relayed())
    client.sendall(bytes(100))
    fast_client.sendall(bytes(100))
    assert len(exactly(fast_server, 100)) == 100
    assert len(exactly(server, 1)) == 1
    assert silent(server)


def test_a_frozen_relay_is_a_black_hole_that_gives_all_back(relayed: Any, wire: Wire) -> None:
    relay = relayed()
    client, server = wire(relay)
    relay.freeze()
    client.sendall(b"lost?")
    server.sendall(b"lost too?")
    new_client, new_server = wire(relay)
    new_client.sendall(b"new")
    other_client, other_server = wire(relayed())
    other_client.sendall(b"x")
    assert exactly(other_server, 1) == b"x"
    assert silent(server)
    assert silent(client)
    assert silent(new_server)
    relay.thaw()
    assert exactly(server, 5) == b"lost?"
    assert exactly(client, 9) == b"lost too?"
    assert exactly(new_server, 3) == b"new"


def test_cut_connections_are_reset_and_new_ones_work(relayed: Any, wire: Wire) -> None:
    relay = relayed()
    client, server = wire(relay)
    client.sendall(b"x")
    assert exactly(server, 1) == b"x"
    relay.cut()
    for sock in (client, server):
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert relay.open_connections == 0
    client, server = wire(relay)
    client.sendall(b"y")
    assert exactly(server, 1) == b"y"
    assert relay.connections == 2


@pytest.mark.parametrize("side", ["client", "server"])
def test_half_closed(relayed: Any, wire: Wire, side: str) -> None:
    relay = relayed()
    ends = wire(relay)
    deaf, other = ends if side == "client" else ends[::-1]
    other.sendall(b"x")
    assert exactly(deaf, 1) == b"x"
    relay.half_close(side)
    assert deaf.recv(1) == b""
    deaf.sendall(b"still heard")
    assert exactly(other, 11) == b"still heard"


@pytest.mark.parametrize("side", ["client", "server"])
def test_corruption_is_one_bit_for_one_side(relayed: Any, wire: Wire, side: str) -> None:
    relay = relayed()
    ends = wire(relay)
    reader, writer = ends if side == "client" else ends[::-1]
    relay.corrupt(side, after=2)
    writer.sendall(b"aaaa")
    assert exactly(reader, 4) == b"aa`a"
    reader.sendall(b"aaaa")
    assert exactly(writer, 4) == b"aaaa"


@pytest.mark.parametrize("options", [{}, {"delay": 0.01}])
def test_the_end_of_each_direction_passes_on_its_own(relayed: Any, wire: Wire, until: Any, options: Any) -> None:
    relay = relayed(**options)
    client, server = wire(relay)
    client.sendall(b"request")
    client.shutdown(socket.SHUT_WR)
    assert exactly(server, 8) == b"request"
    server.sendall(b"answer")
    server.close()
    assert exactly(client, 7) == b"answer"
    until(lambda: relay.open_connections == 0)


def test_a_reset_passes_on(relayed: Any, wire: Wire) -> None:
    client, server = wire(relayed())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def test_a_server_that_is_not_there(no_leaks: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with Relay(*address) as relay, socket.socket() as client:
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):  # by either of the two, as it happens
            client.connect((relay.host, relay.port)) or client.recv(1)


def test_closing_ends_everything_even_what_is_frozen(no_leaks: None, listener: socket.socket) -> None:
    relay = Relay(*listener.getsockname(), delay=3600)
    with socket.create_connection((relay.host, relay.port), timeout=30) as client:
        server, _ = listener.accept()
        with server:
            client.sendall(b"x")
            relay.freeze()
            relay.close()
            relay.close()
            assert relay.open_connections == 0
            with contextlib.suppress(ConnectionResetError):  # by what it sent and nobody read
                assert client.recv(1) == b""
        relay.cut()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((relay.host, relay.port), timeout=30)


@pytest.mark.parametrize("options", [{"delay": -1}, {"bandwidth": 0}])
def test_impossible_networks(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="delay"):
        Relay("127.0.0.1", 1, **options)


# ---- with the real ssh -----------------------------------------------------------------------------------


@pytest.mark.live
def test_ssh_trusts_the_server_behind_any_relay(loopback_server: LoopbackServer, ssh: Any, relay: Any) -> None:
    between = relay(loopback_server, delay=0.01)
    done = ssh(loopback_server, f"-p{between.port}", "echo through; exit 3")
    assert (done.returncode, done.stdout) == (3, "through\n")
    assert between.connections == 1


@pytest.mark.live
def test_ssh_notices_a_flipped_bit(loopback_server: LoopbackServer, ssh_start: Any, relay: Any) -> None:
    between = relay(loopback_server)
    session = ssh_start(loopback_server, f"-p{between.port}", "echo up; cat")
    assert session.stdout.readline() == "up\n"
    # Something may be under way after that line; a round trip makes sure of a packet's beginning.
    session.stdin.write("x\n")
    assert session.stdout.readline() == "x\n"
    between.corrupt()
    session.stdin.write("y\n")
    assert session.wait(30) == 255
    assert "message authentication code incorrect" in session.stderr.read()


@pytest.mark.live
@pytest.mark.parametrize("verb", ["cut", "half_close"])
def test_ssh_loses_its_connection(loopback_server: LoopbackServer, ssh_start: Any, relay: Any, verb: str) -> None:
    between = relay(loopback_server)
    session = ssh_start(loopback_server, f"-p{between.port}", "echo up; cat")
    assert session.stdout.readline() == "up\n"
    getattr(between, verb)()
    assert session.wait(30) == 255
