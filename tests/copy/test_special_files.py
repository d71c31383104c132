"""A FIFO, a socket or a device where a file was meant: it is said what it is, at once, and nobody waits for it."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, SpecialFile, TransferError
from openssh_core.copy import mounts
from openssh_core.sftp import SFTPClient

KINDS = {"fifo": "a FIFO", "socket": "a socket", "device": "a character device"}
Way = Callable[..., object]


@pytest.fixture
def special(tmp_path: Path) -> dict[str, Path]:
    """One of each kind, in a directory with a file."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "file").write_text("content")
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        # The name may be longer than an address can be.
        before = os.getcwd()
        os.chdir(place)
        sock.bind("socket")
        os.chdir(before)
    return {"fifo": place / "fifo", "socket": place / "socket", "device": Path("/dev/zero")}


@pytest.fixture
def sftp(shared: Connection) -> Iterator[SFTPClient]:
    """A client of the test's own."""
    with shared.sftp() as client:
        yield client


def refused(way: Way, source: Path, target: Path, kind: str, **options: Any) -> None:
    """See that it is, with an error that says everything."""
    with pytest.raises(SpecialFile) as caught:
        way(source, target, **options)
    error = caught.value
    assert isinstance(error, OSError)
    assert error.kind == KINDS[kind]
    assert error.filename in (str(source), str(target))
    assert error.filename in str(error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["get", "put"])
def test_as_a_source(
    shared: Connection, sftp: SFTPClient, special: dict[str, Path], tmp_path: Path, way: str, kind: str
) -> None:
    for host in (shared, sftp):
        refused(getattr(host, way), special[kind], tmp_path / "to", kind)
        # Nobody still waits for the other end of a FIFO.
        getattr(host, way)(special["fifo"].parent / "file", tmp_path / "other")
    for options in ({"resume": True}, {"overwrite": False}, {"atomic": False}):
        refused(getattr(shared, way), special[kind], tmp_path / "to", kind, **options)
    assert sorted(os.listdir(tmp_path)) == ["other", "place"]


@pytest.mark.parametrize("kind", ["fifo", "socket"])
@pytest.mark.parametrize("way", ["get", "put"])
def test_as_a_target(
    shared: Connection, sftp: SFTPClient, special: dict[str, Path], tmp_path: Path, way: str, kind: str
) -> None:
    (tmp_path / "from").write_text("content")
    before = set(os.listdir(special["fifo"].parent))
    for host in (shared, sftp):
        refused(getattr(host, way), tmp_path / "from", special[kind], kind)
    for options in ({"resume": True}, {"atomic": False}, {"append": True}):
        refused(getattr(shared, way), tmp_path / "from", special[kind], kind, **options)
    assert set(os.listdir(special["fifo"].parent)) == before


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_device_as_a_target(shared: Connection, tmp_path: Path, way: str) -> None:
    """It is written to, for that is what it is there for."""
    (tmp_path / "from").write_text("content")
    assert getattr(shared, way)(tmp_path / "from", "/dev/null").size == 7
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("way", ["get", "put"])
def test_in_a_tree(shared: Connection, special: dict[str, Path], tmp_path: Path, way: str) -> None:
    place = special["fifo"].parent
    report = getattr(shared, way)(place, tmp_path / "to", recursive=True)
    assert os.listdir(tmp_path / "to") == ["file"]
    assert {(Path(item.source).name, item.why) for item in report.skipped} == {
        ("fifo", "it is a FIFO"),
        ("socket", "it is a socket"),
    }


@pytest.mark.parametrize("way", ["get", "put"])
def test_in_the_way_of_a_tree(shared: Connection, special: dict[str, Path], tmp_path: Path, way: str) -> None:
    (tmp_path / "from").mkdir()
    for name in ("fifo", "socket", "device", "new"):
        (tmp_path / "from" / name).write_text("content")
    place = special["fifo"].parent
    os.symlink("/dev/null", place / "device")  # a link gives way, whatever it leads to
    with pytest.raises(TransferError) as caught:
        getattr(shared, way)(tmp_path / "from", place, recursive=True)
    failed = {Path(item.target).name: item.error for item in caught.value.report.failed}
    assert set(failed) == {"fifo", "socket"}
    assert all(isinstance(error, SpecialFile) for error in failed.values())
    assert (place / "fifo").is_fifo()
    assert (place / "new").read_text() == (place / "device").read_text() == "content"


def test_a_fifo_as_a_file_object(shared: Connection, special: dict[str, Path], tmp_path: Path) -> None:
    """Whoever has opened it means it."""
    ends = os.open(special["fifo"], os.O_RDWR)
    os.write(ends, b"content")
    with open(special["fifo"], "rb", buffering=0) as file:
        os.close(ends)
        shared.put(file, tmp_path / "to")
    assert (tmp_path / "to").read_text() == "content"


def test_a_client_with_no_other_way(special: dict[str, Path], shared: Connection) -> None:
    """Over a carrier of the caller's own nobody can open the other end: the error comes at once all the same."""
    ours, theirs = socket.socketpair()
    server = next(path for path in mounts._SFTP_SERVERS.split() if os.access(path, os.X_OK))
    with shared.popen(f"exec {server}", stdin=theirs, stdout=theirs, encoding=None):
        theirs.close()
        with SFTPClient.over(ours, host="own") as client:
            refused(client.get, special["fifo"], Path("/dev/null"), "fifo")
            fd = os.open(special["fifo"], os.O_WRONLY)
            os.close(fd)
            client.get(special["fifo"].parent / "file", io.BytesIO())


def test_a_socket_has_no_content(shared: Connection, special: dict[str, Path]) -> None:
    with pytest.raises(openssh_core.SpecialFile, match="is a socket, not a regular file"):
        shared.get(special["socket"], io.BytesIO())
