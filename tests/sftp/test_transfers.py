"""get and put of one file: what arrives, what stays when it does not, and how often it goes to and fro."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import SFTPProtocolError
from openssh_core._protocol.transfer import IN_FLIGHT
from openssh_core.sftp import FileStat, SFTPClient
from openssh_core.testing import fake_sftp as fake

PIECE = 255 * 1024
SIZES = [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 9_000_000]


def contents(size: int) -> bytes:
    return (os.urandom(1024) * (size // 1024 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(sftp: SFTPClient, here: Path, there: Path, size: int) -> None:
    data = contents(size)
    (here / "a").write_bytes(data)
    assert sftp.put(here / "a", there / "b") == size
    assert (there / "b").read_bytes() == data
    assert sftp.get(there / "b", here / "c") == size
    assert (here / "c").read_bytes() == data
    assert sorted(os.listdir(here)) == ["a", "c"] and os.listdir(there) == ["b"]


@pytest.mark.parametrize("size", [0, 1000, 3 * PIECE])
def test_file_objects(sftp: SFTPClient, there: Path, size: int) -> None:
    data = contents(size)
    assert sftp.put(io.BytesIO(data), there / "f") == size
    assert (there / "f").read_bytes() == data
    out = io.BytesIO()
    assert sftp.get(there / "f", out) == size
    assert out.getvalue() == data


def test_from_where_a_file_stands(sftp: SFTPClient, there: Path) -> None:
    source = io.BytesIO(b"0123456789")
    source.seek(4)
    assert sftp.put(source, there / "f") == 6
    assert (there / "f").read_bytes() == b"456789"


@pytest.mark.parametrize("atomic", [True, False])
def test_what_was_there_is_replaced(sftp: SFTPClient, here: Path, there: Path, atomic: bool) -> None:
    (here / "short").write_bytes(b"short")
    for folder in (here, there):
        (folder / "f").write_bytes(b"much longer than that")
        (folder / "f").chmod(0o604)
    sftp.put(here / "short", there / "f", atomic=atomic)
    assert (there / "f").read_bytes() == b"short"
    assert stat.S_IMODE((there / "f").stat().st_mode) == 0o604, "it keeps its permissions"
    (there / "short").write_bytes(b"short")
    sftp.get(there / "short", here / "f", atomic=atomic)
    assert (here / "f").read_bytes() == b"short"
    assert stat.S_IMODE((here / "f").stat().st_mode) == 0o604
    assert sorted(os.listdir(here)) == ["f", "short"] and sorted(os.listdir(there)) == ["f", "short"]


def test_a_new_file_has_the_permissions_of_the_original(sftp: SFTPClient, here: Path, there: Path) -> None:
    for folder, move in ((here, sftp.put), (there, sftp.get)):
        other = there if folder is here else here
        for mode in (0o700, 0o444, 0o4755):
            (folder / "a").write_bytes(b"x")
            (folder / "a").chmod(mode)
            move(folder / "a", other / "b")
            got = stat.S_IMODE((other / "b").stat().st_mode)
            assert got & ~0o022 == mode & 0o777 & ~0o022, f"{mode:o} became {got:o}"
            (folder / "a").unlink()
            (other / "b").unlink()


def test_permissions_and_times_are_preserved(sftp: SFTPClient, here: Path, there: Path) -> None:
    (here / "a").write_bytes(b"x")
    (here / "a").chmod(0o666)
    os.utime(here / "a", (1_000_000, 2_000_000))
    sftp.put(here / "a", there / "b", preserve=True)
    sftp.get(there / "b", here / "c", preserve=True)
    for file in (there / "b", here / "c"):
        status = file.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o666, 2_000_000)


def test_a_link_is_followed_on_both_sides(sftp: SFTPClient, here: Path, there: Path) -> None:
    (here / "a").write_bytes(b"new")
    for folder in (here, there):
        (folder / "deep").mkdir()
        (folder / "deep" / "f").write_bytes(b"old")
        (folder / "l").symlink_to("deep/f")
    sftp.put(here / "a", there / "l")
    assert (there / "deep" / "f").read_bytes() == b"new" and (there / "l").is_symlink()
    sftp.get(there / "l", here / "l")
    assert (here / "deep" / "f").read_bytes() == b"new" and (here / "l").is_symlink()
    assert os.listdir(there / "deep") == ["f"] and os.listdir(here / "deep") == ["f"]


def test_devices_are_written_to_and_never_replaced(sftp: SFTPClient, here: Path, there: Path) -> None:
    (here / "a").write_bytes(b"x" * 1000)
    assert sftp.put(here / "a", "/dev/null") == 1000
    assert sftp.get(here / "a", "/dev/null") == 1000
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_file_that_says_it_is_empty(sftp: SFTPClient, here: Path) -> None:
    """Files of /proc have no size until they are read."""
    sftp.get("/proc/self/status", here / "f")
    assert (here / "f").read_bytes().startswith(b"Name:")


def test_directories_are_no_files(sftp: SFTPClient, here: Path, there: Path) -> None:
    (here / "a").write_bytes(b"x")
    for call in (
        lambda: sftp.get(there, here / "b"),
        lambda: sftp.get(there / "f", here),
        lambda: sftp.put(here, there / "f"),
        lambda: sftp.put(here / "a", there),
    ):
        with pytest.raises(IsADirectoryError):
            call()
    assert os.listdir(there) == [] and os.listdir(here) == ["a"]


def test_what_is_not_there(sftp: SFTPClient, here: Path, there: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sftp.get(there / "nothing", here / "f")
    with pytest.raises(FileNotFoundError):
        sftp.put(here / "nothing", there / "f")
    (here / "a").write_bytes(b"x")
    with pytest.raises(FileNotFoundError):
        sftp.put(here / "a", there / "no directory" / "f")
    with pytest.raises(FileNotFoundError):
        sftp.get(here / "a", here / "no directory" / "f")
    assert os.listdir(here) == ["a"] and os.listdir(there) == []


class Stop(Exception):
    pass


@pytest.mark.parametrize("way", ["get", "put"])
def test_progress_is_told_and_may_end_it(sftp: SFTPClient, here: Path, there: Path, way: str) -> None:
    data = contents(2_000_000)
    for folder in (here, there):
        (folder / "a").write_bytes(data)
        (folder / "b").write_bytes(b"as it was")
    move, source, target = (sftp.get, there / "a", here / "b") if way == "get" else (sftp.put, here / "a", there / "b")
    told: list[tuple[int, int | None]] = []

    def stop(done: int, total: int | None) -> None:
        told.append((done, total))
        if done > 1_000_000:
            raise Stop

    with pytest.raises(Stop):
        move(source, target, progress=stop)
    assert target.read_bytes() == b"as it was"
    sftp.stat(there)  # what was told before has been done now
    assert sorted(os.listdir(target.parent)) == ["a", "b"]
    told.clear()
    move(source, target, progress=lambda *now: told.append(now))
    assert told[-1] == (len(data), len(data)) and told == sorted(told)
    assert target.read_bytes() == data


def test_a_full_disk_here(sftp: SFTPClient, there: Path) -> None:
    (there / "f").write_bytes(contents(1_000_000))
    with pytest.raises(OSError, match="No space left"):
        sftp.get(there / "f", "/dev/full")
    assert sftp.stat(there / "f").st_size == 1_000_000, "the client goes on"


def test_a_full_disk_there(sftp: SFTPClient, here: Path) -> None:
    (here / "f").write_bytes(contents(1_000_000))
    with pytest.raises(OSError, match="/dev/full"):
        sftp.put(here / "f", "/dev/full")
    assert sftp.exists("/dev/full")


# ---- round trips


def test_a_small_file_comes_in_two_round_trips(against: Any, trains_of: Any, here: Path) -> None:
    client, _server = against({b"/f": b"x" * 1000})
    trains = trains_of(client, lambda: client.get("/f", here / "f"))
    assert trains == [[fake.STAT, fake.OPEN], [fake.READ, fake.READ, fake.CLOSE]]
    assert (here / "f").read_bytes() == b"x" * 1000


def test_a_small_file_goes_in_two_round_trips(against: Any, trains_of: Any, here: Path) -> None:
    client, server = against({})
    (here / "f").write_bytes(b"x" * 1000)
    trains = trains_of(client, lambda: client.put(here / "f", "/f", atomic=False))
    assert trains == [[fake.OPEN], [fake.WRITE, fake.CLOSE]]
    assert server.files == {b"/f": b"x" * 1000}


def test_a_file_that_takes_its_place_goes_in_three(against: Any, trains_of: Any, here: Path) -> None:
    client, server = against({b"/f": b"old"}, extensions={b"posix-rename@openssh.com": b"1"})
    (here / "f").write_bytes(b"x" * 1000)
    with pytest.raises(OSError, match="Operation not supported"):  # this one only says that it can
        client.put(here / "f", "/f")
    assert server.files == {b"/f": b"old"}
    client, server = against({})
    trains = trains_of(client, lambda: client.put(here / "f", "/f"))
    assert trains == [[fake.LSTAT, fake.OPEN], [fake.WRITE, fake.CLOSE], [fake.RENAME]]
    assert server.files == {b"/f": b"x" * 1000}


@pytest.mark.parametrize("atomic", [True, False])
def test_what_became_of_it_is_asked_on_the_same_way(against: Any, trains_of: Any, here: Path, atomic: bool) -> None:
    client, _server = against({b"/f": b"old"})
    (here / "f").write_bytes(b"x" * 1000)
    told: list[FileStat] = []
    trains = trains_of(client, lambda: client.put(here / "f", "/f", atomic=atomic, look=told.append))
    assert [status.st_size for status in told] == [1000]
    if not atomic:
        assert trains == [[fake.OPEN], [fake.WRITE, fake.CLOSE, fake.STAT]]


def test_one_that_replaces_is_looked_at_with_that(sftp: SFTPClient, trains_of: Any, here: Path, there: Path) -> None:
    (here / "f").write_bytes(b"x" * 1000)
    (there / "f").write_bytes(b"old")
    told: list[FileStat] = []
    trains = trains_of(sftp, lambda: sftp.put(here / "f", there / "f", look=told.append))
    assert [status.st_size for status in told] == [1000]
    assert trains[2:] == [[fake.EXTENDED, fake.STAT]]


@pytest.mark.parametrize("atomic", [True, False])
def test_one_that_cannot_be_looked_at(against: Any, here: Path, atomic: bool) -> None:
    client, _server = against({}, answers={fake.STAT: lambda _, asked: fake.status(asked.number, fake.NO_SUCH_FILE)})
    (here / "f").write_bytes(b"x")
    with pytest.raises(FileNotFoundError):
        client.put(here / "f", "/f", atomic=atomic, look=lambda _: None)


def test_a_small_file_is_read_in_two(against: Any, trains_of: Any) -> None:
    client, server = against({b"/f": b"x" * 1000})

    def read() -> bytes:
        with client.open("/f", "rb") as file:
            return bytes(file.read())

    # More is asked ahead when the end is told apart from the data; nobody waits for that.
    trains = trains_of(client, read)
    assert trains[:2] == [[fake.OPEN, fake.STAT], [fake.READ, fake.READ]]
    assert len(trains) <= 3 and {kind for train in trains[2:] for kind in train} <= {fake.READ}
    client.stat("/f")
    assert not server.handles


def test_a_link_that_leads_nowhere(sftp: SFTPClient, here: Path, there: Path) -> None:
    (here / "f").write_bytes(b"x")
    (there / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="circle"):
        sftp.put(here / "f", there / "circle")
    (there / "new").symlink_to("made")
    sftp.put(here / "f", there / "new")
    assert (there / "made").read_bytes() == b"x" and (there / "new").is_symlink()
    assert sorted(os.listdir(there)) == ["circle", "made", "new"]


# ---- servers that are wrong


def test_a_size_that_is_a_lie(against: Any, here: Path) -> None:
    """Nothing is believed but the end of the file when it is met."""
    for told in (0, 1, 999, 1001, 100_000, 2**63, 2**64 - 1):

        def lie(_: Any, question: fake.Question, size: int = told) -> bytes:
            return fake.packet(fake.ATTRS, fake.u32(question.number) + fake.attributes(fake.REGULAR, size))

        client, _server = against({b"/f": b"y" * 1000}, answers={fake.STAT: lie})
        assert client.get("/f", here / "f") == 1000
        assert (here / "f").read_bytes() == b"y" * 1000
        out = io.BytesIO()
        client.get("/f", out)
        assert out.getvalue() == b"y" * 1000


def test_short_answers_are_asked_for_again(against: Any, here: Path) -> None:
    def short(server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        handle, offset, size = question.string(), question.u64(), question.u32()
        data = bytes(server.files[server.handles[handle]][offset : offset + min(size, 1000)])
        return fake.packet(fake.DATA, fake.u32(question.number) + fake.string(data)) if data else None

    data = contents(100_000)
    client, _server = against({b"/f": data}, answers={fake.READ: short})
    client.get("/f", here / "f")
    assert (here / "f").read_bytes() == data


def test_answers_out_of_order(against: Any, here: Path) -> None:
    held: list[bytes] = []

    def later(server: fake.FakeSftp, question: fake.Question) -> bytes:
        handle, offset, size = question.string(), question.u64(), question.u32()
        data = bytes(server.files[server.handles[handle]][offset : offset + size])
        number = fake.u32(question.number)
        answer = fake.packet(fake.DATA, number + fake.string(data)) if data else fake.status(question.number, fake.END)
        held.append(answer)
        if len(held) < 4 and data:
            return b""
        together = b"".join(reversed(held))
        held.clear()
        return together

    data = contents(1_000_000)
    for target in (here / "f", io.BytesIO()):
        client, _server = against({b"/f": data}, answers={fake.READ: later})
        client.get("/f", target)
        assert (target.getvalue() if isinstance(target, io.BytesIO) else target.read_bytes()) == data


@pytest.mark.parametrize("size", [255 * 1024, 255 * 1024 + 1, 1_000_003])
def test_a_disk_that_takes_a_part_at_a_time(
    sftp: SFTPClient, here: Path, there: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (there / "f").write_bytes(data := contents(size))
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, piece, at: whole(fd, piece[:100_001], at))
    assert sftp.get(there / "f", here / "f") == size
    assert (here / "f").read_bytes() == data


class Endless(io.RawIOBase):
    """Gives odd pieces, and remembers how much it gave."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.given, self._left = 0, size

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None and size > 0
        piece = bytes(min(size, 200_003, self._left))
        self.given += len(piece)
        self._left -= len(piece)
        return piece


