"""Files on the server, call by call: errors, paths, modes, places; the same over paramiko and over ours."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer


@pytest.fixture
def sftp(shared: Any) -> Iterator[Any]:
    with shared.open_sftp() as sftp:
        yield sftp


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A directory with a file, a directory that is not empty, and a link."""
    folder = tmp_path.resolve() / "there"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "x").write_text("x")
    (folder / "f").write_text("hello\nworld\n")
    (folder / "f").chmod(0o640)
    (folder / "link").symlink_to("f")
    os.utime(folder / "f", (1_000_000_000, 1_000_000_000))
    return folder


NO_SUCH_FILE = FileNotFoundError, (2, "No such file")
FAILURE = OSError, ("Failure",)

ERRORS: dict[str, tuple[Callable[[Any, str], Any], tuple[type[OSError], tuple[Any, ...]]]] = {
    "stat": (lambda s, d: s.stat(d + "/n"), NO_SUCH_FILE),
    "lstat": (lambda s, d: s.lstat(d + "/n"), NO_SUCH_FILE),
    "open": (lambda s, d: s.open(d + "/n"), NO_SUCH_FILE),
    "open nothing": (lambda s, d: s.open(""), NO_SUCH_FILE),
    "open in nothing": (lambda s, d: s.open(d + "/n/x", "w"), NO_SUCH_FILE),
    "write a directory": (lambda s, d: s.open(d + "/sub", "w"), FAILURE),
    "open what is there": (lambda s, d: s.open(d + "/f", "x"), FAILURE),
    "listdir": (lambda s, d: s.listdir(d + "/n"), NO_SUCH_FILE),
    "listdir a file": (lambda s, d: s.listdir(d + "/f"), NO_SUCH_FILE),
    "listdir_iter": (lambda s, d: list(s.listdir_iter(d + "/n")), NO_SUCH_FILE),
    "mkdir what is there": (lambda s, d: s.mkdir(d + "/sub"), FAILURE),
    "mkdir in nothing": (lambda s, d: s.mkdir(d + "/n/x"), NO_SUCH_FILE),
    "rmdir what is not empty": (lambda s, d: s.rmdir(d + "/sub"), FAILURE),
    "rmdir": (lambda s, d: s.rmdir(d + "/n"), NO_SUCH_FILE),
    "rmdir a file": (lambda s, d: s.rmdir(d + "/f"), NO_SUCH_FILE),
    "remove": (lambda s, d: s.remove(d + "/n"), NO_SUCH_FILE),
    "unlink": (lambda s, d: s.unlink(d + "/n"), NO_SUCH_FILE),
    "remove a directory": (lambda s, d: s.remove(d + "/sub"), FAILURE),
    "rename": (lambda s, d: s.rename(d + "/n", d + "/m"), NO_SUCH_FILE),
    "rename onto something": (lambda s, d: s.rename(d + "/f", d + "/link"), FAILURE),
    "posix_rename": (lambda s, d: s.posix_rename(d + "/n", d + "/m"), NO_SUCH_FILE),
    "symlink onto something": (lambda s, d: s.symlink("x", d + "/f"), FAILURE),
    "readlink a file": (lambda s, d: s.readlink(d + "/f"), (OSError, ("Bad message",))),
    "readlink": (lambda s, d: s.readlink(d + "/n"), NO_SUCH_FILE),
    "chmod": (lambda s, d: s.chmod(d + "/n", 0o600), NO_SUCH_FILE),
    "chown": (lambda s, d: s.chown(d + "/n", 0, 0), NO_SUCH_FILE),
    "utime": (lambda s, d: s.utime(d + "/n", None), NO_SUCH_FILE),
    "truncate": (lambda s, d: s.truncate(d + "/n", 0), NO_SUCH_FILE),
    "get": (lambda s, d: s.get(d + "/n", d + "/local"), NO_SUCH_FILE),
    "get a directory": (lambda s, d: s.get(d + "/sub", d + "/local"), FAILURE),
    "put from nothing": (lambda s, d: s.put(d + "/n", d + "/z"), (FileNotFoundError, (2, "No such file or directory"))),
    "put into nothing": (lambda s, d: s.put(d + "/f", d + "/n/z"), NO_SUCH_FILE),
    "put onto a directory": (lambda s, d: s.put(d + "/f", d + "/sub"), FAILURE),
    "get to nowhere": (
        lambda s, d: s.get(d + "/f", d + "/n/local"),
        (FileNotFoundError, (2, "No such file or directory")),
    ),
    "chdir": (lambda s, d: s.chdir(d + "/n"), NO_SUCH_FILE),
    "normalize in nothing": (lambda s, d: s.normalize(d + "/n/x"), NO_SUCH_FILE),
}


