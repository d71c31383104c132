"""Connections to a real server, one by each way through a master, and what the tests use to look at the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import AccountServer, LoopbackServer


@pytest.fixture(scope="session", autouse=True)
def _reactor(loopback_server: LoopbackServer) -> None:
    """The first connection of a process makes the reactor, whose three descriptors stay: they are no test's leak."""
    openssh_core.connect(**loopback_server.connect_options()).close()


@pytest.fixture
def host(loopback_server: LoopbackServer) -> Iterator[Connection]:
    """A connection of its own: proxy link, private master."""
    with openssh_core.connect(**loopback_server.connect_options()) as connection:
        yield connection


@pytest.fixture(params=["proxy", "passenger"])
def either(request: pytest.FixtureRequest, host: Connection) -> Iterator[Connection]:
    """The same host by a proxy link, and as a guest on a master that somebody else owns."""
    if request.param == "proxy":
        yield host
        return
    with openssh_core.connect(host.host, control_path=host.control_path) as guest:
        yield guest


class Kept:
    """Connections by name, each kept until a test has made it unusable."""

    def __init__(self) -> None:
        self._ends: dict[str, ExitStack] = {}
        self._connections: dict[str, Connection] = {}

    def get(self, name: str, server: LoopbackServer, way: str) -> Connection:
        """The connection, new or as the last one has left it."""
        if name not in self._connections:
            self._ends[name] = ends = ExitStack()
            connection = ends.enter_context(openssh_core.connect(**server.connect_options()))
            if way == "guest":  # on a master whose owner has no session of his own
                connection = ends.enter_context(openssh_core.connect("guest", control_path=connection.control_path))
            self._connections[name] = connection
        return self._connections[name]

    def give_back(self, name: str) -> None:
        """Close it unless it is as it was."""
        connection = self._connections[name]
        if connection.closed or connection._live().backend.running():
            self.close(name)

    def close(self, name: str) -> None:
        """Close it."""
        del self._connections[name]
        self._ends.pop(name).close()


@pytest.fixture(scope="session")
def _kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    for name in list(kept._ends):
        kept.close(name)


@pytest.fixture(params=["root, link", "ordinary user, link", "root, guest", "ordinary user, guest"])
def anybody(
    request: pytest.FixtureRequest, loopback_server: LoopbackServer, ordinary_user_server: AccountServer, _kept: Kept
) -> Iterator[Connection]:
    """Root, whose commands many servers let nobody signal, and an ordinary user; by both ways through a master.

    Other tests have used it before and will after. It may be closed: then the next one gets another.
    """
    user, way = request.param.split(", ")
    yield _kept.get(request.param, loopback_server if user == "root" else ordinary_user_server, way)
    _kept.give_back(request.param)


class Nap:
    """A remote `sleep` that can be told from every other process of the machine.

    Attributes:
        seconds: how long it would sleep; no other nap has the same.
        command: for the remote shell.
    """

    def __init__(self, until: Callable[..., Any]) -> None:
        self._until = until
        self.seconds = 10**6 + int.from_bytes(os.urandom(4), "big")
        self.command = f"sleep {self.seconds}"

    def pids(self) -> list[int]:
        """The processes that sleep so long."""
        wanted = f"sleep\0{self.seconds}\0".encode()
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _argv(pid) == wanted]

    def wait_until_it_runs(self, count: int = 1) -> list[int]:
        """The processes, once there are `count` of them."""
        return self._until(lambda: len(found := self.pids()) == count and found) or []

    def wait_until_it_is_over(self) -> None:
        """Return once nobody sleeps so long any more."""
        self._until(lambda: not self.pids())


def _argv(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it ended while we looked


@pytest.fixture
def nap(until: Callable[..., Any]) -> Nap:
    """See `Nap`. What is left of it ends with the server."""
    return Nap(until)