def test_no_more_is_read_than_may_be_on_the_way(against: Any) -> None:
    """So a file of any size takes as much memory as a small one."""
    size, written, most = 40_000_000, 0, 0
    source = Endless(size)

    def note(_server: fake.FakeSftp, question: fake.Question) -> bytes:
        nonlocal written, most
        question.string()
        question.u64()
        most = max(most, source.given - written)
        written += question.u32()
        return fake.status(question.number, fake.OK)

    client, _server = against({}, answers={fake.WRITE: note})
    assert client.put(source, "/f") == written == size
    # One more piece waits for its turn.
    assert 0 < most <= IN_FLIGHT + 255 * 1024


def test_a_write_that_fails_is_not_made_good_by_the_next(against: Any, here: Path) -> None:
    writes = 0

    def third_fails(_: fake.FakeSftp, question: fake.Question) -> bytes | None:
        nonlocal writes
        writes += 1
        return fake.status(question.number, fake.FAILURE, b"disk full") if writes == 3 else None

    (here / "f").write_bytes(contents(1_000_000))
    client, server = against({b"/f": b"as it was"}, answers={fake.WRITE: third_fails})
    with pytest.raises(OSError, match="disk full"):
        client.put(here / "f", "/f")
    assert writes > 3
    client.stat("/f")
    assert server.files == {b"/f": b"as it was"}, "nothing was renamed into place, and nothing is left"
    assert not server.handles


