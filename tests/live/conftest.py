"""Connections to a real server, one by each way through a master, and what the tests use to look at the machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer

T = TypeVar("T")


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


@pytest.fixture
def control_dir() -> Iterator[Path]:
    """A directory for control sockets, with a name short enough. Whoever uses it leaves it empty."""
    path = Path(tempfile.mkdtemp(prefix="oc-", dir="/tmp"))
    yield path
    left = os.listdir(path)
    shutil.rmtree(path)
    assert left == []


def _until(condition: Callable[[], T], seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come about within {seconds:g} s: {condition!r} is {result!r}")
        time.sleep(0.01)
    return result


@pytest.fixture
def until() -> Callable[..., object]:
    """Waits until a condition holds, and returns what it returned."""
    return _until


class Nap:
    """A remote `sleep` that can be told from every other process of the machine.

    Attributes:
        seconds: how long it would sleep; no other nap has the same.
        command: for the remote shell.
    """

    def __init__(self) -> None:
        self.seconds = 10**6 + int.from_bytes(os.urandom(4), "big")
        self.command = f"sleep {self.seconds}"

    def pids(self) -> list[int]:
        """The processes that sleep so long."""
        wanted = f"sleep\0{self.seconds}\0".encode()
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _argv(pid) == wanted]

    def wait_until_it_runs(self, count: int = 1) -> list[int]:
        """The processes, once there are `count` of them."""
        return _until(lambda: len(found := self.pids()) == count and found) or []

    def wait_until_it_is_over(self) -> None:
        """Return once nobody sleeps so long any more."""
        _until(lambda: not self.pids())


def _argv(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it ended while we looked


@pytest.fixture
def nap() -> Nap:
    """See `Nap`. What is left of it ends with the server."""
    return Nap()
