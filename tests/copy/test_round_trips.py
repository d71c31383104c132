"""How often a file that is sent goes to and fro, and what is left of that which was asked for in vain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core import Connection, SpecialFile, TransferError
from openssh_core.copy import Report
from openssh_core.copy._gauge import Limits
from openssh_core.copy.options import TransferOptions
from openssh_core.copy.trees import Transfer
from openssh_core.sftp import SFTPClient
from openssh_core.testing.fake_sftp import (
    CLOSE,
    EXTENDED,
    FSETSTAT,
    LSTAT,
    MKDIR,
    OPEN,
    OPENDIR,
    READ,
    READDIR,
    REALPATH,
    REMOVE,
    STAT,
    WRITE,
)

Trains = list[list[int]]


class Case:
    """One file here and one place there, the same machine.

    Attributes:
        report: of the last transfer.
    """

    def __init__(self, root: Path, client: SFTPClient, trains_of: Callable[..., Trains]) -> None:
        self.here = root / "here"
        self.there = root / "there"
        self.there.mkdir()
        self.here.write_bytes(b"new")
        self.report = Report()
        self._client = client
        self._trains_of = trains_of

    def put(self, target: Path | str | None = None, source: Any = None, **options: Any) -> Trains:
        """Send it; the trains."""
        transfer = self._transfer(options)

        def work() -> None:
            self.report = transfer.put(source or self.here, target or self.there / "f")

        return self._trains_of(self._client, work)

    def get(self, source: Path) -> Trains:
        """Fetch a tree to `f`."""
        transfer = self._transfer({"recursive": True})

        def work() -> None:
            self.report = transfer.get(source, self.there / "f")

        return self._trains_of(self._client, work)

    def _transfer(self, options: dict[str, Any]) -> Transfer:
        return Transfer(
            self._client,
            TransferOptions(**options),
            digests=lambda *_: None,
            progress=None,
            cancel=None,
            limits=Limits(None, 60.0),
            check=True,
        )

    def content(self, inside: str = ".") -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.there / inside).iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def client(shared: Connection) -> Iterator[SFTPClient]:
    with shared.sftp() as client:
        yield client


@pytest.fixture
def case(tmp_path: Path, client: SFTPClient, trains_of: Callable[..., Trains]) -> Case:
    return Case(tmp_path, client, trains_of)


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_file_that_takes_its_place_needs_three(case: Case, old: bytes | None) -> None:
    if old is not None:
        (case.there / "f").write_bytes(old)
    # What is there gives the new file its mode, with the data.
    mode = [] if old is None else [FSETSTAT]
    assert case.put() == [[LSTAT, OPEN], [WRITE, *mode, CLOSE], [EXTENDED]]
    assert case.content() == {"f": b"new"}


@pytest.mark.parametrize("old", [None, b"older and longer"])
def test_in_place_two_are_enough(case: Case, old: bytes | None) -> None:
    if old is not None:
        (case.there / "f").write_bytes(old)
    assert case.put(atomic=False) == [[LSTAT, STAT, OPEN], [WRITE, CLOSE]]
    assert case.put(atomic=False, preserve=True) == [[LSTAT, STAT, OPEN], [WRITE, FSETSTAT, CLOSE]]
    assert case.content() == {"f": b"new"}


def test_behind_what_is_there_two_are_enough(case: Case) -> None:
    (case.there / "f").write_bytes(b"old ")
    assert case.put(append=True) == [[LSTAT, STAT, OPEN], [WRITE, CLOSE]]
    assert case.content() == {"f": b"old new"}


def test_a_file_object_needs_as_many(case: Case) -> None:
    with open(case.here, "rb") as file:
        assert case.put(source=file) == [[LSTAT, OPEN], [WRITE, CLOSE], [EXTENDED]]
    assert case.content() == {"f": b"new"}


def test_into_a_directory_one_more(case: Case) -> None:
    trains = case.put(case.there)
    assert trains == [[LSTAT, OPEN], [CLOSE, REMOVE, LSTAT, OPEN], [WRITE, CLOSE], [EXTENDED]]
    assert case.content() == {"here": b"new"}
    # Nothing is left of what was begun beside the directory.
    assert sorted(os.listdir(case.there.parent)) == ["here", "there"]
    assert case.report.done[0].target == str(case.there / "here")


def test_a_directory_that_can_only_be_one(case: Case) -> None:
    # There is no name beside this.
    assert case.put(f"{case.there}/.") == [[LSTAT], [LSTAT, OPEN], [WRITE, CLOSE], [EXTENDED]]
    assert case.content() == {"here": b"new"}


@pytest.mark.parametrize("atomic", [True, False])
def test_a_link_is_followed(case: Case, atomic: bool) -> None:
    (case.there / "real").write_bytes(b"much older")
    (case.there / "f").symlink_to("real")
    beside, known = ([REMOVE], []) if atomic else ([], [STAT])
    last = [[WRITE, FSETSTAT, CLOSE], [EXTENDED]] if atomic else [[WRITE, CLOSE]]
    trains = case.put(atomic=atomic)
    assert trains == [[LSTAT, *known, OPEN], [CLOSE, *beside, REALPATH], [LSTAT, *known, OPEN], *last]
    assert (case.there / "f").is_symlink() and case.content() == {"real": b"new", "f": b"new"}
    assert case.report.done[0].target == str(case.there / "real")


def test_a_device_is_written_to(case: Case) -> None:
    assert case.put(Path("/dev/null")) == [[LSTAT, OPEN], [CLOSE, REMOVE, OPEN], [WRITE, CLOSE]]
    assert not [name for name in os.listdir("/dev") if name.endswith(".part")]


@pytest.mark.parametrize("options", [{"overwrite": False}, {"newer_only": True}, {"skip_same": True, "preserve": True}])
def test_what_may_be_left_out_is_only_looked_at(case: Case, options: dict[str, Any]) -> None:
    assert case.put(**options)[:2] == [[LSTAT], [OPEN]]
    os.utime(case.there / "f", ns=(case.here.stat().st_atime_ns, case.here.stat().st_mtime_ns))
    assert case.put(**options) == [[LSTAT]]
    assert [item.target for item in case.report.skipped] == [str(case.there / "f")]


def test_a_directory_where_a_file_is_meant(case: Case) -> None:
    (case.there / "f").mkdir()
    (case.here.parent / "tree").mkdir()
    (case.here.parent / "tree" / "f").write_bytes(b"new")
    with pytest.raises(TransferError, match="Is a directory"):
        case.put(case.there, case.here.parent / "tree", recursive=True)
    assert os.listdir(case.there) == ["f"]


def test_a_file_that_cannot_be_read_asks_nothing(case: Case) -> None:
    case.here.unlink()
    with pytest.raises(FileNotFoundError):
        assert not case.put()


def test_every_file_is_opened_once(case: Case) -> None:
    tree = case.here.parent / "tree"
    tree.mkdir()
    for number in range(400):
        (tree / f"{number}").write_bytes(b"%d" % number)
    trains = case.get(tree)
    assert trains[:2] == [[STAT, OPENDIR], [READDIR, READDIR]]
    assert len(case.content("f")) == 400
    kinds = Counter(kind for train in trains for kind in train)
    # Each has its data asked for, and the look behind its end, and nothing a second time.
    assert (kinds[OPEN], kinds[READ], kinds[STAT]) == (400, 800, 1)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_hundred_files_are_hardly_more_than_one(case: Case, fresh: bool) -> None:
    tree = case.here.parent / "tree"
    tree.mkdir()
    for number in range(100):
        (tree / f"{number}").write_bytes(b"%d" % number)
    if not fresh:
        (case.there / "f").mkdir()
    trains = case.put(source=tree, recursive=True)
    assert case.content() == {} and len(os.listdir(case.there / "f")) == 100
    assert trains[0] == [MKDIR, STAT]
    # Answers come when they come: none waits for others, so there is no number of trains to name but that of one file.
    looked = [] if fresh else [LSTAT]
    assert trains[1] == [*looked, OPEN] * 100
    assert sorted(kind for train in trains[2:] for kind in train) == sorted([WRITE, CLOSE, EXTENDED] * 100)


@pytest.mark.parametrize("how", [{"atomic": False}, {"append": True}, {}])
@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_fifo_is_refused_though_opening_it_would_wait(case: Case, how: dict[str, bool], through_a_link: bool) -> None:
    os.mkfifo(case.there / "fifo")
    (case.there / "link").symlink_to("fifo")
    with pytest.raises(SpecialFile, match="is a FIFO"):
        case.put(case.there / ("link" if through_a_link else "fifo"), **how)
    assert sorted(os.listdir(case.there)) == ["fifo", "link"]
    case.put(**how)
    assert case.content() == {"f": b"new"}


def test_a_device_in_a_tree_is_not_even_opened(case: Case) -> None:
    tree = case.here.parent / "tree"
    tree.mkdir()
    (tree / "null").write_bytes(b"new")
    with pytest.raises(TransferError, match="is a character device"):
        assert not case.put(Path("/dev"), tree, recursive=True, atomic=False)
    assert os.path.exists("/dev/null")
