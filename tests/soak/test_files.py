"""Ten thousand operations on files, of every kind and in any order, leave the tree there as Python's own do one here.

Not a part of the other tests, for it takes longer than they may: `tox -e soak`. Each test is a thousand operations that
follow from its number; the variable SOAK says with which number to begin.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import openssh_core
from openssh_core import Connection
from openssh_core.sftp import SFTPClient
from openssh_core.testing import LoopbackServer

TESTS, OPERATIONS = 10, 1000
# As many as one tree lives through.
STEPS = 50
FIRST = int(os.environ.get("SOAK", "0"))

NAMES = ["a", "b", "a/a", "a/b", "b/a", "a/a/a", "b/-n *\n", "b/\udcff"]
names = st.sampled_from(NAMES)
contents = st.sampled_from([b"", b"x", b"some\n", bytes(100), bytes(70_000)]) | st.binary(max_size=20)
permissions = st.sampled_from([0o700, 0o750, 0o777])
options = st.sampled_from(["", "atomic=False", "append=True", "resume=True", "overwrite=False", "sparse=True"])
Step = Callable[[Path], object]


class Trees(RuleBasedStateMachine):
    """One tree is changed over the connection, one by `os`; each step goes well on both or fails in one way on both."""

    host: Connection
    sftp: SFTPClient
    done = 0

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="soak-"))
        self.there, self.here = self.top / "there", self.top / "here"
        for path in (self.there, self.here, self.top / "tree" / "d" / "e"):
            path.mkdir(parents=True)
        (self.top / "tree" / "f").write_bytes(b"in a tree")
        (self.top / "tree" / "d" / "f").write_bytes(b"below")
        (self.top / "tree" / "d" / "link").symlink_to("f")

    def teardown(self) -> None:
        shutil.rmtree(self.top)

    def both(self, over_it: Step, by_os: Step) -> tuple[object, object]:
        """What both returned, or how they failed, which must be the same."""
        type(self).done += 1
        ways: list[str] = []
        results: list[object] = []
        for step, root in ((over_it, self.there), (by_os, self.here)):
            try:
                results.append(step(root))
                ways.append("went well")
            except OSError as error:
                results.append(error)
                ways.append(_kind(error))
        assert ways[0] == ways[1], results
        return results[0], results[1]

    def source(self, content: bytes) -> Path:
        """A file with this content."""
        path = self.top / "source"
        path.write_bytes(content)
        return path

    @invariant()
    def the_trees_are_equal(self) -> None:
        assert picture(self.there) == picture(self.here)

    # ---- by the connection: whole files and trees

    @rule(name=names, content=contents, option=options)
    def put(self, name: str, content: bytes, option: str) -> None:
        source = self.source(content)
        word, _, value = option.partition("=")
        chosen: dict[str, Any] = {word: value == "True"} if word else {}
        self.both(
            lambda root: self.host.put(source, root / name, **chosen),
            lambda root: put_here(source, root / name, **chosen),
        )

    @rule(name=names, option=st.sampled_from(["", "resume", "sparse"]))
    def get(self, name: str, option: str) -> None:
        chosen: dict[str, Any] = {option: True} if option else {}
        got, expected = self.top / "got", self.top / "expected"
        ours, _ = self.both(
            lambda root: self.host.get(root / name, got, **chosen), lambda root: shutil.copyfile(root / name, expected)
        )
        if not isinstance(ours, OSError):
            assert got.read_bytes() == expected.read_bytes()

    @rule(name=names)
    def put_a_tree(self, name: str) -> None:
        assume(not os.path.lexists(self.here / name) and (self.here / name).parent.is_dir())
        tree = self.top / "tree"
        self.both(
            lambda root: self.host.put(tree, root / name, recursive=True),
            lambda root: shutil.copytree(tree, root / name, symlinks=True),
        )

    @rule(name=names)
    def get_a_tree(self, name: str) -> None:
        assume((self.here / name).is_dir())
        got = self.top / "got tree"
        self.both(
            lambda root: self.host.get(root / name, got, recursive=True, links="skip"),
            lambda root: os.stat(root / name),
        )
        expected = picture(self.here / name)
        for link in [path for path, (mode, _) in expected.items() if stat.S_ISLNK(mode)]:
            del expected[link]
        assert {path: what for path, (_, what) in picture(got).items()} == {
            path: what for path, (_, what) in expected.items()
        }
        shutil.rmtree(got)

    # ---- by a client: everything else

    @rule(name=names, content=contents, mode=st.sampled_from(["wb", "ab", "xb", "r+b"]))
    def write(self, name: str, content: bytes, mode: str) -> None:
        def over_it(root: Path) -> None:
            with self.sftp.open(root / name, mode) as file:
                file.write(content)

        def by_os(root: Path) -> None:
            with open(root / name, mode) as file:
                file.write(content)

        self.both(over_it, by_os)

    @rule(name=names, at=st.integers(0, 200), size=st.integers(0, 200))
    def read(self, name: str, at: int, size: int) -> None:
        def part(file: Any) -> bytes:
            with file:
                file.seek(at)
                return bytes(file.read(size))

        ours, expected = self.both(
            lambda root: part(self.sftp.open(root / name, "rb")), lambda root: part(open(root / name, "rb"))
        )
        assert isinstance(ours, OSError) or ours == expected

    @rule(name=names)
    def listdir(self, name: str) -> None:
        ours, expected = self.both(
            lambda root: sorted(self.sftp.listdir(root / name)), lambda root: sorted(os.listdir(root / name))
        )
        assert isinstance(ours, OSError) or ours == expected

    @rule(name=names, follow=st.booleans())
    def look(self, name: str, follow: bool) -> None:
        def facts(status: Any) -> tuple[int, int, int]:
            return status.st_mode, status.st_uid, 0 if stat.S_ISDIR(status.st_mode) else status.st_size

        ours, expected = self.both(
            lambda root: facts((self.sftp.stat if follow else self.sftp.lstat)(root / name)),
            lambda root: facts(os.stat(root / name, follow_symlinks=follow)),
        )
        assert isinstance(ours, OSError) or ours == expected

    @rule(name=names)
    def walk(self, name: str) -> None:
        def paths(tops: Any, root: Path) -> list[str]:
            return sorted(
                os.path.relpath(os.path.join(top, one), root) for top, dirs, files in tops for one in dirs + files
            )

        ours, expected = self.both(
            lambda root: paths(self.sftp.walk(root / name), root), lambda root: paths(os.walk(root / name), root)
        )
        assert ours == expected

    @rule(name=names, mode=permissions)
    def mkdir(self, name: str, mode: int) -> None:
        self.both(lambda root: self.sftp.mkdir(root / name, mode), lambda root: os.mkdir(root / name, mode))

    @rule(name=names)
    def makedirs(self, name: str) -> None:
        self.both(
            lambda root: self.sftp.makedirs(root / name, exist_ok=True),
            lambda root: os.makedirs(root / name, exist_ok=True),
        )

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.both(lambda root: self.sftp.remove(root / name), lambda root: os.remove(root / name))

    @rule(name=names)
    def rmdir(self, name: str) -> None:
        self.both(lambda root: self.sftp.rmdir(root / name), lambda root: os.rmdir(root / name))

    @rule(name=names)
    def rmtree(self, name: str) -> None:
        self.both(lambda root: self.sftp.rmtree(root / name), lambda root: shutil.rmtree(root / name))

    @rule(old=names, new=names)
    def rename(self, old: str, new: str) -> None:
        self.both(
            lambda root: self.sftp.rename(root / old, root / new), lambda root: rename_here(root / old, root / new)
        )

    @rule(old=names, new=names)
    def replace(self, old: str, new: str) -> None:
        self.both(
            lambda root: self.sftp.replace(root / old, root / new), lambda root: os.replace(root / old, root / new)
        )

    @rule(old=names, new=names)
    def link(self, old: str, new: str) -> None:
        self.both(
            lambda root: self.sftp.link(root / old, root / new),
            lambda root: os.link(root / old, root / new, follow_symlinks=False),
        )

    @rule(name=names, leads_to=st.sampled_from(["a", "b", "nowhere", "a/b", ".", "../a"]))
    def symlink(self, name: str, leads_to: str) -> None:
        self.both(lambda root: self.sftp.symlink(leads_to, root / name), lambda root: os.symlink(leads_to, root / name))

    @rule(name=names, mode=permissions)
    def chmod(self, name: str, mode: int) -> None:
        self.both(lambda root: self.sftp.chmod(root / name, mode), lambda root: os.chmod(root / name, mode))

    @rule(name=names, size=st.integers(0, 100))
    def truncate(self, name: str, size: int) -> None:
        self.both(lambda root: self.sftp.truncate(root / name, size), lambda root: os.truncate(root / name, size))


def put_here(
    source: Path, target: Path, *, append: bool = False, atomic: bool = True, overwrite: bool = True, **_: bool
) -> None:
    """What `Connection.put` says that it does."""
    if target.is_dir():
        target = target / source.name
    where = os.path.realpath(target)
    if os.path.isdir(where):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), where)
    if os.path.islink(where):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), where)
    if not os.path.isdir(os.path.dirname(where)):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), where)
    there = os.path.exists(where)
    if there and not overwrite:
        return
    if append or not atomic:
        with open(where, "ab" if append else "wb") as file:
            file.write(source.read_bytes())
        return
    beside = f"{where}.new"
    shutil.copyfile(source, beside)
    if there:
        os.chmod(beside, stat.S_IMODE(os.stat(where).st_mode))
    os.replace(beside, where)


def rename_here(old: Path, new: Path) -> None:
    """As OpenSSH's server does it: a file by link(2), so that nothing is replaced."""
    if stat.S_ISREG(os.lstat(old).st_mode):
        os.link(old, new, follow_symlinks=False)
        os.unlink(old)
    elif new.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    else:
        os.rename(old, new)