@pytest.mark.behaviour("errors")
@pytest.mark.parametrize("what", ERRORS)
def test_errors_one_by_one(sftp: Any, there: Path, what: str) -> None:
    call, (kind, args) = ERRORS[what]
    with pytest.raises(OSError, match=args[-1]) as caught:
        call(sftp, str(there))
    assert type(caught.value) is kind and caught.value.args == args
    assert caught.value.errno == (args[0] if len(args) > 1 else None)


@pytest.mark.behaviour("errors")
def test_what_may_not_be_done(paramiko: Any, log_in: Callable[..., Any], ordinary_user_server: Any) -> None:
    with log_in(ordinary_user_server).open_sftp() as sftp:
        for call in (
            lambda: sftp.open("/etc/shadow"),
            lambda: sftp.mkdir("/mine"),
            lambda: sftp.listdir("/root"),
            lambda: sftp.chmod("/etc", 0o777),
        ):
            with pytest.raises(PermissionError) as caught:
                call()
            assert caught.value.args == (13, "Permission denied")


@pytest.mark.behaviour("no-path")
@pytest.mark.shows("SFTPClient.remove")
@pytest.mark.parametrize("path", [5, None, ["a"]])
def test_what_is_no_path(sftp: Any, path: Any) -> None:
    for call in (sftp.stat, sftp.listdir, sftp.remove, sftp.open):
        with pytest.raises(TypeError):
            call(path)


# ---- paths


@pytest.mark.behaviour("chdir")
def test_going_somewhere(paramiko: Any, sftp: Any, there: Path) -> None:
    sftp.chdir(str(there))
    assert sorted(sftp.listdir()) == ["f", "link", "sub"] and sftp.normalize(".") == str(there)
    sftp.chdir("sub")
    assert sftp.getcwd() == f"{there}/sub" and sftp.listdir(".") == ["x"]
    sftp.chdir("..")
    with pytest.raises(paramiko.SFTPError) as caught:
        sftp.chdir("f")
    assert caught.value.args == (20, "Not a directory: f")
    assert sftp.getcwd() == str(there), "a failure changes nothing"
    sftp.mkdir("new")
    sftp.rename("new", "newer")
    sftp.rmdir("newer")
    sftp.put(str(there / "f"), "copy")
    sftp.symlink("sub/x", "l")
    assert sftp.readlink("l") == os.readlink(there / "l") == "sub/x" and sftp.lstat("l").st_size == 5
    sftp.remove("copy")
    sftp.chdir(b"/")
    assert sftp.getcwd() == "/" and "etc" in sftp.listdir()
    sftp.chdir()
    assert sftp.getcwd() is None


@pytest.mark.behaviour("no-path")
@pytest.mark.shows("SFTPClient.normalize", "SFTPClient.readlink")
def test_paths_in_bytes(sftp: Any, there: Path) -> None:
    data = os.fsencode(there)
    assert sorted(sftp.listdir(data)) == ["f", "link", "sub"] and sftp.normalize(data) == str(there)
    assert sftp.readlink(data + b"/link") == "f" and sftp.stat(data + b"/f").st_size == 12


# ---- attributes


