"""One connection and one client for all tests, a directory for each, and servers that do what no real one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.sftp import SFTPClient
from openssh_core.testing import LoopbackServer
from openssh_core.testing.fake_sftp import FakeSftp


@pytest.fixture(scope="session")
def host(loopback_server: LoopbackServer) -> Iterator[Connection]:
    """A connection for all tests: they leave it as it is."""
    with openssh_core.connect(**loopback_server.connect_options()) as connection:
        yield connection


@pytest.fixture(scope="session")
def sftp(host: Connection) -> Iterator[SFTPClient]:
    """A client for all tests: they leave it as it is."""
    with host.sftp() as client:
        yield client


Against = Callable[..., tuple[SFTPClient, FakeSftp]]


@pytest.fixture
def against() -> Iterator[Against]:
    """Makes a client and the fake server it talks to, with the arguments of `FakeSftp`, and the client's timeout."""
    with ExitStack() as ends:

        def make(*args: Any, timeout: float | None = 60.0, **named: Any) -> tuple[SFTPClient, FakeSftp]:
            fake = ends.enter_context(FakeSftp(*args, **named))
            client = SFTPClient.over(fake.client, host="fake")
            ends.callback(client.close)
            # Not before: a busy machine may take longer for the beginning than a test wants to wait for nothing.
            client.timeout = timeout
            return client, fake

        yield make


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory of the test's own, for what is local."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A directory of the test's own, for what is remote: the same machine, seen without SFTP."""
    (tmp_path / "there").mkdir()
    return tmp_path / "there"
