"""Fixtures for pytest: the servers, the relay and the look at what is left, for tests of your own code.

Every process of pytest-xdist has servers of its own. The session's servers are shared by its tests: look, but do not
freeze or kill them; `make_server` gives one that may be treated badly.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from . import (
    Account,
    AccountServer,
    InetdServer,
    LoopbackServer,
    Relay,
    Server,
    assert_nothing_left,
    snapshot,
)

_NAMES = ("openssh_core", "openssh_core.testing.plugin")


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Be there once: the installed package brings this plugin, and `-p` or a conftest may name it again."""
    if plugin is sys.modules[__name__]:
        for name in _NAMES:
            if name != manager.get_name(plugin):
                manager.set_blocked(name)


def _skip_unless_possible(kind: type[Server]) -> None:
    if reason := kind.unavailable():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def loopback_server() -> Iterator[LoopbackServer]:
    """A `LoopbackServer` as it comes, for all tests of the session."""
    _skip_unless_possible(LoopbackServer)
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="session")
def inetd_server() -> Iterator[InetdServer]:
    """An `InetdServer` as it comes, for all tests of the session."""
    _skip_unless_possible(InetdServer)
    with InetdServer() as server:
        yield server


@pytest.fixture(scope="session")
def ordinary_user_server() -> Iterator[AccountServer]:
    """A server where an ordinary user logs in with a key, while the tests run as root."""
    _skip_unless_possible(AccountServer)
    with AccountServer(Account("ordinary")) as server:
        yield server


@pytest.fixture(scope="session")
def password_server() -> Iterator[AccountServer]:
    """A server where an ordinary user logs in with a password, `password_server.password`."""
    _skip_unless_possible(AccountServer)
    with AccountServer(Account("typist", secrets.token_urlsafe(12))) as server:
        yield server


@pytest.fixture
def make_server() -> Iterator[Callable[..., LoopbackServer]]:
    """Make servers with the arguments of `LoopbackServer`; they end with the test."""
    _skip_unless_possible(LoopbackServer)
    with ExitStack() as ends:
        yield lambda *args, **named: ends.enter_context(LoopbackServer(*args, **named))


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """Make relays: `relay(server, delay=0.02)`, with the arguments of `Relay`; they end with the test."""

    with ExitStack() as ends:

        def make(server: LoopbackServer, **named: Any) -> Relay:
            return ends.enter_context(Relay(server.host, server.port, **named))

        yield make


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Fail the test if descriptors, threads or processes are left by it, or by a fixture named after this one."""
    before = snapshot()
    yield
    assert_nothing_left(before)