@pytest.mark.behaviour("attributes")
@pytest.mark.shows("SFTPClient.stat")
def test_attributes_in_words(sftp: Any, there: Path) -> None:
    one = sftp.stat(f"{there}/f")
    who = f"uid={os.getuid()} gid={os.getgid()}"
    assert repr(one) == f"<SFTPAttributes: [ size=12 {who} mode=0o100640 atime=1000000000 mtime=1000000000 ]>"
    assert str(one) == f"-rw-r-----   1 {os.getuid():<8d} {os.getgid():<8d}       12 09 Sep 2001  ?"
    assert one.asbytes() == str(one).encode() and one.attr == {}
    for name in ("st_size", "st_mode", "st_uid", "st_gid", "st_atime", "st_mtime"):
        assert type(getattr(one, name)) is int
    for name in ("filename", "longname", "st_ctime", "st_nlink"):
        assert not hasattr(one, name)


@pytest.mark.behaviour("attributes")
@pytest.mark.shows("SFTPClient.listdir_attr", "SFTPClient.listdir_iter")
def test_entries_in_words(sftp: Any, there: Path) -> None:
    entries = {entry.filename: entry for entry in sftp.listdir_attr(str(there))}
    assert {name: str(entry)[:10] for name, entry in entries.items()} == {
        "f": "-rw-r-----",
        "link": "lrwxrwxrwx",
        "sub": stat.filemode((there / "sub").stat().st_mode),
    }
    for name, entry in entries.items():
        assert str(entry).endswith(f" {name}") and entry.longname.startswith(str(entry)[:10])
    walk = sftp.listdir_iter(str(there), read_aheads=3)
    assert {type(entry) for entry in walk} == {type(entries["f"])}


@pytest.mark.behaviour("directories")
@pytest.mark.shows("SFTPClient.listdir")
def test_many_entries(sftp: Any, there: Path) -> None:
    for number in range(300):
        (there / "sub" / str(number)).touch()
    assert len(sftp.listdir(f"{there}/sub")) == 301
    some = sftp.listdir_iter(f"{there}/sub")
    next(some)
    some.close()
    assert len(list(sftp.listdir_iter(f"{there}/sub"))) == 301


@pytest.mark.behaviour("directories")
@pytest.mark.shows("SFTPClient.chmod", "SFTPClient.mkdir", "SFTPClient.utime")
def test_changing_attributes(sftp: Any, there: Path) -> None:
    sftp.chmod(f"{there}/f", 0o100600)
    assert stat.S_IMODE((there / "f").stat().st_mode) == 0o600
    sftp.utime(f"{there}/f", (1.7, 2.9))
    assert ((there / "f").stat().st_atime, (there / "f").stat().st_mtime) == (1, 2)
    sftp.utime(f"{there}/f", None)
    assert (there / "f").stat().st_mtime > 1_000_000_000
    sftp.mkdir(f"{there}/new", 0o750)
    assert stat.S_IMODE((there / "new").stat().st_mode) == 0o750


# ---- open files


MODES = ["r", "rb", "r+", "r+b", "rb+", "w", "wb", "w+", "a", "ab", "a+", "x+", "wx", "rU", "rt", "wt", "br", "q", ""]


@pytest.mark.behaviour("file-modes")
@pytest.mark.shows("SFTPFile.seekable")
@pytest.mark.parametrize("mode", MODES)
def test_modes_of_files(sftp: Any, there: Path, mode: str) -> None:
    path = there / ("new" if "x" in mode else "f")
    reads, writes = bool(set("r+") & set(mode)), bool(set("wa+") & set(mode))
    with sftp.open(str(path), mode) as file:
        assert (file.readable(), file.writable(), file.seekable()) == (reads, writes, True)
        assert file.tell() == (12 if "a" in mode else 0)
        if reads:
            assert file.read(3) == (b"hel" if "r" in mode else b"")
        else:
            with pytest.raises(OSError, match="File is not open for reading"):
                file.read(3)
        if writes:
            file.write("ab")
            assert file.tell() == (14 if "a" in mode else 5 if "r" in mode else 2)
        else:
            with pytest.raises(OSError, match="File not open for writing"):
                file.write("ab")
    expected = "hello\nworld\n"
    if writes:
        expected = f"{expected}ab" if "a" in mode else "helab\nworld\n" if "r" in mode else "ab"
    assert path.read_text() == expected


