"""SFTPClient and its files: the same over paramiko and over ours."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import LoopbackServer
from openssh_core.testing import fake_sftp as fake


@pytest.fixture
def sftp(client: Any) -> Iterator[Any]:
    with client.open_sftp() as sftp:
        yield sftp


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A directory that both sides see."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.mark.behaviour("directories")
def test_a_tree(sftp: Any, there: Path) -> None:
    sftp.mkdir(f"{there}/a", 0o700)
    sftp.mkdir(f"{there}/a/b")
    assert stat.S_IMODE((there / "a").stat().st_mode) == 0o700
    with sftp.open(f"{there}/a/file", "w") as file:
        file.write("text")
    assert sorted(sftp.listdir(f"{there}/a")) == ["b", "file"]
    entries = {entry.filename: entry for entry in sftp.listdir_attr(f"{there}/a")}
    assert entries["file"].st_size == 4 and stat.S_ISDIR(entries["b"].st_mode)
    assert entries["file"].longname.endswith("file") and str(entries["file"]).endswith(" file")
    assert sorted(entry.filename for entry in sftp.listdir_iter(f"{there}/a")) == ["b", "file"]
    sftp.remove(f"{there}/a/file")
    sftp.rmdir(f"{there}/a/b")
    assert sftp.listdir(f"{there}/a") == []


@pytest.mark.behaviour("directories")
@pytest.mark.shows("SFTPClient.chown", "SFTPClient.truncate")
def test_attributes_on_the_server(sftp: Any, there: Path) -> None:
    path = there / "file"
    path.write_bytes(b"12345")
    found = sftp.stat(str(path))
    assert (found.st_size, found.st_mode) == (5, path.stat().st_mode) and not hasattr(found, "filename")
    sftp.chmod(str(path), 0o640)
    sftp.utime(str(path), (1000, 2000))
    sftp.chown(str(path), os.getuid(), os.getgid())
    sftp.truncate(str(path), 3)
    found = sftp.lstat(str(path))
    assert (found.st_size, stat.S_IMODE(found.st_mode), found.st_uid) == (3, 0o640, os.getuid())
    sftp.utime(str(path), (1000, 2000))
    assert (sftp.stat(str(path)).st_atime, sftp.stat(str(path)).st_mtime) == (1000, 2000)


@pytest.mark.behaviour("directories")
@pytest.mark.shows("SFTPClient.lstat", "SFTPClient.symlink")
def test_links(sftp: Any, there: Path) -> None:
    (there / "file").write_text("x")
    sftp.symlink("file", f"{there}/link")
    assert os.readlink(there / "link") == "file" == sftp.readlink(f"{there}/link")
    assert stat.S_ISLNK(sftp.lstat(f"{there}/link").st_mode) and sftp.stat(f"{there}/link").st_size == 1
    assert sftp.normalize(f"{there}/./link") == str((there / "file").resolve())


@pytest.mark.behaviour("directories", "rename")
@pytest.mark.shows("SFTPClient.posix_rename", "SFTPClient.rename")
def test_renaming(sftp: Any, there: Path) -> None:
    for name in "ab":
        (there / name).write_text(name)
    with pytest.raises(OSError, match="Failure"):
        sftp.rename(f"{there}/a", f"{there}/b")
    sftp.posix_rename(f"{there}/a", f"{there}/b")
    sftp.rename(f"{there}/b", f"{there}/c")
    assert [path.name for path in there.iterdir()] == ["c"] and (there / "c").read_text() == "a"


@pytest.mark.behaviour("chdir", "directories")
@pytest.mark.shows("SFTPClient.chdir", "SFTPClient.getcwd", "SFTPError")
def test_where_relative_paths_start(paramiko: Any, sftp: Any, there: Path) -> None:
    (there / "file").write_text("x")
    assert sftp.getcwd() is None
    sftp.chdir(str(there))
    assert sftp.getcwd() == str(there.resolve())
    assert sftp.stat("file").st_size == 1 and sftp.listdir() == ["file"]
    with pytest.raises(paramiko.SFTPError) as caught:
        sftp.chdir("file")
    assert caught.value.args[0] == 20 and "Not a directory" in caught.value.args[1]
    sftp.chdir(None)
    assert sftp.getcwd() is None


@pytest.mark.behaviour("errors", "directories")
@pytest.mark.shows("SFTPClient.rmdir")
def test_errors_of_files(sftp: Any, there: Path) -> None:
    (there / "file").write_text("x")
    (there / "folder").mkdir()
    (there / "folder" / "x").write_text("x")
    for call in (
        lambda: sftp.stat(f"{there}/nothing"),
        lambda: sftp.open(f"{there}/nothing"),
        lambda: sftp.listdir(f"{there}/nothing"),
        lambda: sftp.listdir(f"{there}/file"),
        lambda: sftp.rmdir(f"{there}/file"),
        lambda: sftp.remove(f"{there}/nothing"),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert caught.value.args == (2, "No such file")
    for call in (
        lambda: sftp.mkdir(f"{there}/folder"),
        lambda: sftp.rmdir(f"{there}/folder"),
        lambda: sftp.remove(f"{there}/folder"),
        lambda: sftp.open(f"{there}/file", "wx"),
        lambda: sftp.symlink("x", f"{there}/file"),
    ):
        with pytest.raises(OSError, match="Failure") as failed:
            call()
        assert failed.value.errno is None


@pytest.mark.behaviour("files")
def test_reading_and_writing(sftp: Any, there: Path) -> None:
    path = f"{there}/file"
    with sftp.open(path, "w") as file:
        file.write("first\n")
        file.writelines(["second\n", "third"])
        assert file.tell() == 18
    with sftp.open(path) as file:
        assert file.readable() and file.seekable() and not file.writable()
        assert file.readline() == "first\n" and file.tell() == 6
        assert file.read(3) == b"sec" and file.read() == b"ond\nthird" and file.read() == b""
        file.seek(-5, file.SEEK_END)
        assert file.read() == b"third"
        file.seek(2)
        assert list(file) == ["rst\n", "second\n", "third"]
        assert list(file.readv([(0, 5), (6, 6)])) == [b"first", b"second"]
        assert file.stat().st_size == 18
    with pytest.raises(OSError, match="closed"):
        file.read()
    with sftp.open(path, "rb") as file:
        file.prefetch()
        assert file.readlines() == [b"first\n", b"second\n", b"third"]


@pytest.mark.behaviour("files")
@pytest.mark.shows("SFTPFile.chmod", "SFTPFile.truncate", "SFTPFile.utime")
def test_changing_in_the_middle(sftp: Any, there: Path) -> None:
    path = there / "file"
    path.write_bytes(b"0123456789")
    with sftp.open(str(path), "r+", 1000) as file:
        assert file.read(2) == b"01"
        file.seek(2)
        file.write("ab")
        file.seek(6)
        file.write("cd")
        file.flush()
        assert path.read_bytes() == b"01ab45cd89"
        file.seek(0)
        assert file.read() == b"01ab45cd89"
        file.truncate(4)
        file.chmod(0o600)
        file.utime((5, 6))
    assert path.read_bytes() == b"01ab" and path.stat().st_mtime == 6
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.behaviour("files")
def test_appending(sftp: Any, there: Path) -> None:
    path = there / "file"
    path.write_bytes(b"one\n")
    with sftp.open(str(path), "a+") as file:
        assert file.tell() == 4
        file.write("two\n")
        file.seek(0)
        assert file.read() == b"one\ntwo\n"
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.behaviour("files")
@pytest.mark.shows("SFTPFile.set_pipelined")
def test_fast_writes(sftp: Any, there: Path) -> None:
    data = os.urandom(300_000)
    with sftp.open(f"{there}/big", "wb") as file:
        file.set_pipelined(True)
        for start in range(0, len(data), 10_000):
            file.write(data[start : start + 10_000])
    assert (there / "big").read_bytes() == data
    with sftp.open(f"{there}/big", "rb", 4096) as file:
        assert b"".join(iter(lambda: file.read(7000), b"")) == data


@pytest.mark.behaviour("files", "transfers")
def test_whole_files(sftp: Any, there: Path, tmp_path: Path) -> None:
    data = os.urandom(200_000)
    (tmp_path / "local").write_bytes(data)
    steps: list[tuple[int, int]] = []
    there_now = sftp.put(str(tmp_path / "local"), f"{there}/up", callback=lambda *step: steps.append(step))
    assert there_now.st_size == len(data) and (there / "up").read_bytes() == data
    assert steps[-1] == (len(data), len(data))
    steps.clear()
    assert sftp.get(f"{there}/up", str(tmp_path / "down"), lambda *step: steps.append(step)) is None
    assert (tmp_path / "down").read_bytes() == data and steps[-1] == (len(data), len(data))
    out = io.BytesIO()
    assert sftp.getfo(f"{there}/up", out) == len(data) and out.getvalue() == data
    assert sftp.putfo(io.BytesIO(b"abc"), f"{there}/small").st_size == 3
    assert sftp.putfo(io.StringIO("text"), f"{there}/text").st_size == 4
    assert sftp.putfo(io.BytesIO(b""), f"{there}/empty", confirm=False).st_size is None
    sftp.get(f"{there}/empty", str(tmp_path / "empty"))
    assert (tmp_path / "empty").read_bytes() == b""


@pytest.mark.behaviour("callbacks")
@pytest.mark.parametrize("size", [0, 1, 32_768, 261_120, 261_121, 1_000_003])
def test_what_callbacks_are_told(sftp: Any, there: Path, tmp_path: Path, size: int) -> None:
    """At every 32 KiB and at the end, however long the pieces on the way are."""
    (tmp_path / "here").write_bytes(content := os.urandom(size))
    expected = [(min(at + 32_768, size), size) for at in range(0, size, 32_768)]
    told: list[tuple[int, int]] = []
    sftp.put(str(tmp_path / "here"), f"{there}/f", callback=lambda *both: told.append(both))
    assert told == expected and (there / "f").read_bytes() == content
    told.clear()
    sftp.get(f"{there}/f", str(tmp_path / "back"), callback=lambda *both: told.append(both))
    assert told == expected and (tmp_path / "back").read_bytes() == content
    told.clear()
    with io.BytesIO(b"before" + content) as source:
        source.seek(6)
        sftp.putfo(source, f"{there}/g", file_size=size, callback=lambda *both: told.append(both))
        assert source.tell() == size + 6
    assert told == expected and (there / "g").read_bytes() == content


@pytest.mark.behaviour("files")
@pytest.mark.parametrize("piece", [1000, 32_768, 50_000, 300_000])
def test_loops_over_pieces(sftp: Any, there: Path, piece: int) -> None:
    """What most programs do."""
    content = os.urandom(700_001)
    with sftp.open(f"{there}/f", "wb") as file:
        file.set_pipelined(True)
        for start in range(0, len(content), piece):
            file.write(content[start : start + piece])
        assert file.tell() == len(content)
    assert (there / "f").read_bytes() == content
    got = []
    with sftp.open(f"{there}/f", "rb") as file:
        file.prefetch(len(content))
        while part := file.read(piece):
            got.append(part)
            assert file.tell() == sum(map(len, got))
    assert {len(part) for part in got[:-1]} <= {piece} and b"".join(got) == content


@pytest.mark.behaviour("no-path", "directories")
def test_names_that_are_bytes(sftp: Any, there: Path) -> None:
    path = os.fsencode(there) + b"/b\xc3\xa4r"
    with sftp.open(path, "w") as file:
        file.write(b"x")
    assert sftp.stat(path).st_size == 1 and sftp.listdir(os.fsencode(there)) == ["bär"]


@pytest.mark.behaviour("sftp-clients")
@pytest.mark.shows("SFTPClient.from_transport")
def test_a_client_of_a_transport(paramiko: Any, client: Any, there: Path) -> None:
    with paramiko.SFTPClient.from_transport(client.get_transport()) as sftp:
        assert sftp.listdir(str(there)) == []
        channel = sftp.get_channel()
        assert isinstance(channel, paramiko.Channel)
        channel.settimeout(30)
        assert channel.gettimeout() == 30 and not channel.closed
    assert channel.closed
    with pytest.raises((OSError, EOFError)):
        sftp.listdir(str(there))


@pytest.mark.behaviour("sftp-clients")
@pytest.mark.shows("SFTPClient")
def test_a_client_over_a_channel(paramiko: Any, client: Any, there: Path) -> None:
    channel = client.get_transport().open_session()
    channel.invoke_subsystem("sftp")
    with paramiko.SFTPClient(channel) as sftp:
        with sftp.open(f"{there}/x", "w") as file:
            file.write("y" * 100_000)
        assert sftp.stat(f"{there}/x").st_size == 100_000


# ---- ours alone


@pytest.fixture
def own(loopback_server: LoopbackServer) -> Iterator[ours.SFTPClient]:
    server = loopback_server
    with ours.SSHClient() as client:
        client.load_host_keys(server.known_hosts)
        client.connect(server.host, server.port, server.user, key_filename=str(server.key), allow_agent=False)
        with client.open_sftp() as sftp:
            yield sftp


@pytest.mark.shows("SFTPFile.close")
def test_paths_may_be_objects(own: ours.SFTPClient, there: Path) -> None:
    own.open(there / "x", "w").close()
    assert own.stat(there / "x").st_size == 0


@pytest.mark.shows("SFTPClient.get")
def test_a_missing_file_leaves_none_here(own: ours.SFTPClient, there: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        own.get(there / "nothing", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_writing_where_one_has_read(own: ours.SFTPClient, there: Path) -> None:
    """paramiko writes behind what it has read ahead."""
    (there / "file").write_bytes(b"0123456789")
    with own.open(there / "file", "r+", 1000) as file:
        assert file.read(2) == b"01"
        file.write("ab")
    assert (there / "file").read_bytes() == b"01ab456789"


@pytest.mark.shows("BufferedFile.write", "SFTPFile.close")
def test_a_write_that_fails_is_told(own: ours.SFTPClient) -> None:
    """paramiko's close() keeps it to itself when writes are pipelined."""
    file = own.open("/dev/full", "wb")
    file.write(b"x" * 10)
    with pytest.raises(OSError, match="Failure"):
        file.close()
    assert file.closed


def test_what_the_client_cannot_do_by_hand(own: ours.SFTPClient, there: Path) -> None:
    with pytest.raises(NotImplementedError, match="public methods"):
        own._request(3)
    with own.open(there / "x", "w") as file, pytest.raises(OSError, match="sha256sum"):
        file.check("sha256")
    with pytest.raises(OSError, match="the SFTP client's"):
        own.get_channel().recv(1)


@pytest.mark.parametrize("confirm", [True, False])
def test_how_often_a_small_file_goes_to_and_fro(trains_of: Any, tmp_path: Path, confirm: bool) -> None:
    (tmp_path / "f").write_bytes(b"x" * 1000)
    with fake.FakeSftp({}) as server, ours.SFTPClient(server.client) as sftp:
        told = []
        trains = trains_of(sftp._core, lambda: told.append(sftp.put(str(tmp_path / "f"), "/f", confirm=confirm)))
        looked = [fake.STAT] if confirm else []
        assert trains == [[fake.OPEN], [fake.WRITE, fake.CLOSE, *looked]]
        assert told[0].st_size == (1000 if confirm else None)
