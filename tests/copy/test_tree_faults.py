"""What breaks in the middle: what is there stays whole, nothing else is left, and a further attempt goes on."""

from __future__ import annotations

import io
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, TransferError
from openssh_core.copy import mounts
from openssh_core.testing import AccountServer, LoopbackServer

from .conftest import random_file, script

SIZE = 24_000_000


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file that takes several requests."""
    return random_file(tmp_path / "big", SIZE)


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file of this process can be larger than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield 1_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def open_descriptors() -> list[str]:
    """Those that stay open after they were listed."""
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")]


def test_no_room_here(shared: Connection, tmp_path: Path, big: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "to").write_text("old")
    request.getfixturevalue("small_files")
    with pytest.raises(OSError, match="large"):
        shared.get(big, tmp_path / "to")
    assert (tmp_path / "to").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["big", "to"]


def test_a_full_device(shared: Connection, big: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        shared.get(big, "/dev/full")


def test_no_room_there(make_server: Callable[..., LoopbackServer], tmp_path: Path, big: Path) -> None:
    """sftp-server may write files of 1,024 blocks at most."""
    real = next(path for path in mounts._SFTP_SERVERS.split() if os.access(path, os.X_OK))
    limited = script(tmp_path / "sftp", f"trap '' XFSZ; ulimit -f 1024; exec {real}")
    server = make_server({"Subsystem": f"sftp {limited}"})
    (tmp_path / "to").write_text("old")
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(OSError, match="to': Input/output error"):
            host.put(big, tmp_path / "to")
        host.get("/etc/hostname", io.BytesIO())
        assert (tmp_path / "to").read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["big", "sftp", "to"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_what_was_left_is_not_the_beginning(shared: Connection, tmp_path: Path, big: Path, way: str) -> None:
    """The size and the time of the original are the same, and yet it is another."""
    left = tmp_path / f".to.{1_000_000:x}-{SIZE:x}.part"
    left.write_bytes(b"something else")
    getattr(shared, way)(big, tmp_path / "to", resume=True)
    assert (tmp_path / "to").read_bytes() == big.read_bytes()
    assert not left.exists()


@pytest.mark.parametrize("way", ["get", "put"])
def test_an_original_that_has_changed(shared: Connection, tmp_path: Path, big: Path, way: str) -> None:
    stale = tmp_path / f".to.{999_999:x}-{SIZE:x}.part"
    stale.write_bytes(b"older")
    getattr(shared, way)(big, tmp_path / "to", resume=True)
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


@pytest.mark.parametrize("way", ["get", "put"])
def test_the_server_dies(make_server: Callable[..., LoopbackServer], tmp_path: Path, way: str) -> None:
    server = make_server()
    for number in range(50):
        (tmp_path / "from").mkdir(exist_ok=True)
        (tmp_path / "from" / str(number)).write_bytes(os.urandom(100_000))
    before = {path.name: path.read_bytes() for path in (tmp_path / "from").iterdir()}

    def kill(done: int, *_rest: object) -> None:
        if done > 1_000_000:
            server.kill_sessions()

    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(openssh_core.ConnectionLost):
            getattr(host, way)(tmp_path / "from", tmp_path / "to", recursive=True, progress=kill)
    assert not any(str(tmp_path) in os.readlink(f"/proc/self/fd/{fd}") for fd in open_descriptors())
    whole = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir() if not path.name.endswith(".part")}
    assert all(before[name] == data for name, data in whole.items())
    if way == "get":
        assert not any(name.endswith(".part") for name in os.listdir(tmp_path / "to"))
    with openssh_core.connect(**server.connect_options()) as host:
        getattr(host, way)(tmp_path / "from", tmp_path / "to", recursive=True, skip_same=True)
    server.stop()
    after = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir() if not path.name.endswith(".part")}
    assert after == before


def test_what_the_account_may_not(ordinary_user_server: AccountServer) -> None:
    """Part of a tree cannot be read there, or written: the rest is transferred, and the report says what was not."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        place.chmod(0o777)
        (place / "from" / "secret").mkdir(parents=True)
        (place / "from" / "a").write_text("a")
        (place / "from" / "b").write_text("b")
        (place / "from" / "b").chmod(0o600)
        (place / "from" / "secret").chmod(0o700)
        with openssh_core.connect(**ordinary_user_server.connect_options()) as host:
            with pytest.raises(TransferError) as caught:
                host.get(place / "from", place / "to", recursive=True)
            failed = {Path(item.source).name: type(item.error) for item in caught.value.report.failed}
            assert set(failed) == {"b", "secret"}
            assert all(issubclass(kind, PermissionError) for kind in failed.values())
            assert (place / "to" / "a").read_text() == "a"
            (place / "kept").mkdir()
            (place / "kept" / "a").write_text("old")
            with pytest.raises(TransferError):
                host.put(place / "from", place / "kept", recursive=True)
            assert (place / "kept" / "a").read_text() == "old"
    finally:
        shutil.rmtree(place)


def test_the_last_session_of_a_server_is_not_kept(make_server: Callable[..., LoopbackServer], tmp_path: Path) -> None:
    server = make_server({"MaxSessions": 1})
    (tmp_path / "a").write_text("a")
    with openssh_core.connect(**server.connect_options()) as host:
        host.get(tmp_path / "a", tmp_path / "b")
        assert host.run("echo hi").stdout == "hi\n"
        host.put(tmp_path / "b", tmp_path / "c")
    assert (tmp_path / "c").read_text() == "a"


def test_a_connection_of_its_own_after_the_session_has_ended(shared: Connection, tmp_path: Path) -> None:
    target: Any = io.BytesIO()
    shared.get("/etc/hostname", target)
    mover = shared._mover
    assert mover is not None
    with mover.client() as client:
        client.close()
    shared.get("/etc/hostname", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == target.getvalue()
