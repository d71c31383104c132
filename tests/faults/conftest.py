"""Servers that may be treated badly, and what the tests use to look at the machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer


@pytest.fixture(scope="session", autouse=True)
def _reactor(loopback_server: LoopbackServer) -> None:
    """The first connection of a process makes the reactor, whose three descriptors stay: they are no test's leak."""
    openssh_core.connect(**loopback_server.connect_options()).close()


@pytest.fixture
def server(make_server: Callable[..., LoopbackServer]) -> LoopbackServer:
    """A server of the test's own."""
    return make_server()


@pytest.fixture
def answer_within(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Have who says nothing be given up after so many seconds: `answer_within(0.3)`."""

    def shorten(seconds: float) -> None:
        # Every module that imported such a constant has a name of its own for it.
        for module in [module for name, module in sys.modules.items() if name.startswith("openssh_core.")]:
            for patience in ("LOCAL_ANSWER", "PARTING_PATIENCE", "_KILL_PATIENCE"):
                if hasattr(module, patience):
                    monkeypatch.setattr(module, patience, seconds)

    return shorten


@pytest.fixture
def connect(control_dir: Path) -> Callable[..., Connection]:
    """Connects to a server, through a relay if one is given."""

    def connect(server: LoopbackServer, *, port: int | None = None, **options: Any) -> Connection:
        return openssh_core.connect(**server.connect_options(port=port), control_dir=control_dir, **options)

    return connect


class Steady:
    """Whether a number has stopped changing.

    Args:
        number: what to look at.
        seconds: how long it must stay as it is.
    """

    def __init__(self, number: Callable[[], object], seconds: float = 0.5) -> None:
        self._number = number
        self._seconds = seconds
        self._last: object = None
        self._since = time.monotonic()

    def __call__(self) -> bool:
        if (now := self._number()) != self._last:
            self._last, self._since = now, time.monotonic()
        return time.monotonic() - self._since > self._seconds


@pytest.fixture
def steady() -> type[Steady]:
    """See `Steady`; a condition to wait for."""
    return Steady


@pytest.fixture
def memory() -> Callable[[int], int]:
    """The resident memory of a process, in bytes (proc(5))."""

    def resident(pid: int) -> int:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    return resident