@pytest.mark.parametrize("kind", [fake.FSETSTAT, fake.CLOSE, fake.RENAME])
def test_every_step_of_a_put_counts(against: Any, here: Path, kind: int) -> None:
    def fails(_: fake.FakeSftp, question: fake.Question) -> bytes:
        return fake.status(question.number, fake.FAILURE, b"no")

    (here / "f").write_bytes(b"new")
    client, server = against({b"/f": b"as it was"}, answers={kind: fails})
    with pytest.raises(OSError, match="no"):
        client.put(here / "f", "/f", preserve=True)
    client.stat("/f")
    assert server.files == {b"/f": b"as it was"}


def test_a_file_is_replaced_where_the_server_cannot_in_one_step(against: Any, here: Path) -> None:
    (here / "f").write_bytes(b"new")
    client, server = against({b"/f": b"as it was"})
    client.put(here / "f", "/f")
    client.stat("/f")
    assert server.files == {b"/f": b"new"}


def test_what_stepped_aside_comes_back(against: Any, here: Path) -> None:
    renames = 0

    def third_fails(_: fake.FakeSftp, question: fake.Question) -> bytes | None:
        nonlocal renames
        renames += 1
        return fake.status(question.number, fake.FAILURE, b"no") if renames == 3 else None

    (here / "f").write_bytes(b"new")
    client, server = against({b"/f": b"as it was"}, answers={fake.RENAME: third_fails})
    with pytest.raises(OSError, match="no"):
        client.put(here / "f", "/f")
    client.stat("/f")
    assert server.files == {b"/f": b"as it was"}


