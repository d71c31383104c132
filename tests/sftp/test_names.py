"""Looking at files, changing what is known of them, and their names: on a real server, checked without SFTP."""

from __future__ import annotations

import errno
import os
import pickle
import stat
from pathlib import Path

import pytest

import openssh_core
from openssh_core import InvalidInput, SFTPError, SFTPOSError, SFTPUnsupported
from openssh_core.sftp import SFTPClient
from openssh_core.testing.fake_sftp import FakeSftp

ODD_NAMES = [
    "a blank",
    "quote'\"quote",
    "$(touch x)`id`",
    "new\nline",
    "-rf",
    "*?[x]",
    "~",
    "back\\slash",
    "\x1b[31mred\x07",
    "snowman ☃",
    os.fsdecode(b"not \xff\xfe utf-8"),
    "x" * 255,
]


def test_stat_and_lstat(sftp: SFTPClient, there: Path) -> None:
    (there / "f").write_bytes(b"12345")
    (there / "l").symlink_to("f")
    expected = os.stat(there / "f")
    got = sftp.stat(there / "l")
    for field in ("st_mode", "st_size", "st_uid", "st_gid"):
        assert getattr(got, field) == getattr(expected, field)
    assert (got.st_atime, got.st_mtime) == (int(expected.st_atime), int(expected.st_mtime))
    assert got.is_file() and not got.is_dir() and not got.is_symlink()
    assert got.permissions == stat.S_IMODE(expected.st_mode)
    assert sftp.lstat(there / "l").is_symlink()
    assert sftp.stat(there).is_dir()


def test_what_kind_it_is(sftp: SFTPClient, there: Path) -> None:
    (there / "f").touch()
    (there / "gone").symlink_to("nowhere")
    (there / "d").symlink_to(".")
    assert sftp.exists(there / "f") and sftp.isfile(there / "f") and not sftp.isdir(there / "f")
    assert not sftp.exists(there / "gone") and sftp.exists(there / "gone", follow_symlinks=False)
    assert sftp.islink(there / "gone") and sftp.islink(there / "d") and sftp.isdir(there / "d")
    assert not sftp.exists(there / "nothing") and not sftp.isfile(there / "f" / "below")


