"""Any sequence of operations leaves the tree as the same sequence of Python's own functions leaves one here."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from openssh_core.sftp import SFTPClient

NAMES = ["a", "b", "a/a", "a/b", "b/a", "a/a/a"]
names = st.sampled_from(NAMES)
data = st.binary(max_size=20) | st.integers(200_000, 600_000).map(lambda size: b"xyz" * (size // 3))


class Trees(RuleBasedStateMachine):
    """One tree is changed over SFTP, one by `os`; each step goes well on both or fails in the same way on both."""

    client: SFTPClient

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="model-"))
        self.there, self.here = self.top / "there", self.top / "here"
        self.there.mkdir()
        self.here.mkdir()

    def teardown(self) -> None:
        shutil.rmtree(self.top)

    def both(self, over_sftp: Callable[[Path], object], locally: Callable[[Path], object]) -> None:
        results = []
        for step, root in ((over_sftp, self.there), (locally, self.here)):
            try:
                step(root)
                results.append("went well")
            except OSError as error:
                results.append(_kind(error))
        assert results[0] == results[1]

    @rule(name=names, content=data, mode=st.sampled_from(["wb", "ab", "xb", "r+b"]))
    def write(self, name: str, content: bytes, mode: str) -> None:
        def over_sftp(root: Path) -> None:
            with self.client.open(root / name, mode) as file:
                file.write(content)

        def locally(root: Path) -> None:
            with open(root / name, mode) as file:
                file.write(content)

        self.both(over_sftp, locally)

    @rule(name=names, content=data)
    def put(self, name: str, content: bytes) -> None:
        source = self.top / "source"
        source.write_bytes(content)
        self.both(lambda root: self.client.put(source, root / name), lambda root: (root / name).write_bytes(content))

    @rule(name=names)
    def get(self, name: str) -> None:
        self.both(
            lambda root: self.client.get(root / name, self.top / "got"),
            lambda root: shutil.copyfile(root / name, self.top / "expected"),
        )
        if (self.top / "got").exists() and (self.top / "expected").exists() and (self.there / name).is_file():
            assert (self.top / "got").read_bytes() == (self.top / "expected").read_bytes()

    @rule(name=names)
    def mkdir(self, name: str) -> None:
        self.both(lambda root: self.client.mkdir(root / name), lambda root: os.mkdir(root / name))

    @rule(name=names)
    def makedirs(self, name: str) -> None:
        self.both(
            lambda root: self.client.makedirs(root / name, exist_ok=True),
            lambda root: os.makedirs(root / name, exist_ok=True),
        )

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.both(lambda root: self.client.remove(root / name), lambda root: os.remove(root / name))

    @rule(name=names)
    def rmdir(self, name: str) -> None:
        self.both(lambda root: self.client.rmdir(root / name), lambda root: os.rmdir(root / name))

    @rule(name=names)
    def rmtree(self, name: str) -> None:
        self.both(lambda root: self.client.rmtree(root / name), lambda root: shutil.rmtree(root / name))

    @rule(old=names, new=names)
    def replace(self, old: str, new: str) -> None:
        self.both(
            lambda root: self.client.replace(root / old, root / new), lambda root: os.replace(root / old, root / new)
        )

    @rule(name=names, leads_to=st.sampled_from(["a", "b", "nowhere", "a/b"]))
    def symlink(self, name: str, leads_to: str) -> None:
        self.both(
            lambda root: self.client.symlink(leads_to, root / name), lambda root: os.symlink(leads_to, root / name)
        )

    @rule(name=names, mode=st.sampled_from([0o600, 0o644, 0o755]))
    def chmod(self, name: str, mode: int) -> None:
        self.both(lambda root: self.client.chmod(root / name, mode), lambda root: os.chmod(root / name, mode))

    @rule(name=names, size=st.integers(0, 100))
    def truncate(self, name: str, size: int) -> None:
        self.both(lambda root: self.client.truncate(root / name, size), lambda root: os.truncate(root / name, size))

    @invariant()
    def the_trees_are_equal(self) -> None:
        assert _picture(self.there) == _picture(self.here)


def _kind(error: OSError) -> str:
    """What a caller can go by. The server says no more than "no such file" of a path that leads through a file, or in
    circles, and no more than "failure" of much else."""
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno in (errno.ELOOP, None):
        return "not there"  # without an errno: shutil.rmtree on a link
    return "refused"


def _picture(root: Path) -> dict[str, tuple[int, bytes | str]]:
    """What is below a directory: modes, contents, and where links lead."""
    picture: dict[str, tuple[int, bytes | str]] = {}
    for top, below, files in os.walk(root):
        for name in below + files:
            path = Path(top, name)
            mode = path.lstat().st_mode
            content: bytes | str = ""
            if stat.S_ISLNK(mode):
                content = os.readlink(path)
            elif stat.S_ISREG(mode):
                content = path.read_bytes()
            picture[str(path.relative_to(root))] = (mode, content)
    return picture


def test_any_sequence_of_operations(sftp: SFTPClient) -> None:
    machine = type("OverOneClient", (Trees,), {"client": sftp})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