def test_a_read_that_fails_in_the_middle(against: Any, here: Path) -> None:
    def fails(_: fake.FakeSftp, question: fake.Question) -> bytes | None:
        question.string()
        return fake.status(question.number, fake.FAILURE, b"bad sector") if question.u64() > 100_000 else None

    (here / "f").write_bytes(b"as it was")
    client, server = against({b"/f": contents(1_000_000)}, answers={fake.READ: fails})
    with pytest.raises(OSError, match="bad sector"):
        client.get("/f", here / "f")
    assert (here / "f").read_bytes() == b"as it was" and os.listdir(here) == ["f"]
    client.stat("/f")
    assert not server.handles


def test_a_server_that_dies_in_the_middle(against: Any, here: Path) -> None:
    def dies(server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        question.string()
        if question.u64() > 200_000:
            server.die()
        return None

    (here / "f").write_bytes(b"as it was")
    client, _server = against({b"/f": contents(1_000_000)}, answers={fake.READ: dies})
    with pytest.raises(openssh_core.ConnectionLost):
        client.get("/f", here / "f")
    assert (here / "f").read_bytes() == b"as it was" and os.listdir(here) == ["f"]
    with pytest.raises(openssh_core.ConnectionLost):
        client.stat("/f")


def test_no_data_and_no_end_for_ever(against: Any, here: Path) -> None:
    def nothing(_: fake.FakeSftp, question: fake.Question) -> bytes:
        return fake.packet(fake.DATA, fake.u32(question.number) + fake.string(b""))

    client, _server = against({b"/f": b"x"}, answers={fake.READ: nothing})
    with pytest.raises(SFTPProtocolError):
        client.get("/f", here / "f")
    assert client.closed and os.listdir(here) == []