def test_permissions_owner_times_and_size(sftp: SFTPClient, there: Path) -> None:
    file = there / "f"
    file.write_bytes(b"1234567890")
    sftp.chmod(file, 0o640)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    sftp.chmod(file, stat.S_IFREG | 0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sftp.utime(file, (1_000_000, 2_000_000.7))
    assert (file.stat().st_atime, file.stat().st_mtime) == (1_000_000, 2_000_000)
    sftp.chown(file, os.getuid(), os.getgid())
    sftp.chown(file)
    assert (file.stat().st_uid, file.stat().st_gid) == (os.getuid(), os.getgid())
    sftp.truncate(file, 3)
    assert file.read_bytes() == b"123"
    sftp.truncate(file, 5)
    assert file.read_bytes() == b"123\0\0"


def test_times_now(sftp: SFTPClient, there: Path) -> None:
    (there / "f").touch()
    os.utime(there / "f", (0, 0))
    sftp.utime(there / "f")
    assert (there / "f").stat().st_mtime > 1_700_000_000


def test_a_link_itself(sftp: SFTPClient, there: Path) -> None:
    (there / "f").touch()
    os.utime(there / "f", (0, 0))
    (there / "l").symlink_to("f")
    sftp.utime(there / "l", (5, 6), follow_symlinks=False)
    assert os.lstat(there / "l").st_mtime == 6
    assert os.stat(there / "l").st_mtime == 0


def test_the_file_system(sftp: SFTPClient, there: Path) -> None:
    ours, theirs = os.statvfs(there), sftp.statvfs(there)
    assert (theirs.bsize, theirs.blocks, theirs.namemax) == (ours.f_bsize, ours.f_blocks, ours.f_namemax)


def test_names_of_users_and_groups(sftp: SFTPClient) -> None:
    assert sftp.names_of([0, 4_000_000_000], [0]) == (["root", ""], ["root"])
    assert sftp.names_of() == ([], [])


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_every_name_goes_there_and_back(sftp: SFTPClient, there: Path, name: str) -> None:
    file = there / name
    file.write_bytes(name.encode("utf-8", "surrogateescape"))
    assert sftp.stat(file).st_size == len(os.fsencode(name))
    assert sftp.stat(os.fsencode(file)).st_size == len(os.fsencode(name))
    sftp.rename(file, there / "other")
    sftp.rename(there / "other", file)
    sftp.symlink(name, there / "link")
    assert os.readlink(there / "link") == name
    assert sftp.readlink(there / "link") == name
    assert sftp.realpath(there / "link") == str(file.resolve())
    sftp.remove(file)
    assert os.listdir(there) == ["link"]


def test_renaming(sftp: SFTPClient, there: Path) -> None:
    (there / "a").write_text("a")
    (there / "b").write_text("b")
    with pytest.raises(FileExistsError) as caught:
        sftp.rename(there / "a", there / "b")
    assert (caught.value.filename, caught.value.filename2) == (str(there / "a"), str(there / "b"))
    assert (there / "b").read_text() == "b"
    sftp.replace(there / "a", there / "b")
    assert (there / "b").read_text() == "a" and not (there / "a").exists()


def test_replacing_a_directory_with_a_file(sftp: SFTPClient, there: Path) -> None:
    (there / "d").mkdir()
    (there / "f").touch()
    with pytest.raises(IsADirectoryError):
        sftp.replace(there / "f", there / "d")


def test_hard_links(sftp: SFTPClient, there: Path) -> None:
    (there / "a").write_text("x")
    sftp.link(there / "a", there / "b")
    assert (there / "b").stat().st_ino == (there / "a").stat().st_ino
    with pytest.raises(FileExistsError):
        sftp.link(there / "a", there / "b")


def test_the_same_file(sftp: SFTPClient, there: Path) -> None:
    (there / "f").touch()
    (there / "g").touch()
    (there / "l").symlink_to("f")
    assert sftp.samefile(there / "f", there / "l")
    assert not sftp.samefile(there / "f", there / "g")
    with pytest.raises(FileNotFoundError):
        sftp.samefile(there / "f", there / "nothing")


def test_home_and_tilde(sftp: SFTPClient) -> None:
    home = sftp.realpath(".")
    assert sftp.home() == home == sftp.expand("~")
    assert sftp.expand("~/x") == f"{home}/x"
    assert sftp.home("root") == sftp.expand("~root")
    assert sftp.expand("/etc/../etc") == sftp.realpath("/etc")


def test_a_directory_of_ones_own(host: openssh_core.Connection, there: Path) -> None:
    (there / "d").mkdir()
    (there / "d" / "f").write_text("x")
    with host.sftp() as sftp:
        assert sftp.cwd is None
        sftp.chdir(there)
        sftp.chdir("d")
        assert sftp.cwd == str((there / "d").resolve())
        assert sftp.stat("f").st_size == 1
        assert sftp.isdir("../d") and sftp.isdir(".")
        with pytest.raises(NotADirectoryError):
            sftp.chdir("f")
        with pytest.raises(FileNotFoundError):
            sftp.chdir("nothing")
        assert sftp.cwd == str((there / "d").resolve())
        sftp.chdir(None)
        assert not sftp.exists("f")


# ---- errors


def test_what_is_not_there(sftp: SFTPClient, there: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        sftp.stat(there / "nothing")
    error = caught.value
    assert isinstance(error, SFTPOSError) and isinstance(error, SFTPError)
    assert (error.errno, error.filename, error.code) == (errno.ENOENT, str(there / "nothing"), 2)
    assert error.words == "No such file" and str(there / "nothing") in str(error) and sftp.host in str(error)


def test_an_error_goes_through_pickle_whole(sftp: SFTPClient) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        sftp.rename("/nothing", "/elsewhere")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value) and str(copy) == str(caught.value)
    assert (copy.errno, copy.filename, copy.filename2, copy.words) == (2, "/nothing", "/elsewhere", "No such file")


def test_errors_by_their_kinds(sftp: SFTPClient, there: Path) -> None:
    (there / "f").touch()
    with pytest.raises(IsADirectoryError):
        sftp.remove(there)
    with pytest.raises(FileExistsError):
        sftp.symlink("x", there / "f")
    with pytest.raises(OSError, match="too long") as caught:
        sftp.stat(there / ("x" * 256))
    assert caught.value.errno == errno.ENAMETOOLONG
    with pytest.raises(OSError, match="Invalid argument") as caught:
        sftp.readlink(there / "f")
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("path", ["a\0b", b"\0", "x" * 70_000, "lone \udad0 surrogate"])
def test_what_can_be_no_path(sftp: SFTPClient, path: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        sftp.stat(path)
    with pytest.raises(InvalidInput):
        sftp.symlink(path, "/tmp")


@pytest.mark.parametrize("size", [-1])
def test_a_size_below_nothing(sftp: SFTPClient, size: int) -> None:
    with pytest.raises(InvalidInput):
        sftp.truncate("/nothing", size)


@pytest.mark.parametrize("times", [(-1, 0), (0, 2**32)])
def test_times_that_version_3_does_not_have(sftp: SFTPClient, times: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput):
        sftp.utime("/nothing", times)


# ---- servers without OpenSSH's extensions


def test_what_needs_an_extension_says_which(against) -> None:  # type: ignore[no-untyped-def]
    client, fake = against({b"/f": b""})
    for call, name in (
        (lambda: client.statvfs("/"), "statvfs@openssh.com"),
        (lambda: client.link("/f", "/g"), "hardlink@openssh.com"),
        (lambda: client.utime("/f", follow_symlinks=False), "lsetstat@openssh.com"),
        (lambda: client.names_of([0]), "users-groups-by-id@openssh.com"),
        (lambda: client.home("joe"), "home-directory"),
        (lambda: client.expand("~joe/x"), "expand-path@openssh.com"),
    ):
        asked = len(fake.asked)
        with pytest.raises(SFTPUnsupported) as caught:
            call()
        assert caught.value.extension == name
        assert len(fake.asked) == asked, "nothing was sent"
    assert client.home() == "." and client.expand("~/x") == "./x"


def test_replace_without_the_extension(against) -> None:  # type: ignore[no-untyped-def]
    client, fake = against({b"/f": b"1", b"/g": b"2"})
    with pytest.raises(SFTPUnsupported, match="one step"):
        client.replace("/f", "/g")
    client.replace("/f", "/new")
    assert fake.files == {b"/g": b"2", b"/new": b"1"}


def test_a_fake_is_no_less_a_server(against) -> None:  # type: ignore[no-untyped-def]
    client, fake = against({b"/f": b"123"})
    assert isinstance(fake, FakeSftp)
    assert client.stat("/f").st_size == 3
    assert client.extensions == {}
