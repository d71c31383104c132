"""Programs on this machine that stand in for remote ones, each in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from io import FileIO
from typing import IO


class Program:
    """A command that `/bin/sh` runs.

    Args:
        stdin, stdout, stderr: its streams; pipes where left out.
        variables: for its environment, beside ours.
    """

    def __init__(
        self,
        command: bytes,
        stdin: FileIO | int = subprocess.PIPE,
        stdout: FileIO | int = subprocess.PIPE,
        stderr: FileIO | int = subprocess.PIPE,
        *,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [b"/bin/sh", b"-c", command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
        )

    def wait(self) -> int:
        """Its status, -N after signal N."""
        return self.process.wait()

    def signal(self, number: int) -> None:
        """Signal its group; that outlives its leader when the shell has left something behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        if self.process.returncode is None:
            self.signal(signal.SIGKILL)

    def end(self) -> None:
        """Kill it unless it has ended, and have it gone."""
        self.kill()
        self.wait()


class PipedProgram(Program):
    """A command whose streams are pipes.

    Attributes:
        stdin: where its input goes.
        outputs: its stdout and stderr, as long as they are not at their ends.
    """

    def __init__(self, command: bytes, variables: Mapping[str, str]) -> None:
        super().__init__(command, variables=variables)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.stdin: IO[bytes] = self.process.stdin
        self.outputs: list[IO[bytes]] = [self.process.stdout, self.process.stderr]
        self._left = bytearray()
        self._ends = False
        os.set_blocking(self.stdin.fileno(), False)

    def is_stderr(self, output: IO[bytes]) -> bool:
        return output is self.process.stderr

    def give(self, data: bytes = b"", *, end: bool = False) -> int:
        """Give it input, or say that there is no more; how many bytes it has not taken yet."""
        self._left += data
        self._ends = self._ends or end
        if self.stdin.closed:
            self._left.clear()
        try:
            while self._left:
                del self._left[: os.write(self.stdin.fileno(), self._left)]
        except BlockingIOError:
            return len(self._left)
        except OSError:
            self._left.clear()  # nobody reads it
        if self._ends:
            self.stdin.close()
        return 0

    def let_go(self) -> None:
        """Close its pipes."""
        for pipe in (self.stdin, *self.outputs):
            pipe.close()
        self.outputs.clear()
