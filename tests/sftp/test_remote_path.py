"""`RemotePath` does what `pathlib.Path` does, and finds what it finds."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from openssh_core.sftp import RemotePath, SFTPClient


def test_what_can_be_said_without_looking(sftp: SFTPClient) -> None:
    path, pure = sftp.path("/a", "b.tar.gz"), PurePosixPath("/a/b.tar.gz")
    for name in ("name", "stem", "suffix", "suffixes", "parts"):
        assert getattr(path, name) == getattr(pure, name)
    assert str(path) == os.fspath(path) == "/a/b.tar.gz" and "/a/b.tar.gz" in repr(path)
    assert path.parent == sftp.path("/a") and list(map(str, path.parents)) == ["/a", "/"]
    assert path.parent / "c" == sftp.path("/a/c") == path.parent.joinpath("c") == path.with_name("c")
    assert path.with_suffix(".x") == sftp.path("/a/b.tar.x")
    assert path.relative_to("/a") == PurePosixPath("b.tar.gz")
    assert path.is_absolute() and path.match("*.gz") and path.client is sftp
    assert sorted([sftp.path("b"), sftp.path("a")]) == [sftp.path("a"), sftp.path("b")]
    assert len({sftp.path("a"), sftp.path("a")}) == 1 and path != "/a/b.tar.gz"


def test_files(sftp: SFTPClient, there: Path) -> None:
    path = sftp.path(there) / "f"
    assert not path.exists()
    path.touch()
    assert path.is_file() and not path.is_dir() and not path.is_symlink()
    with pytest.raises(FileExistsError):
        path.touch(exist_ok=False)
    os.utime(there / "f", (0, 0))
    path.touch()
    assert path.stat().st_mtime != 0
    assert path.write_text("hé") == 2 and path.read_text() == "hé" and path.read_bytes() == b"h\xc3\xa9"
    assert path.write_bytes(b"x") == 1
    with path.open("a") as file:
        file.write("y")
    assert (there / "f").read_text() == "xy"
    path.chmod(0o600)
    assert path.stat().st_mode == 0o100600
    other = path.rename(path.with_name("g"))
    assert isinstance(other, RemotePath) and other.read_text() == "xy" and not path.exists()
    path.write_text("z")
    assert path.replace(other).read_text() == "z"
    other.unlink()
    other.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        other.unlink()


def test_links(sftp: SFTPClient, there: Path) -> None:
    path = sftp.path(there) / "f"
    path.write_text("x")
    link = path.with_name("l")
    link.symlink_to("f")
    assert link.is_symlink() and link.readlink() == sftp.path("f") and link.samefile(path)
    assert str(link.resolve()) == str((there / "f").resolve()) and link.lstat().is_symlink()
    path.with_name("h").hardlink_to(path)
    assert (there / "h").stat().st_nlink == 2
    assert str(sftp.path("~/x").expanduser()) == f"{sftp.home()}/x"


def test_directories(sftp: SFTPClient, there: Path) -> None:
    path = sftp.path(there) / "d[1]" / "e"
    with pytest.raises(FileNotFoundError):
        path.mkdir()
    path.mkdir(parents=True)
    path.mkdir(exist_ok=True)
    with pytest.raises(FileExistsError):
        path.mkdir()
    for name in (".x.py", "y.py"):
        (path / name).touch()
    assert sorted(found.name for found in path.iterdir()) == [".x.py", "y.py"]
    assert sorted(found.name for found in path.parent.rglob("*.py")) == [".x.py", "y.py"]
    assert [found.name for found in path.parent.glob("e/y*")] == ["y.py"]
    for found in path.iterdir():
        found.unlink()
    path.rmdir()
    assert os.listdir(there / "d[1]") == []


def test_it_goes_wherever_a_path_goes(sftp: SFTPClient, there: Path) -> None:
    path = sftp.path(there) / "f"
    sftp.write_text(path, "x")
    assert sftp.stat(path).st_size == 1
