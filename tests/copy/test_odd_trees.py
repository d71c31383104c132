"""A tree with every kind of odd name, of files, directories and links, goes there and back by each way."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openssh_core import Connection

from .conftest import NAMES
from .test_sshfs import FUSE, refused

CONTROL = b"bell\a \1\2\37 delete\x7f back\bspace \x9b31mC1 \x1b]0;title\a".split(b" ")
BLANKS = [b" ", b"  ", b"\t", b"\n", b"\r\n", b"tab\t", b"line end\n", b"carriage\rreturn", b"a - b", b"x -- -e sh"]
DOTS = b"dot. dots.. ..x .hidden ...x ..: .:".split()
SHELL = b"$ ` ' \" ! $(id) && | ; # %s % ^ = @ a=b ? < > $'x' \\' \\\" \\n $IFS ${HOME}".split()
GLOBS = b"* [ ] [] [!a] { {} {a..c} ** [a-z]* \\* \\[ +(x) ~+ ~- ~nobody *~".split()
TEXT = b"e\xcc\x81 \xc3\xa9 \xf0\x9f\x90\x8d \xe2\x80\xaetxt \xc3 \xed\xa0\x80 \xf8\x88\x80\x80\x80".split(b" ")
HOSTS = b"host: [::1]:x user@host:x CON rsync: -: -e --rsh=x .x.0123456789ab.part .x.5f-10.part".split()
# As long as a name may be (NAME_MAX): nothing can be put before or behind it.
LONG = [(word * 255)[:255] for word in (b"x", b"\xff", b"-\n", b"*", b"'", b"\\", b"$ ", b".", b"\xe4\xb8\xad")]
ALL = [*dict.fromkeys([*NAMES, *CONTROL, *BLANKS, *DOTS, *SHELL, *GLOBS, *TEXT, *HOSTS, *LONG])]

Picture = dict[bytes, "bytes | None"]


def make(root: bytes, *, links: bool) -> None:
    """One file and one directory of each name, with one file of that name in it, and links that lead to each other."""
    os.makedirs(os.path.join(root, b"directories"))
    os.makedirs(os.path.join(root, b"links"))
    for number, name in enumerate(ALL):
        inner = os.path.join(root, b"directories", name)
        os.mkdir(inner)
        # Every other directory stays empty.
        for path in (os.path.join(root, name), *([os.path.join(inner, name)] if number % 2 else [])):
            with open(path, "wb") as file:
                file.write(name)
        if links:
            os.symlink(ALL[number - 1], os.path.join(root, b"links", name))


def picture(root: bytes) -> Picture:
    """Everything below it: the contents of files, where links lead, None for directories."""
    found: Picture = {}
    for top, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                content: bytes | None = b"-> " + os.readlink(path)
            elif stat.S_ISDIR(mode):
                content = None
            else:
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, root)] = content
    return found


def put_down(tree: Picture, root: bytes) -> None:
    """Make a tree of what is known of one."""
    os.mkdir(root)
    for path, content in sorted(tree.items()):
        path = os.path.join(root, path)
        if content is None:
            os.mkdir(path)
        elif content.startswith(b"-> "):
            os.symlink(content[3:], path)
        else:
            with open(path, "wb") as file:
                file.write(content)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a name so short that there is room for long ones below it."""
    path = Path(os.path.realpath("/tmp")) / f"odd-{os.urandom(4).hex()}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def sftp(host: Connection, source: bytes, there: bytes, back: bytes, _place: Path) -> None:
    host.put(source, there, recursive=True)
    host.get(there, back, recursive=True)


def sftp_with_digests(host: Connection, source: bytes, there: bytes, back: bytes, _place: Path) -> None:
    """The server's own program is given the names, and tells them; and unfinished files have names of another kind."""
    host.put(source, there, recursive=True, verify=True, resume=True)
    host.get(there, back, recursive=True, verify=True, resume=True)


def scp(host: Connection, source: bytes, there: bytes, back: bytes, _place: Path) -> None:
    host.scp_put(source, there, recursive=True)
    host.scp_get(there, back, recursive=True)


def rsync(host: Connection, source: bytes, there: bytes, back: bytes, _place: Path) -> None:
    host.rsync_put(source + b"/", there, archive=True)
    host.rsync_get(there + b"/", back, archive=True)


def sshfs(host: Connection, source: bytes, there: bytes, back: bytes, place: Path) -> None:
    """Through a mounted directory."""
    mount = place / "mount"
    mount.mkdir()
    if not FUSE:
        refused(host, place, mount)
        sftp(host, source, there, back, place)
        return
    with host.sshfs_mount(os.fsencode(place), mount):
        through = os.fsencode(mount)
        put_down(picture(source), os.path.join(through, os.path.basename(there)))
        put_down(picture(os.path.join(through, os.path.basename(there))), back)


@pytest.mark.parametrize("way", [sftp, sftp_with_digests, scp, rsync, sshfs])
def test_there_and_back(shared: Connection, place: Path, way: Callable[..., None]) -> None:
    source, there, back = (
        os.path.join(os.fsencode(place), name) for name in (b"from", b"-t h'e$r\xffe\n*", b"b[a]ck ~")
    )
    # scp has no links: it copies what they lead to.
    make(source, links=way is not scp)
    expected = picture(source)
    assert len(expected) > 2 * len(ALL) > 200
    way(shared, source, there, back, place)
    assert picture(there) == expected
    assert picture(back) == expected
