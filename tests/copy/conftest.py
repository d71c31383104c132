"""One connection for the tests of a file, and names that every program has stumbled over."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import openssh_core
from openssh_core import Connection
from openssh_core.testing import LoopbackServer

NAMES = [
    b"plain",
    b"a blank",
    b" in front",
    b"behind ",
    b"it's",
    b'"double"',
    b"$HOME `id` $(id) ${x}",
    b"a;b&c|d<e>f",
    b"-dash",
    b"--",
    b"-oProxyCommand=x",
    b"~",
    b"~root",
    b"star*",
    b"[bracket]",
    b"question?",
    b"{a,b}",
    b"back\\slash",
    b"all\\*of[it]?",
    b"\\",
    b"new\nline",
    b"tab\tand\x1b[31mescape",
    b"host:file",
    b":colon",
    b"#hash!bang",
    b"\xc3\xa4 is UTF-8",
    b"\xff\xfe is not",
    b"percent%h%%",
    b"...",
]
# What a pattern among the names would fit by mistake.
DECOYS = [b"starX", b"b", b"questionX", b"back/slash", b"allXofiX"]


def random_file(path: Path, size: int) -> Path:
    """A file with a time of its own."""
    path.write_bytes(os.urandom(size))
    os.utime(path, (1_000_000, 1_000_000))
    return path


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[Connection]:
    """A connection that no test ends. One for each file: what comes after it may look for threads that are left."""
    with openssh_core.connect(**loopback_server.connect_options()) as connection:
        connection.run("true")  # with its first session the server's process changes its name
        connection.get("/etc/hostname", io.BytesIO())  # the session for files stays: it is no test's leak
        yield connection


class Odd:
    """Files with odd names, whose content is their name, among decoys.

    Attributes:
        source: the directory they are in.
        target: an empty one.
    """

    def __init__(self, root: Path) -> None:
        self.source = os.fsencode(root / "from")
        self.target = os.fsencode(root / "to")
        for directory in (self.source, self.target):
            os.mkdir(directory)
        for name in NAMES:
            self._write(name, name)
        for name in DECOYS:
            if b"/" not in name:
                self._write(name, b"decoy")

    def _write(self, name: bytes, content: bytes) -> None:
        with open(os.path.join(self.source, name), "wb") as file:
            file.write(content)

    def paths(self) -> list[bytes]:
        """The files."""
        return [os.path.join(self.source, name) for name in NAMES]

    def check(self, directory: bytes | None = None) -> None:
        """See that each of them arrived, and nothing else."""
        directory = directory or self.target
        assert sorted(os.listdir(directory)) == sorted(NAMES)
        for name in NAMES:
            with open(os.path.join(directory, name), "rb") as file:
                assert file.read() == name


@pytest.fixture
def odd(tmp_path: Path) -> Odd:
    """See `Odd`."""
    return Odd(tmp_path)


def script(path: Path, text: str) -> str:
    """A program of a few lines for the shell."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def runs(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come about within {seconds:g} s"
        time.sleep(0.01)
