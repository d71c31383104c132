"""The same test over the original library and over ours: fixtures that are the one, then the other."""

from __future__ import annotations

import importlib
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from openssh_core.testing import Account, AccountServer, LoopbackServer, Server

T = TypeVar("T")


@pytest.fixture(params=["original", "ours"])
def paramiko(request: pytest.FixtureRequest) -> Any:
    """paramiko, or the adapter."""
    return _load("paramiko", request.param)


@pytest.fixture(params=["original", "ours"])
def fabric(request: pytest.FixtureRequest) -> Any:
    """fabric, or the adapter."""
    return _load("fabric", request.param)


def _load(name: str, which: str) -> Any:
    if which == "ours":
        return importlib.import_module(f"openssh_compat.{name}")
    return pytest.importorskip(name, reason=f"{name} is not installed: nothing to compare with")


def login(server: Server, **changes: Any) -> dict[str, Any]:
    """Arguments for SSHClient.connect that log in with the server's key and nothing of this machine."""
    return {
        "hostname": server.host,
        "port": server.port,
        "username": server.user,
        "key_filename": str(server.key),
        "allow_agent": False,
        "look_for_keys": False,
        **changes,
    }


@pytest.fixture
def log_in(paramiko: Any) -> Iterator[Callable[..., Any]]:
    """Make connected clients: `log_in(server, **changes)`; they are closed with the test."""
    clients = []

    def make(server: Server, **changes: Any) -> Any:
        client = paramiko.SSHClient()
        clients.append(client)
        client.load_host_keys(str(server.known_hosts))
        client.connect(**login(server, **changes))
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(log_in: Callable[..., Any], loopback_server: LoopbackServer) -> Any:
    """A client that is logged in."""
    return log_in(loopback_server)


@pytest.fixture(scope="session")
def connected(loopback_server: LoopbackServer) -> Iterator[Callable[[Any], Any]]:
    """Clients that are logged in and serve many tests: `connected(paramiko)`. Look, open channels, close those."""
    clients: dict[str, Any] = {}

    def of(paramiko: Any) -> Any:
        client = clients.get(paramiko.__name__)
        if client is None or not client.get_transport().is_active():
            client = clients[paramiko.__name__] = paramiko.SSHClient()
            client.load_host_keys(str(loopback_server.known_hosts))
            client.connect(**login(loopback_server))
        return client

    yield of
    for client in clients.values():
        client.close()


@pytest.fixture
def shared(paramiko: Any, connected: Callable[[Any], Any]) -> Any:
    """A client that is logged in, and that other tests use, too. It is quicker than `client`."""
    return connected(paramiko)


@pytest.fixture
def channel(shared: Any) -> Iterator[Any]:
    """A session in which nothing runs yet."""
    with shared.get_transport().open_session() as channel:
        yield channel


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Any]]:
    """Call something in a thread: `result = in_thread(function, *args)`; `result()` waits for what it gave."""
    threads = []

    def start(function: Callable[..., T], *args: Any) -> Callable[[], T]:
        outcome: list[T] = []
        thread = threading.Thread(target=lambda: outcome.append(function(*args)), daemon=True)
        threads.append(thread)
        thread.start()

        def wait() -> T:
            thread.join(60)
            assert outcome, "it did not return"
            return outcome[0]

        return wait

    yield start
    for thread in threads:
        thread.join(60)


SUDO_PASSWORD = "correct' horse \\ $x"


@pytest.fixture(scope="session")
def accounts() -> Iterator[AccountServer]:
    """A server where an ordinary user, `asked`, becomes root by sudo, which wants the password each time."""
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    if not shutil.which("sudo"):
        pytest.skip("there is no sudo")
    with AccountServer(Account("asked", SUDO_PASSWORD)) as server:
        sudoers = server.directory / "etc" / "sudoers.d" / "test"
        sudoers.write_text("asked ALL=(ALL) ALL\nDefaults timestamp_timeout=0\n", encoding="ascii")
        sudoers.chmod(0o440)
        yield server
