"""An error is told once: nothing that was only met and dealt with on the way hangs at its `__context__`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import openssh_core
from openssh_core import Connection, OpenRefused
from openssh_core.sftp import SFTPClient
from openssh_core.testing import LoopbackServer

Files = Callable[[SFTPClient, Path], object]
FILES: dict[str, Files] = {
    "stat": lambda sftp, _here: sftp.stat("/none"),
    "listdir": lambda sftp, _here: sftp.listdir("/none"),
    "open": lambda sftp, _here: sftp.open("/none"),
    "mkdir": lambda sftp, _here: sftp.mkdir("/none/below"),
    "makedirs": lambda sftp, _here: sftp.makedirs("/proc/none/below"),
    "rename": lambda sftp, _here: sftp.rename("/none", "/none-either"),
    "remove": lambda sftp, _here: sftp.remove("/none"),
    "rmtree": lambda sftp, _here: sftp.rmtree("/none"),
    "get": lambda sftp, here: sftp.get("/none", here / "got"),
    "put": lambda sftp, here: sftp.put(here / "big", "/none/below"),
}
Call = Callable[[Connection, Path], object]
CALLS: dict[str, tuple[type[Exception], Call]] = {
    "get": (FileNotFoundError, lambda host, here: host.get("/none", here / "got")),
    "put": (FileNotFoundError, lambda host, here: host.put(here / "big", "/none/below")),
    "put in place": (OSError, lambda host, here: host.put(here / "big", "/dev/full")),
    "a status": (openssh_core.CommandFailed, lambda host, _here: host.run("false", check=True)),
    "a limit": (openssh_core.CommandTimeout, lambda host, _here: host.run("sleep 999", timeout=0.01)),
    "a tunnel": (OpenRefused, lambda host, _here: host.open_tunnel("127.0.0.1", 1)),
}


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[Connection]:
    """A connection that no test ends."""
    with openssh_core.connect(**loopback_server.connect_options()) as connection:
        yield connection


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory with a file that does not go at once."""
    (tmp_path / "big").write_bytes(os.urandom(5_000_000))
    return tmp_path


@pytest.mark.parametrize("what", FILES)
def test_of_a_file(shared: Connection, here: Path, what: str) -> None:
    with shared.sftp() as sftp, pytest.raises(FileNotFoundError) as caught:
        FILES[what](sftp, here)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("what", CALLS)
def test_of_a_call(shared: Connection, here: Path, what: str) -> None:
    kind, call = CALLS[what]
    with pytest.raises(kind) as caught:
        call(shared, here)
    assert caught.value.__context__ is None
