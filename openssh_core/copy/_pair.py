"""Two programs that talk to each other: each has an end of one socket as its standard input and output."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

from .._io import program
from .._io.deadline import Deadline

_KEPT = 65536


class Pair:
    """They run from here on until one of them ends, and then the other, or until `end`.

    Raises:
        OSError: one of them cannot be run.
    """

    def __init__(self, one: Sequence[str], other: Sequence[str]) -> None:
        self._owner = os.getpid()
        self._said: list[IO[bytes]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        ours, theirs = socket.socketpair()
        try:
            with ours, theirs:
                for argv, end in ((one, ours), (other, theirs)):
                    self._said.append(tempfile.TemporaryFile())
                    out = self._said[-1].fileno()
                    self._processes.append(program.start(argv, stdin=end.fileno(), stdout=end.fileno(), stderr=out))
        except BaseException:
            self.end(0.0)
            raise

    @property
    def pids(self) -> tuple[int, int]:
        """Their process numbers."""
        one, other = self._processes
        return one.pid, other.pid

    def has_ended(self, which: int | None = None) -> bool:
        """Whether one of them has ended, or that one (0, 1)."""
        chosen = self._processes if which is None else [self._processes[which]]
        return any(process.poll() is not None for process in chosen)

    def returncode(self, which: int) -> int | None:
        """How it ended; None while it runs."""
        return self._processes[which].poll()

    def said(self, which: int) -> str:
        """The end of what it said on stderr."""
        file = self._said[which]
        if file.closed:
            return ""
        size = os.fstat(file.fileno()).st_size
        return os.pread(file.fileno(), _KEPT, max(0, size - _KEPT)).decode("utf-8", "surrogateescape")

    def wait(self, deadline: Deadline) -> bool:
        """Wait until both have ended; False when the deadline passed first."""
        for process in self._processes:
            try:
                process.wait(deadline.left())
            except subprocess.TimeoutExpired:
                return False
        return True

    def end(self, grace: float = program.GRACE) -> None:
        """See to it that both are gone. Idempotent. In a forked child they are the parent's, and go on."""
        if os.getpid() == self._owner:
            for process in self._processes:
                program.end(process, grace)
        for file in self._said:
            file.close()
