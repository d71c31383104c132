"""A disk without room for all of it: what is there stays whole, and when there is room again it goes on."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openssh_core import Connection, SFTPOSError
from openssh_core.testing import AccountServer

from .conftest import random_file

SIZE = 6_000_000
ROOM = 4_000_000


class Disk:
    """A file system with little room, somewhere below a directory.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._mount(f"size={ROOM}")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.path], check=True)

    def grow(self) -> None:
        """Let there be room enough."""
        self._mount(f"remount,size={10 * SIZE}")

    def end(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """See `Disk`."""
    if reason := AccountServer.unavailable():  # it mounts something, too
        pytest.skip(reason)
    made = Disk(tmp_path / "disk")
    yield made
    made.end()


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file for which there is no room."""
    return random_file(tmp_path / "big", SIZE)


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_file(shared: Connection, disk: Disk, big: Path, way: str) -> None:
    target = disk.path / "to"
    target.write_text("old")
    for options in ({}, {"sparse": True}, {"verify": True}):
        with pytest.raises(OSError, match="No space left") as caught:
            getattr(shared, way)(big, target, **options)
        assert (caught.value.errno, isinstance(caught.value, SFTPOSError)) == (errno.ENOSPC, way == "put")
        if way == "put":
            assert caught.value.filename == str(target)
        assert target.read_text() == "old"
        assert os.listdir(disk.path) == ["to"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_file_that_is_taken_up_again(shared: Connection, disk: Disk, big: Path, way: str) -> None:
    target = disk.path / "to"
    target.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        getattr(shared, way)(big, target, resume=True)
    assert target.read_text() == "old"
    (left,) = (path.stat().st_size for path in disk.path.iterdir() if path != target)
    assert 0 < left < SIZE
    disk.grow()
    steps: list[int] = []
    getattr(shared, way)(big, target, resume=True, progress=lambda done, *_rest: steps.append(done))
    assert target.read_bytes() == big.read_bytes()
    assert steps[-1] == SIZE - left
    assert os.listdir(disk.path) == ["to"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_tree(shared: Connection, disk: Disk, tmp_path: Path, way: str) -> None:
    """It ends when there is no more room: every further file would fail too."""
    (tmp_path / "from").mkdir()
    content = {str(number): os.urandom(300_000) for number in range(20)}
    for name, data in content.items():
        (tmp_path / "from" / name).write_bytes(data)
    target = disk.path / "to"
    with pytest.raises(OSError, match="No space left"):
        getattr(shared, way)(tmp_path / "from", target, recursive=True, at_once=4)
    there = {path.name: path.read_bytes() for path in target.iterdir()}
    assert 0 < len(there) < 20
    assert there.items() <= content.items()
    disk.grow()
    report = getattr(shared, way)(tmp_path / "from", target, recursive=True, overwrite=False)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == content
    assert len(report.skipped) == len(there)


def test_no_room_for_a_name(shared: Connection, disk: Disk, tmp_path: Path) -> None:
    """A full disk takes no new directory either, and the error says why."""
    (disk.path / "fill").write_bytes(b"")
    with pytest.raises(OSError, match="No space"), (disk.path / "fill").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with shared.sftp() as sftp:
        with pytest.raises(OSError, match="No space left") as caught:
            sftp.put(__file__, disk.path / "new")
        assert caught.value.errno == errno.ENOSPC
    assert os.listdir(disk.path) == ["fill"]
