"""A server in wrong hands: nothing is written outside the target, and the error says what it did."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import TransferError
from openssh_core.copy import Report
from openssh_core.copy._gauge import Limits
from openssh_core.copy.options import TransferOptions
from openssh_core.copy.trees import Transfer
from openssh_core.sftp import SFTPClient

from . import hostile
from .hostile import DIRECTORY, FILE, LINK, Hostile


def transfer(
    server: Hostile, *, check: bool = False, progress: Any = None, **options: Any
) -> tuple[Transfer, SFTPClient]:
    client = SFTPClient.over(server.ours, host="hostile")
    wanted = TransferOptions(**options)
    made = Transfer(
        client, wanted, digests=lambda *_: None, progress=progress, cancel=None, limits=Limits(None, 60.0), check=check
    )
    return made, client


def fetched(server: Hostile, target: Path, **options: Any) -> Report:
    made, client = transfer(server, recursive=True, **options)
    try:
        return made.get("/top", target)
    finally:
        client.close()
        server.join()


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.parametrize("name", [b"../evil", b"/evil", b"a/b", b"", b"a\0b", b"sub/../../evil"])
@pytest.mark.parametrize("mode", [FILE, DIRECTORY, LINK])
def test_names_that_lead_elsewhere(tmp_path: Path, name: bytes, mode: int) -> None:
    server = Hostile({b"/top": [(name, mode, 7), (b"good", FILE, 7)]})
    report = fetched(server, tmp_path / "to")
    assert everything(tmp_path) == {"to", "to/good"}
    assert [type(item.error) for item in report.failed] == [openssh_core.UnsafeName]
    assert "contains something named" in str(report.failed[0].error)


def test_dots_are_no_entries(tmp_path: Path) -> None:
    server = Hostile({b"/top": [(b".", DIRECTORY, 0), (b"..", DIRECTORY, 0), (b"good", FILE, 7)]})
    report = fetched(server, tmp_path / "to")
    assert (everything(tmp_path), report.failed) == ({"to", "to/good"}, [])


def test_a_link_and_then_a_directory_of_the_same_name(tmp_path: Path) -> None:
    """The link is made, were it allowed, and what is to go into the directory would go where it leads."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "planted").symlink_to(outside)
    directories = {
        b"/top": [(b"planted", DIRECTORY, 0), (b"inner", LINK, 0), (b"inner", DIRECTORY, 0)],
        b"/top/planted": [(b"evil", FILE, 7)],
        b"/top/inner": [(b"evil", FILE, 7)],
    }
    server = Hostile(directories, links={b"/top/inner": b"planted"})
    report = fetched(server, tmp_path / "to")
    assert everything(outside) == set()
    assert any(isinstance(item.error, openssh_core.UnsafeName) for item in report.failed)


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("safe")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "file").symlink_to("../outside")
    for options in ({}, {"resume": True}):
        fetched(Hostile({b"/top": [(b"file", FILE, 7)]}), tmp_path / "to", **options)
        assert (tmp_path / "outside").read_text() == "safe"
        assert not (tmp_path / "to" / "file").is_symlink()
    (tmp_path / "to" / "file").unlink()
    (tmp_path / "to" / "file").symlink_to("../outside")
    report = fetched(Hostile({b"/top": [(b"file", FILE, 7)]}), tmp_path / "to", atomic=False)
    assert (tmp_path / "outside").read_text() == "safe" and len(report.failed) == 1


def test_a_directory_swapped_for_a_link_meanwhile(tmp_path: Path) -> None:
    """Somebody here works with the server: what is open already stays what it was."""
    (tmp_path / "outside").mkdir()
    directories = {b"/top": [(b"sub", DIRECTORY, 0)], b"/top/sub": [(b"%d" % n, FILE, 7) for n in range(300)]}
    swapped = False

    def swap(*_step: object) -> None:
        nonlocal swapped
        if not swapped:
            swapped = True
            os.rename(tmp_path / "to" / "sub", tmp_path / "to" / "was")
            os.symlink("../outside", tmp_path / "to" / "sub")

    report = fetched(Hostile(directories), tmp_path / "to", progress=swap)
    assert os.listdir(tmp_path / "outside") == []
    assert len(os.listdir(tmp_path / "to" / "was")) == 300 and report.failed == []