@pytest.mark.behaviour("files")
@pytest.mark.shows("SFTPFile")
def test_moving_in_a_file(paramiko: Any, sftp: Any, there: Path) -> None:
    with sftp.open(f"{there}/f") as file:
        assert isinstance(file, paramiko.SFTPFile) and isinstance(file, paramiko.BufferedFile)
        assert file.readline() == "hello\n" and file.tell() == 6 and file.read(2) == b"wo"
        file.seek(0)
        assert file.read() == b"hello\nworld\n" and file.read() == b"" and file.readline() == ""
        file.seek(-3, file.SEEK_END)
        assert file.read() == b"ld\n"
        file.seek(2)
        file.seek(2, file.SEEK_CUR)
        assert file.tell() == 4 and file.read(1) == b"o" and file.read(0) == b"" and file.read(-1) == b"\nworld\n"
        file.seek(1000)
        assert file.read() == b"" and file.tell() == 1000
    for use in (file.read, file.readline):
        with pytest.raises(OSError, match=r"^File is closed$"):
            use()
    assert file.closed and file.close() is None and file.newlines is None
    assert not hasattr(file, "fileno") and not hasattr(file, "name") and not hasattr(file, "mode")


@pytest.mark.behaviour("files")
@pytest.mark.shows("BufferedFile.readlines", "SFTPClient.open")
def test_lines_of_a_file(sftp: Any, there: Path) -> None:
    path = f"{there}/f"
    with sftp.open(path) as file:
        assert list(file) == ["hello\n", "world\n"]
    with sftp.open(path, "rb") as file:
        assert list(file) == [b"hello\n", b"world\n"]
    with sftp.open(path) as file:
        assert file.readlines(3) == ["hello\n"] and next(file) == "world\n" and list(file) == []


@pytest.mark.behaviour("file-modes")
@pytest.mark.shows("SFTPFile.seek")
def test_writing_at_the_end(sftp: Any, there: Path) -> None:
    with sftp.open(f"{there}/f", "a") as file:
        assert file.tell() == 12
        file.write("one")
        file.seek(0)
        file.write("two")
    assert (there / "f").read_text() == "hello\nworld\nonetwo"


@pytest.mark.behaviour("file-size")
@pytest.mark.shows("SFTPFile.chown", "SFTPFile.stat")
def test_the_size_of_an_open_file(sftp: Any, there: Path) -> None:
    with sftp.open(f"{there}/f", "r+") as file:
        file.truncate(5)
        assert file.read() == b"hello" and file.stat().st_size == 5
        file.truncate(8)
        file.seek(0)
        assert file.read() == b"hello\0\0\0"
        file.chmod(0o600)
        file.chown(os.getuid(), os.getgid())
        file.utime((3, 4))
        assert (file.stat().st_mtime, stat.S_IMODE(file.stat().st_mode)) == (4, 0o600)


@pytest.mark.behaviour("files")
@pytest.mark.shows("SFTPFile.prefetch", "SFTPFile.readv")
def test_reading_ahead(sftp: Any, there: Path) -> None:
    data = bytes(range(256)) * 500
    (there / "big").write_bytes(data)
    with sftp.open(f"{there}/big", "rb") as file:
        file.prefetch()
        assert file.read() == data
    with sftp.open(f"{there}/big", "rb") as file:
        file.prefetch(len(data))
        file.seek(len(data) - 5)
        assert file.read() == data[-5:]
        assert [len(piece) for piece in file.readv([(0, 10), (100, 70_000), (len(data) - 10, 100)])] == [10, 70_000, 10]


@pytest.mark.behaviour("file-buffers")
@pytest.mark.shows("BufferedFile.writelines")
def test_what_is_written_to_a_file(sftp: Any, there: Path) -> None:
    with sftp.open(f"{there}/f", "w") as file:
        assert [file.write(piece) for piece in ("ä", b"b", bytearray(b"c"), memoryview(b"d"))] == [None] * 4
        file.writelines(["e", b"f"])
        assert file.tell() == 7
        with pytest.raises(TypeError):
            file.write(5)
    assert (there / "f").read_text() == "äbcdef"