def _kind(error: OSError) -> str:
    """What a caller can go by. The server says no more than "no such file" of a path that leads through a file, or in
    circles, and no more than "failure" of much else."""
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno in (errno.ELOOP, None):
        return "not there"  # without an errno: shutil.rmtree on a link
    return "refused"


def picture(root: Path) -> dict[str, tuple[int, bytes | str]]:
    """What is below a directory: modes, contents, and where links lead."""
    found: dict[str, tuple[int, bytes | str]] = {}
    waiting = [(os.fspath(root), "")]
    while waiting:
        top, inside = waiting.pop()
        for entry in os.scandir(top):
            mode = entry.stat(follow_symlinks=False).st_mode
            what: bytes | str = ""
            if stat.S_ISDIR(mode):
                waiting.append((entry.path, f"{inside}{entry.name}/"))
            elif stat.S_ISLNK(mode):
                what = os.readlink(entry.path)
            else:
                what = Path(entry.path).read_bytes()
            found[inside + entry.name] = (mode, what)
    return found


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[tuple[Connection, SFTPClient]]:
    """One connection for everything."""
    with openssh_core.connect(**loopback_server.connect_options()) as host, host.sftp() as sftp:
        yield host, sftp


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(FIRST, FIRST + TESTS))
def test_any_sequence_of_operations(shared: tuple[Connection, SFTPClient], number: int) -> None:
    host, sftp = shared
    machine = seed(number)(type("OverOneConnection", (Trees,), {"host": host, "sftp": sftp}))
    wanted = settings(
        max_examples=OPERATIONS // STEPS + 5,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to look for a shorter example would take longer than to read this one
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=wanted)
    assert machine.done >= OPERATIONS
