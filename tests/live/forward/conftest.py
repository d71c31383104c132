"""Things behind a server for tunnels to lead to: each runs in threads of the test's own and ends with it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer

Serve = Callable[[socket.socket], None]

SOON = 60.0
"""Seconds in which what is awaited comes about on any machine."""


def everything(sock: socket.socket) -> bytes:
    """What comes until the end."""
    pieces = []
    while piece := sock.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def round_trip(address: Any, data: bytes = b"hello") -> bytes:
    """Send it there, and return what comes back."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as client:
        client.settimeout(SOON)
        client.connect(address)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return everything(client)


class Target:
    """Listens, and gives each connection to `serve` in a thread of its own, then closes it.

    Attributes:
        address: (host, port), or a path.
        served: connections that were taken.
    """

    def __init__(self, serve: Serve, listener: socket.socket) -> None:
        self._serve = serve
        self._listener = listener
        self.address = listener.getsockname()
        self.served = 0
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self.address[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.served += 1
            self._peers.append(peer)
            thread = threading.Thread(target=self._run, args=(peer,))
            self._threads.append(thread)
            thread.start()

    def _run(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            self._serve(peer)
            # A forked child of a test may hold a copy, so that closing alone would end nothing.
            peer.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()


def echo(peer: socket.socket) -> None:
    """What comes goes back, until the end."""
    while data := peer.recv(65_536):
        peer.sendall(data)


@pytest.fixture(scope="session")
def host(loopback_server: LoopbackServer) -> Iterator[Connection]:
    """One connection for all of these tests: look, but do not break it."""
    with openssh_core.connect(**loopback_server.connect_options()) as connection:
        yield connection


@pytest.fixture(scope="session")
def guest(host: Connection) -> Iterator[Connection]:
    """The same host, through a master that somebody else owns."""
    with openssh_core.connect(host.host, control_path=host.control_path) as connection:
        yield connection


@pytest.fixture(params=["proxy", "passenger"])
def either(request: pytest.FixtureRequest, host: Connection, guest: Connection) -> Connection:
    """By a proxy link, and as a guest."""
    return host if request.param == "proxy" else guest


@pytest.fixture
def make_target() -> Iterator[Callable[..., Target]]:
    """Make targets: `make_target(serve, listener)`. Without `serve` they echo; without a listener it is a free port."""
    with contextlib.ExitStack() as ends:

        def make(serve: Serve = echo, listener: socket.socket | None = None) -> Target:
            made = Target(serve, listener or socket.create_server(("127.0.0.1", 0), backlog=512))
            ends.callback(made.close)
            return made

        yield make


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
