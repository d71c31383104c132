"""Open files: what the built-in `open` would do, on a real server; and what comes of it when the server fails."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from openssh_core import InvalidInput, SFTPUnsupported
from openssh_core.sftp import SFTPClient
from openssh_core.testing import fake_sftp as fake

MODES = ["r", "w", "a", "x", "r+", "w+", "a+", "x+"]


def contents(size: int) -> bytes:
    return (os.urandom(1024) * (size // 1024 + 1))[:size]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_there", [True, False])
def test_every_mode_does_what_the_built_in_does(sftp: SFTPClient, tmp_path: Path, mode: str, is_there: bool) -> None:
    """The same steps on two files, here with the built-in `open` and there over SFTP."""

    def steps(opened: Any) -> list[object]:
        done: list[object] = []
        with opened as file:
            done += [file.readable(), file.writable(), file.seekable(), file.tell()]
            if file.writable():
                done += [file.write(b"abc"), file.tell(), file.flush()]
            if file.readable():
                done += [file.read(2), file.seek(1), file.read(), file.tell(), file.read()]
            if file.writable():
                done += [file.seek(0, os.SEEK_END), file.write(b"xyz"), file.tell(), file.seek(2), file.truncate()]
                done += [file.tell(), file.seek(0), file.write(b"9"), file.tell()]
        return [*done, file.closed]

    results = []
    for name, open_it in (("here", open), ("there", sftp.open)):
        path = tmp_path / name
        if is_there:
            path.write_bytes(b"0123456789")
        try:
            results.append((steps(open_it(path, mode + "b")), path.read_bytes()))
        except OSError as error:
            results.append((type(error).__mro__[-4:], path.exists()))  # type: ignore[arg-type]
    assert results[0] == results[1]


@pytest.mark.parametrize("mode", ["", "rw", "q", "rr", "bt", "rbt", "+", "U"])
def test_modes_that_make_no_sense(sftp: SFTPClient, mode: str) -> None:
    with pytest.raises(InvalidInput):
        sftp.open("/nothing", mode)


def test_words_for_text_with_bytes(sftp: SFTPClient) -> None:
    with pytest.raises(InvalidInput):
        sftp.open("/nothing", "rb", encoding="utf-8")
    with pytest.raises(InvalidInput):
        sftp.open("/nothing", "w", buffering=0)


def test_text(sftp: SFTPClient, there: Path) -> None:
    with sftp.open(there / "f", "w", encoding="latin-1", newline="\r\n") as file:
        file.write("é\nx\n")
    assert (there / "f").read_bytes() == b"\xe9\r\nx\r\n"
    with sftp.open(there / "f", encoding="latin-1") as file:
        assert list(file) == ["é\n", "x\n"]
    with sftp.open(there / "f", encoding="utf-8", errors="replace") as file:
        assert file.read() == "\ufffd\nx\n"


def test_without_a_buffer(sftp: SFTPClient, there: Path) -> None:
    with sftp.open(there / "f", "w+b", buffering=0) as file:
        assert isinstance(file, io.RawIOBase)
        assert file.write(b"0123456789") == 10
        file.seek(3)
        assert file.read(4) == b"3456"
        assert file.readall() == b"789"
        assert file.readinto(bytearray()) == 0
        with pytest.raises(OSError, match="Invalid argument"):
            file.seek(-1)
        with pytest.raises(InvalidInput):
            file.seek(0, 9)
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    file.close()


@pytest.mark.parametrize("piece", [1, 255 * 1024 - 1, 255 * 1024, 255 * 1024 + 1, 600_000])
def test_pieces_around_the_length_of_a_request(sftp: SFTPClient, there: Path, piece: int) -> None:
    content = os.urandom(min(4 * piece + 3, 1_500_000))
    with sftp.open(there / "f", "w+b", buffering=0) as file:
        buffer = bytearray(piece)
        for start in range(0, len(content), piece):
            part = content[start : start + piece]
            buffer[: len(part)] = part
            assert file.write(memoryview(buffer)[: len(part)] if start % 2 else part) == len(part)
            # Not written yet, perhaps; but it was taken as it was.
            buffer[:] = bytes(piece)
        file.seek(0)
        got = bytearray()
        while part := file.read(piece):
            assert len(part) <= piece
            got += part
        assert got == content and file.tell() == len(content)
        file.seek(0)
        assert file.read() == content and file.read(1) == b"" == file.read(0)
    assert (there / "f").read_bytes() == content


def test_what_is_not_allowed(sftp: SFTPClient, there: Path) -> None:
    (there / "f").write_bytes(b"x")
    with sftp.open(there / "f", "rb", buffering=0) as file, pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    with sftp.open(there / "f", "wb", buffering=0) as file, pytest.raises(io.UnsupportedOperation):
        file.readinto(bytearray(1))
    with pytest.raises(IsADirectoryError):
        sftp.open(there)
    with pytest.raises(IsADirectoryError):
        sftp.open(there, "w")
    with pytest.raises(FileExistsError):
        sftp.open(there / "f", "x")
    with pytest.raises(FileNotFoundError):
        sftp.open(there / "nothing")


def test_permissions_of_a_new_file(sftp: SFTPClient, there: Path) -> None:
    sftp.open(there / "f", "w", permissions=0o600).close()
    assert (there / "f").stat().st_mode & 0o777 == 0o600


def test_the_standard_library_works_on_them(sftp: SFTPClient, there: Path) -> None:
    with sftp.open(there / "t.csv", "w", newline="") as file:
        csv.writer(file).writerows([["a", "b c"], ["1", "2"]])
    with sftp.open(there / "t.csv", newline="") as file:
        assert list(csv.reader(file)) == [["a", "b c"], ["1", "2"]]
    with sftp.open(there / "t.json", "w") as file:
        json.dump({"a": [1, 2]}, file)
    with sftp.open(there / "t.json") as file:
        assert json.load(file) == {"a": [1, 2]}
    data = contents(600_000)
    with sftp.open(there / "t.zip", "w+b") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x", data)
    with sftp.open(there / "t.zip", "rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("x") == data
    with sftp.open(there / "t.tar.gz", "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("y"), io.BytesIO())
    with sftp.open(there / "t.tar.gz", "rb") as file, tarfile.open(fileobj=file) as tar:
        assert tar.getnames() == ["y"]
    with sftp.open(there / "t.zip", "rb") as source, sftp.open(there / "copy", "wb") as target:
        shutil.copyfileobj(source, target)
    assert (there / "copy").read_bytes() == (there / "t.zip").read_bytes()


def test_reading_here_and_there(sftp: SFTPClient, there: Path) -> None:
    data = contents(2_000_000)
    (there / "f").write_bytes(data)
    with sftp.open(there / "f", "rb") as file:
        for at, size in ((0, 10), (1_999_990, 100), (500, 700_000), (500, 1), (1_000_000, -1), (3_000_000, 5)):
            file.seek(at)
            expected = data[at:] if size < 0 else data[at : at + size]
            assert file.read(size) == expected


def test_a_file_that_grows_while_it_is_read(sftp: SFTPClient, there: Path) -> None:
    (there / "f").write_bytes(b"one\n")
    with sftp.open(there / "f", "rb") as file, open(there / "f", "ab", buffering=0) as writer:
        assert file.read() == b"one\n"
        assert file.read() == b""
        writer.write(b"two\n")
        assert file.read() == b"two\n"


def test_whole_files(sftp: SFTPClient, there: Path) -> None:
    data = contents(1_000_000)
    assert sftp.write_bytes(there / "f", data) == len(data)
    assert sftp.read_bytes(there / "f") == data
    assert sftp.write_bytes(there / "f", b"short", atomic=True) == 5
    assert (there / "f").read_bytes() == b"short"
    assert sftp.write_text(there / "f", "é\n") == 2
    assert (there / "f").read_bytes() == b"\xc3\xa9\n"
    (there / "f").write_bytes(b"a\r\nb")
    assert sftp.read_text(there / "f") == "a\nb"


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
def test_copies_on_the_server(sftp: SFTPClient, there: Path, size: int) -> None:
    (there / "a").write_bytes(contents(size))
    os.utime(there / "a", (5, 6))
    (there / "b").write_bytes(b"as it was")
    assert sftp.copy(there / "a", there / "b", preserve=True) == size
    assert (there / "b").read_bytes() == (there / "a").read_bytes()
    assert (there / "b").stat().st_mtime == 6
    assert sorted(os.listdir(there)) == ["a", "b"]


def test_a_copy_of_a_file_to_itself_leaves_it_whole(sftp: SFTPClient, there: Path) -> None:
    (there / "a").write_bytes(b"content")
    sftp.copy(there / "a", there / "a")
    assert (there / "a").read_bytes() == b"content" and os.listdir(there) == ["a"]


def test_a_copy_without_the_extension(against: Any) -> None:
    data = contents(700_000)
    client, server = against({b"/a": data})
    assert client.copy("/a", "/b") == len(data)
    client.stat("/b")
    assert server.files == {b"/a": data, b"/b": data}


def test_fsync(sftp: SFTPClient, there: Path, against: Any) -> None:
    with sftp.open(there / "f", "wb", buffering=0) as file:
        file.write(b"x")
        file.fsync()
        assert (there / "f").read_bytes() == b"x"
    client, _server = against({})
    with client.open("/f", "wb", buffering=0) as file, pytest.raises(SFTPUnsupported):
        file.fsync()


# ---- writes that fail


def nth_write_fails(number: int) -> Any:
    count = 0

    def answer(_: fake.FakeSftp, question: fake.Question) -> bytes | None:
        nonlocal count
        count += 1
        return fake.status(question.number, fake.FAILURE, b"disk full") if count == number else None

    return answer


@pytest.mark.parametrize("step", ["write", "flush", "close"])
def test_a_failed_write_is_told_at_the_next_step(against: Any, step: str, until: Any) -> None:
    client, server = against({}, answers={fake.WRITE: nth_write_fails(1)})
    file = client.open("/f", "wb", buffering=0)
    file.write(b"lost")
    # The next one goes well, and covers nothing up; both have been answered before anybody looks.
    file.write(b"kept") if step == "flush" and server.count(fake.WRITE) == 0 else None
    client.stat("/f")
    with pytest.raises(OSError, match="disk full"):
        {"write": lambda: file.write(b"more"), "flush": file.flush, "close": file.close}[step]()
    if step != "close":
        file.write(b"and on")
    file.close()
    assert file.closed
    until(lambda: not server.handles)


def test_a_failed_write_is_told_though_a_later_one_went_well(against: Any) -> None:
    client, _server = against({}, answers={fake.WRITE: nth_write_fails(2)})
    with pytest.raises(OSError, match="disk full"), client.open("/f", "wb") as file:
        file.write(contents(2_000_000))


def test_a_close_that_fails(against: Any) -> None:
    client, _server = against(
        {}, answers={fake.CLOSE: lambda _, question: fake.status(question.number, fake.FAILURE, b"quota")}
    )
    file = client.open("/f", "wb")
    with pytest.raises(OSError, match="quota"):
        file.close()
    assert file.closed


def test_a_file_that_is_dropped_open_says_so_and_is_closed(against: Any, until: Any) -> None:
    client, server = against({b"/f": b"x"})
    with pytest.warns(ResourceWarning, match="never closed"):
        client.open("/f", "rb", buffering=0)
    client.stat("/f")
    assert not server.handles