def test_an_endless_directory_takes_no_endless_memory(tmp_path: Path) -> None:
    """Names are asked for as their files are fetched, not before."""

    def endless() -> Iterator[tuple[bytes, int, int]]:
        return ((b"%d" % number, FILE, 7) for number in itertools.count())

    server = Hostile({b"/top": endless})
    ahead = 0

    def stop(_done: int, _total: int | None, _file: str | None) -> None:
        nonlocal ahead
        names, opened = 100 * server.counts[hostile.READDIR], server.counts[hostile.OPEN]
        ahead = max(ahead, names - opened)
        if opened > 300:
            raise InterruptedError

    made, client = transfer(server, recursive=True, progress=stop, at_once=4)
    with pytest.raises(InterruptedError):
        made.get("/top", tmp_path / "to")
    client.close()
    server.join()
    assert ahead < 2800


def test_an_endless_depth(tmp_path: Path) -> None:
    class Endless(dict[bytes, Any]):
        def get(self, path: Any, default: Any = None) -> Any:
            return [(b"d", DIRECTORY, 0)]

        def __contains__(self, path: object) -> bool:
            return True

    report = fetched(Hostile(Endless()), tmp_path / "to")
    assert [type(item.error) for item in report.failed] == [openssh_core.UnsafeName]
    assert "directories deep" in str(report.failed[0].error)


@pytest.mark.parametrize("size", [0, 3, 2**40])
def test_a_size_that_is_a_lie(tmp_path: Path, size: int) -> None:
    fetched(Hostile({b"/top": [(b"file", FILE, size)]}), tmp_path / "to")
    assert (tmp_path / "to" / "file").read_bytes() == b"content"
    assert (tmp_path / "to" / "file").stat().st_blocks < 100


def test_bits_that_give_power_away(tmp_path: Path) -> None:
    server = Hostile({b"/top": [(b"file", 0o106777, 7), (b"sub", 0o043777, 0)], b"/top/sub": []})
    fetched(server, tmp_path / "to")
    for name in ("file", "sub"):
        assert not (tmp_path / "to" / name).stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX)


def test_one_name_twice(tmp_path: Path) -> None:
    server = Hostile({b"/top": [(b"a", FILE, 7), (b"a", FILE, 7), (b"a", DIRECTORY, 0)], b"/top/a": [(b"b", FILE, 7)]})
    report = fetched(server, tmp_path / "to")
    assert report.failed
    assert ".part" not in str(everything(tmp_path))


@pytest.mark.parametrize("kind", [hostile.OPEN, hostile.READ, hostile.OPENDIR, hostile.READDIR])
def test_what_the_server_refuses_is_said(tmp_path: Path, kind: int) -> None:
    server = Hostile({b"/top": [(b"file", FILE, 7)]}, refuse=frozenset([kind]))
    made, client = transfer(server, check=True, recursive=True)
    with pytest.raises(TransferError, match="so it is") as caught:
        made.get("/top", tmp_path / "to")
    client.close()
    server.join()
    assert everything(tmp_path / "to") == set()
    assert len(caught.value.report.failed) == 1 and isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("kind", [hostile.OPEN, hostile.READ, hostile.READDIR, hostile.CLOSE])
def test_a_server_that_goes_away(tmp_path: Path, kind: int) -> None:
    server = Hostile({b"/top": [(b"%d" % n, FILE, 7) for n in range(20)]}, hang_up=frozenset([kind]))
    made, client = transfer(server, recursive=True)
    with pytest.raises(openssh_core.ConnectionLost):
        made.get("/top", tmp_path / "to")
    client.close()
    server.join()
    assert ".part" not in str(everything(tmp_path))


def test_a_write_that_fails_in_the_middle_is_not_put_in_its_place(tmp_path: Path) -> None:
    server = Hostile({}, refuse=frozenset([hostile.WRITE]))
    (tmp_path / "a").write_bytes(bytes(1_000_000))
    made, client = transfer(server, check=True)
    with pytest.raises(OSError, match="so it is"):
        made.put(tmp_path / "a", "/b")
    client.close()
    server.join()
    kinds = [kind for kind, _subject in server.asked]
    assert hostile.RENAME not in kinds
    removed = [subject for kind, subject in server.asked if kind == hostile.REMOVE]
    assert len(removed) == 1 and removed[0].endswith(b".part")
