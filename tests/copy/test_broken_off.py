"""Whatever ends in the middle of a transfer: the target is whole or untouched, and with `resume` it goes on later."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, ConnectionLost, TransferError
from openssh_core.copy import mounts
from openssh_core.testing import AccountServer, LoopbackServer, Relay

from .conftest import random_file, script

SIZE = 22_000_000


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file that takes several requests."""
    return random_file(tmp_path / "big", SIZE)


class Scene:
    """A server, a way to it, and what may happen to either.

    Attributes:
        options: for `connect`.
    """

    def __init__(self, server: LoopbackServer, through: Relay, pid: Path) -> None:
        self._server = server
        self._through = through
        self._pid = pid
        self.options = server.connect_options(port=through.port)

    def happen(self, what: str, host: Connection) -> None:
        """Let it happen. The connection is gone, or the session for files."""
        if what == "the network is cut":
            self._through.cut()
        elif what == "the network says goodbye":
            self._through.half_close()
        elif what == "the network spoils a byte":
            self._through.corrupt("client")
            self._through.corrupt("server")
        elif what == "the master is killed":
            os.kill(host.master_pid, signal.SIGKILL)
        elif what == "the server's processes are killed":
            self._server.kill_sessions()
        else:
            os.kill(int(self._pid.read_text()), signal.SIGKILL)


HAPPENINGS = [
    *itertools.product(["get", "put"], ["the network is cut", "the master is killed", "sftp-server is killed"]),
    ("get", "the network says goodbye"),
    ("put", "the network spoils a byte"),
    ("put", "the server's processes are killed"),
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, loopback_server: LoopbackServer) -> Iterator[Scene]:
    """See `Scene`. What happens ends connections, and nothing else."""
    real = next(path for path in mounts._SFTP_SERVERS.split() if os.access(path, os.X_OK))
    place = tmp_path_factory.mktemp("server")
    told = script(place / "sftp", f"echo $$ >{place}/pid; exec {real}")
    with LoopbackServer({"Subsystem": f"sftp {told}"}) as server, Relay(server.host, server.port) as through:
        yield Scene(server, through, place / "pid")


@pytest.mark.parametrize(("way", "what"), HAPPENINGS)
def test_a_file(scene: Scene, tmp_path: Path, big: Path, way: str, what: str) -> None:
    """Not even with `resume` does anything incomplete take the place of what was there."""
    target = tmp_path / "to"
    target.write_text("old")
    with openssh_core.connect(**scene.options, reconnect=True) as host:
        _break_off(scene, host, way, big, target, what)
        assert target.read_text() == "old"
        (left,) = (path.stat().st_size for path in tmp_path.iterdir() if path.name.endswith(".part"))
        assert 0 < left < SIZE
        steps: list[int] = []
        getattr(host, way)(big, target, resume=True, progress=lambda done, *_rest: steps.append(done))
        assert target.read_bytes() == big.read_bytes()
        # A server that nobody is connected to any more may still have written what it had been sent.
        assert 0 < steps[-1] <= SIZE - left
    assert sorted(os.listdir(tmp_path)) == ["big", "to"]


def _break_off(scene: Scene, host: Connection, way: str, source: Path, target: Path, what: str) -> None:
    happened = []

    def happen(done: int, *_rest: object) -> None:
        if done > SIZE - 3_000_000 and not happened:
            happened.append(what)
            scene.happen(what, host)

    with pytest.raises(ConnectionLost):
        getattr(host, way)(source, target, resume=True, progress=happen)
    if what == "sftp-server is killed":
        assert host.capture("echo fine") == "fine\n"


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_tree(scene: Scene, tmp_path: Path, way: str) -> None:
    """What was on its way goes on, and what was there is left alone."""
    (tmp_path / "from").mkdir()
    content = {str(number): os.urandom(1_000_000) for number in range(12)}
    for name, data in content.items():
        (tmp_path / "from" / name).write_bytes(data)
        os.utime(tmp_path / "from" / name, (1_000_000, 1_000_000))
    tree: dict[str, Any] = {"recursive": True, "resume": True, "preserve": True, "skip_same": True, "at_once": 3}

    def cut(done: int, *_rest: object) -> None:
        if done > 6_000_000:
            scene.happen("the network is cut", host)

    with openssh_core.connect(**scene.options, reconnect=True) as host:
        with pytest.raises(ConnectionLost):
            getattr(host, way)(tmp_path / "from", tmp_path / "to", progress=cut, **tree)
        there = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir() if path.suffix != ".part"}
        assert there.items() <= content.items()
        report = getattr(host, way)(tmp_path / "from", tmp_path / "to", **tree)
        assert {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()} == content
        # What the old server still had before it may have been done after we looked.
        assert len(report.skipped) >= len(there)


# ---- the program itself is killed

KILLED = """
    import os, signal, sys
    import openssh_core

    def die(done, *_rest):
        if done > 20_000_000:
            os.kill(os.getpid(), signal.SIGKILL)

    options, way, source, target = eval(sys.stdin.read())
    getattr(openssh_core.connect(**options), way)(source, target, progress=die)
"""