@pytest.mark.behaviour("file-buffers")
@pytest.mark.parametrize("bufsize", [-1, 0, 1, 10, 100_000])
def test_buffers_of_files(sftp: Any, there: Path, bufsize: int) -> None:
    with sftp.open(f"{there}/new", "w+", bufsize) as file:
        file.write("ab\ncd")
        file.flush()
        assert (there / "new").read_text() == "ab\ncd"
        file.seek(0)
        assert file.read() == b"ab\ncd"


@pytest.mark.behaviour("sftp-timeouts")
@pytest.mark.shows("SFTPFile.gettimeout", "SFTPFile.setblocking", "SFTPFile.settimeout")
def test_time_limits_of_files(sftp: Any, there: Path) -> None:
    channel = sftp.get_channel()
    with sftp.open(f"{there}/f") as file:
        assert file.gettimeout() is None is channel.gettimeout()
        file.settimeout(30)
        assert file.gettimeout() == 30 == channel.gettimeout()
        file.setblocking(False)
        assert file.gettimeout() == 0
        file.setblocking(True)
        assert file.gettimeout() is None


@pytest.mark.shows("SFTPFile.check")
def test_what_no_server_of_openssh_has(sftp: Any, there: Path) -> None:
    with sftp.open(f"{there}/f") as file, pytest.raises(OSError, match=r"^Operation unsupported") as caught:
        file.check("sha256")
    assert caught.value.errno is None


# ---- whole files


@pytest.mark.behaviour("transfers")
@pytest.mark.shows("SFTPClient.getfo", "SFTPClient.put", "SFTPClient.putfo")
def test_what_transfers_give(paramiko: Any, sftp: Any, there: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    sent = sftp.put(str(there / "f"), f"{there}/up", callback=lambda *step: steps.append(step))
    assert isinstance(sent, paramiko.SFTPAttributes) and sent.st_size == 12 and steps[-1] == (12, 12)
    unseen = sftp.put(str(there / "f"), f"{there}/up", confirm=False)
    assert repr(unseen) == "<SFTPAttributes: [ ]>"
    assert sftp.get(f"{there}/f", str(tmp_path / "down")) is None
    with open(tmp_path / "again", "wb") as file:
        assert sftp.getfo(f"{there}/f", file) == 12
    with open(there / "f", "rb") as file:
        assert sftp.putfo(file, f"{there}/up2", file_size=12).st_size == 12


@pytest.mark.behaviour("size-mismatch")
def test_a_size_that_is_not_right(sftp: Any, there: Path) -> None:
    """What was written is looked at afterwards."""
    with pytest.raises(OSError, match=r"^size mismatch in put!  0 != 12$"):
        sftp.put(str(there / "f"), "/dev/null")
    assert sftp.put(str(there / "f"), "/dev/null", confirm=False).st_size is None


@pytest.mark.behaviour("sftp-clients")
@pytest.mark.shows("Channel.get_transport", "SFTPClient.close", "SFTPClient.get_channel")
def test_the_channel_of_a_client(paramiko: Any, shared: Any) -> None:
    sftp = shared.open_sftp()
    channel = sftp.get_channel()
    assert isinstance(sftp, paramiko.SFTPClient) and isinstance(channel, paramiko.Channel) and sftp.sock is channel
    assert not channel.closed and channel.get_transport() is shared.get_transport()
    sftp.close()
    assert channel.closed


@pytest.mark.behaviour("sftp-clients")
def test_a_server_without_files(
    paramiko: Any, make_server: Callable[..., LoopbackServer], log_in: Callable[..., Any]
) -> None:
    client = log_in(make_server({"Subsystem": "sftp /bin/false"}))
    with pytest.raises((paramiko.SSHException, EOFError)):
        client.open_sftp()
