"""Directories and trees, on a real server and on servers that lie about them."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from openssh_core import SFTPError, SuspectName
from openssh_core.sftp import SFTPClient, directories
from openssh_core.testing import fake_sftp as fake


@pytest.fixture
def tree(there: Path) -> Path:
    for name in ("a/b/c", "a/d", "e"):
        (there / name).mkdir(parents=True)
    for name in ("f", "a/f.py", "a/b/g.py", "a/b/c/.hidden", "e/[x].py"):
        (there / name).write_text(name)
    (there / "e" / "loop").symlink_to("..")
    (there / "gone").symlink_to("nowhere")
    return there


def test_listing(sftp: SFTPClient, tree: Path) -> None:
    assert sorted(sftp.listdir(tree)) == sorted(os.listdir(tree))
    entries = {entry.name: entry for entry in sftp.scandir(tree)}
    assert entries["a"].is_dir() and not entries["a"].is_file() and entries["f"].is_file()
    assert entries["gone"].is_symlink() and not entries["gone"].is_file()
    assert entries["f"].path == str(tree / "f") == os.fspath(entries["f"])
    assert entries["f"].stat().st_size == 1 and "f" in entries["f"].longname
    loop = next(entry for entry in sftp.scandir(tree / "e") if entry.name == "loop")
    assert loop.is_dir() and not loop.is_dir(follow_symlinks=False)


def test_a_long_directory(sftp: SFTPClient, there: Path) -> None:
    for number in range(1500):
        (there / f"n{number}").touch()
    assert sorted(sftp.listdir(there)) == sorted(os.listdir(there))
    first = list(itertools.islice(sftp.scandir(there), 3))
    assert len(first) == 3
    sftp.rmtree(there)
    assert not there.exists()


def test_what_is_no_directory(sftp: SFTPClient, tree: Path) -> None:
    for call in (sftp.listdir, sftp.rmdir, sftp.rmtree):
        with pytest.raises(NotADirectoryError):
            call(tree / "f")
        with pytest.raises(FileNotFoundError):
            call(tree / "nothing")


@pytest.mark.parametrize("topdown", [True, False])
@pytest.mark.parametrize("followlinks", [True, False])
def test_walking(sftp: SFTPClient, tree: Path, topdown: bool, followlinks: bool) -> None:
    def noted(walk: Any) -> list[tuple[str, list[str], list[str]]]:
        return [(top, sorted(below), sorted(files)) for top, below, files in walk]

    got = noted(sftp.walk(tree, topdown=topdown, followlinks=followlinks))
    if not followlinks:
        assert sorted(got) == sorted(noted(os.walk(tree, topdown=topdown)))
    tops = [top for top, _, _ in got]
    assert len(tops) == len(set(tops)) == 6, "each directory once, whatever leads to it"
    assert (tops[0] if topdown else tops[-1]) == str(tree)


def test_a_walk_that_is_led(sftp: SFTPClient, tree: Path) -> None:
    seen = []
    for top, below, _files in sftp.walk(tree):
        seen.append(top)
        below[:] = [name for name in below if name == "a"]
    assert seen == [str(tree), str(tree / "a")]


def test_a_walk_over_what_cannot_be_read(sftp: SFTPClient, tree: Path) -> None:
    assert list(sftp.walk(tree / "nothing")) == []
    errors: list[OSError] = []
    assert list(sftp.walk(tree / "nothing", onerror=errors.append)) == []
    assert isinstance(errors[0], FileNotFoundError)


def test_patterns(sftp: SFTPClient, tree: Path) -> None:
    def found(pattern: str, **how: bool) -> list[str]:
        return [os.path.relpath(path, tree) for path in sftp.glob(tree / pattern, **how)]

    assert found("*") == ["a", "e", "f", "gone"]
    assert found("*/*.py") == ["a/f.py", "e/[x].py"]
    assert found("**/*.py") == ["a/b/g.py", "a/f.py", "e/[x].py"]
    assert found("a/**/c") == ["a/b/c"]
    assert found("[!a]") == ["e", "f"]
    assert found("a/b/c/*") == [] and found("a/b/c/.*") == found("a/b/c/*", hidden=True) == ["a/b/c/.hidden"]
    assert found("A/F.PY", ignore_case=True) == ["a/f.py"]
    assert found("gone") == ["gone"] and found("nothing") == [] and found("f/*") == []
    assert found("e/[[]x].py") == ["e/[x].py"]


def test_patterns_from_a_directory_of_ones_own(host: Any, tree: Path) -> None:
    with host.sftp() as sftp:
        sftp.chdir(tree)
        assert sftp.glob("*/f.py") == ["a/f.py"]
        assert sftp.glob("**/c") == ["a/b/c"]
        assert sorted(entry.path for entry in sftp.scandir()) == ["a", "e", "f", "gone"]
        assert next(sftp.walk("a"))[0] == "a"
        sftp.rmtree("a")
        assert not (tree / "a").exists()


def test_finding(sftp: SFTPClient, tree: Path) -> None:
    paths = [os.path.relpath(entry.path, tree) for entry in sftp.find(tree)]
    assert sorted(paths) == sorted(
        os.path.relpath(os.path.join(top, name), tree) for top, below, files in os.walk(tree) for name in below + files
    )
    assert paths.index("a") < paths.index("a/b") < paths.index("a/b/c")
    python = sftp.find(tree, wanted=lambda entry: entry.name.endswith(".py"), descend=lambda entry: entry.name != "b")
    assert sorted(entry.name for entry in python) == ["[x].py", "f.py"]
    assert len(list(sftp.find(tree, follow_links=True))) == len(paths)


def test_making(sftp: SFTPClient, there: Path) -> None:
    sftp.mkdir(there / "d", 0o700)
    assert (there / "d").stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        sftp.mkdir(there / "d")
    sftp.makedirs(there / "x" / "y" / "z")
    with pytest.raises(FileExistsError):
        sftp.makedirs(there / "x" / "y" / "z")
    sftp.makedirs(str(there / "x" / "y" / "z") + "/", exist_ok=True)
    (there / "f").touch()
    with pytest.raises(FileExistsError):
        sftp.makedirs(there / "f", exist_ok=True)
    with pytest.raises(OSError, match=r"Not a directory|No such file"):
        sftp.makedirs(there / "f" / "below")
    # Where nothing can be made the kernel says of the new name that it is not there.
    with pytest.raises(FileNotFoundError):
        sftp.makedirs("/proc/none/below")


def test_removing(sftp: SFTPClient, tree: Path) -> None:
    with pytest.raises(OSError, match="not empty") as caught:
        sftp.rmdir(tree / "a")
    assert caught.value.errno == errno.ENOTEMPTY
    sftp.rmdir(tree / "a" / "d")
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (tree / "a" / "out").symlink_to(outside)
    sftp.rmtree(tree / "a")
    assert not (tree / "a").exists() and (outside / "precious").exists(), "links are removed, not followed"
    with pytest.raises(NotADirectoryError):
        sftp.rmtree(tree / "e" / "loop")
    assert (tree / "f").exists()


def test_removing_what_resists(against: Any) -> None:
    def names(server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        if server.count(fake.READDIR) > 1:
            return None
        return fake.name(question.number, (b"f", fake.REGULAR), (b"g", fake.REGULAR))

    denied = {fake.REMOVE: lambda _, question: fake.status(question.number, fake.DENIED)}
    client, _server = against({}, answers={fake.READDIR: names, **denied})
    with pytest.raises(PermissionError):
        client.rmtree("/d")
    client, _server = against({}, answers={fake.READDIR: names, **denied})
    errors: list[OSError] = []
    client.rmtree("/d", onerror=errors.append)
    assert [error.filename for error in errors] == ["/d/f", "/d/g", "/d"]
    client, _server = against({}, answers={fake.READDIR: names, **denied})
    client.rmtree("/d", ignore_errors=True)


# ---- servers that lie


@pytest.mark.parametrize("name", [b"", b"a/b", b"/etc/passwd", b"../up", b"nul\0"])
def test_names_that_no_file_can_have(against: Any, name: bytes) -> None:
    client, _server = against(
        {}, answers={fake.READDIR: lambda _, question: fake.name(question.number, (name, fake.REGULAR))}
    )
    for call in (client.listdir, client.glob, client.rmtree):
        with pytest.raises(SuspectName):
            call("/d/*" if call == client.glob else "/d")
    assert client.stat is not None and not client.closed, "the client goes on"


def test_names_that_are_only_odd(against: Any) -> None:
    odd = [b".", b"..", b"new\nline", b"\x1b[31m", b"\xff\xfe", b"..\\x", b"CON", b"x" * 300, b"twice", b"twice"]

    def names(server: fake.FakeSftp, question: fake.Question) -> bytes | None:
        if server.count(fake.READDIR) > 1:
            return None
        return fake.name(question.number, *((name, fake.REGULAR) for name in odd))

    client, _server = against({}, answers={fake.READDIR: names})
    assert [os.fsencode(name) for name in client.listdir("/d")] == odd[2:]


def test_a_directory_without_end(against: Any, monkeypatch: pytest.MonkeyPatch, until: Any) -> None:
    count = itertools.count()

    def names(_: fake.FakeSftp, question: fake.Question) -> bytes:
        return fake.name(question.number, *((b"n%d" % next(count), fake.REGULAR) for _ in range(100)))

    client, server = against({}, answers={fake.READDIR: names})
    assert len(list(itertools.islice(client.scandir("/d"), 1000))) == 1000
    monkeypatch.setattr(directories, "MOST_NAMES", 2000)
    with pytest.raises(SFTPError, match="more than 2000"):
        client.listdir("/d")
    client.realpath(".")
    until(lambda: not server.handles)


def test_no_names_for_ever(against: Any) -> None:
    """The end of a directory is a status (section 6.7)."""
    client, _server = against({}, answers={fake.READDIR: lambda _, question: fake.name(question.number)})
    with pytest.raises(SFTPError):
        client.listdir("/d")