@pytest.mark.parametrize("way", ["get", "put"])
def test_the_program_is_killed(loopback_server: LoopbackServer, tmp_path: Path, big: Path, way: str) -> None:
    """What it left there has a name by which it can be found; what it left here has none, and is gone."""
    (tmp_path / "to").write_text("old")
    told = repr((loopback_server.connect_options(), way, str(big), str(tmp_path / "to")))
    program = [sys.executable, "-c", textwrap.dedent(KILLED)]
    assert subprocess.run(program, input=told, text=True, check=False).returncode == -signal.SIGKILL
    assert (tmp_path / "to").read_text() == "old"
    left = sorted(set(os.listdir(tmp_path)) - {"big", "to"})
    if way == "get" and nameless_files(tmp_path):
        assert left == []
    assert all(re.fullmatch(r"\.to\.[0-9a-f]{12}\.part", name) for name in left)


def nameless_files(directory: Path) -> bool:
    """Whether the file system has them."""
    try:
        os.close(os.open(directory, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        return False
    return True


# ---- the place is taken away


@pytest.mark.parametrize("way", ["get", "put"])
def test_the_directory_is_removed(shared: Connection, tmp_path: Path, big: Path, way: str) -> None:
    place = tmp_path / "place"
    place.mkdir()

    def remove(done: int, *_rest: object) -> None:
        if done > 10_000_000 and place.exists():
            shutil.rmtree(place)

    with pytest.raises(FileNotFoundError):
        getattr(shared, way)(big, place / "to", progress=remove)
    assert os.listdir(tmp_path) == ["big"]
    place.mkdir()
    getattr(shared, way)(big, place / "to", resume=True)
    assert (place / "to").read_bytes() == big.read_bytes()
    assert os.listdir(place) == ["to"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_directory_of_a_tree_is_removed(shared: Connection, tmp_path: Path, way: str) -> None:
    """The others arrive, and the report says which did not."""
    for directory in ("a", "b"):
        (tmp_path / "from" / directory).mkdir(parents=True)
        (tmp_path / "from" / directory / "file").write_bytes(os.urandom(3_000_000))
    gone: list[str] = []

    def remove(_done: int, _total: int | None, file: str | None) -> None:
        name = Path(str(file)).parent.name
        if not gone and (tmp_path / "to" / name).exists():
            gone.append(name)
            shutil.rmtree(tmp_path / "to" / name)

    with pytest.raises(TransferError) as caught:
        getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, progress=remove, at_once=2)
    assert [Path(item.source).parent.name for item in caught.value.report.failed] == gone
    assert all(isinstance(item.error, FileNotFoundError) for item in caught.value.report.failed)
    (other,) = {"a", "b"} - set(gone)
    assert os.listdir(tmp_path / "to") == [other]
    assert os.listdir(tmp_path / "to" / other) == ["file"]
    getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, resume=True)
    assert sorted(os.listdir(tmp_path / "to")) == ["a", "b"]


# ---- the account loses its rights


@pytest.fixture
def guests(ordinary_user_server: AccountServer) -> Iterator[tuple[Connection, Path]]:
    """A connection of an ordinary user, and a place where it may do anything."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o777)
    try:
        with openssh_core.connect(**ordinary_user_server.connect_options()) as host:
            yield host, place
    finally:
        shutil.rmtree(place)


def test_nothing_can_be_written_any_more(guests: tuple[Connection, Path], tmp_path: Path) -> None:
    """Between two files of a tree. What was complete is there, and what was not is removed when that is possible."""
    host, place = guests
    (tmp_path / "from").mkdir()
    content = {str(number): os.urandom(400_000) for number in range(8)}
    for name, data in content.items():
        (tmp_path / "from" / name).write_bytes(data)
    (place / "to").mkdir()
    (place / "to").chmod(0o777)
    withdrawn = []

    def withdraw(done: int, *_rest: object) -> None:
        if done > 1_500_000 and not withdrawn:
            withdrawn.append(done)
            (place / "to").chmod(0o555)

    with pytest.raises(TransferError) as caught:
        host.put(tmp_path / "from", place / "to", recursive=True, progress=withdraw, at_once=2)
    report = caught.value.report
    assert all(isinstance(item.error, PermissionError) for item in report.failed)
    assert {Path(item.source).name for item in report.done + report.failed} >= content.keys()
    there = {path.name: path.read_bytes() for path in (place / "to").iterdir() if path.suffix != ".part"}
    assert there == {Path(item.source).name: content[Path(item.source).name] for item in report.done if item.size}
    (place / "to").chmod(0o777)
    host.put(tmp_path / "from", place / "to", recursive=True, resume=True)
    assert {path.name: path.read_bytes() for path in (place / "to").iterdir()} == content


def test_nothing_can_be_read_any_more(guests: tuple[Connection, Path], tmp_path: Path) -> None:
    host, place = guests
    (place / "from").mkdir()
    content = {str(number): os.urandom(400_000) for number in range(8)}
    for name, data in content.items():
        (place / "from" / name).write_bytes(data)
    withdrawn = []

    def withdraw(done: int, *_rest: object) -> None:
        if done > 1_500_000 and not withdrawn:
            withdrawn.append(done)
            (place / "from").chmod(0)

    with pytest.raises(TransferError) as caught:
        host.get(place / "from", tmp_path / "to", recursive=True, progress=withdraw, at_once=2)
    report = caught.value.report
    assert all(isinstance(item.error, PermissionError) for item in report.failed)
    there = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()}
    assert there == {Path(item.source).name: content[Path(item.source).name] for item in report.done if item.size}
    (place / "from").chmod(0o755)
    host.get(place / "from", tmp_path / "to", recursive=True, overwrite=False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()} == content
