"""Writing one pipe and reading two at the same time, so that none of them can fill up and stop the others."""

from __future__ import annotations

import os
import select
import selectors
from typing import IO, Any

from .deadline import Deadline

_READ = 65_536


class Exchange:
    """What `communicate` does; it can be interrupted by a deadline and taken up again.

    Args:
        stdin, stdout, stderr: files over pipes, None where there is none. Each is closed at its end.
        data: for stdin.
    """

    def __init__(self, stdin: IO[Any] | None, stdout: IO[Any] | None, stderr: IO[Any] | None, data: bytes) -> None:
        self._stdin = stdin
        self._data = memoryview(data)
        self._outputs = {"stdout": stdout, "stderr": stderr}
        self._read: dict[str, list[bytes]] = {name: [] for name, file in self._outputs.items() if file is not None}
        if stdin is not None:
            _quietly(stdin.flush)
            if not data:
                self._close_stdin()

    def go_on(self, deadline: Deadline) -> bool:
        """Write and read until everything is at its end; False when the deadline passed first."""
        with selectors.PollSelector() as selector:
            if self._stdin is not None and not self._stdin.closed:
                selector.register(self._stdin, selectors.EVENT_WRITE, "stdin")
            for name, file in self._outputs.items():
                if file is not None and not file.closed:
                    selector.register(file, selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _events in selector.select(deadline.left()):
                    if not (self._write() if key.data == "stdin" else self._take(key.data)):
                        selector.unregister(key.fileobj)
                        self._close(key.data)
                # Not only where nothing is ready: with some commands there always is.
                if deadline.passed and selector.get_map():
                    return False
        return True

    def output(self, name: str) -> bytes | None:
        """What has come so far; None for what is no pipe."""
        pieces = self._read.get(name)
        return None if pieces is None else b"".join(pieces)

    def _write(self) -> bool:
        """Write a piece; False when that was all, or nobody reads it."""
        assert self._stdin is not None
        try:
            # A pipe that is ready takes this much without making us wait (POSIX, PIPE_BUF).
            self._data = self._data[os.write(self._stdin.fileno(), self._data[: select.PIPE_BUF]) :]
        except BrokenPipeError:
            return False
        return bool(self._data)

    def _take(self, name: str) -> bool:
        file = self._outputs[name]
        assert file is not None
        data = os.read(file.fileno(), _READ)
        self._read[name].append(data)
        return bool(data)

    def _close(self, name: str) -> None:
        if name == "stdin":
            self._close_stdin()
        elif (file := self._outputs[name]) is not None:
            file.close()

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            _quietly(self._stdin.close)


def _quietly(call: Any) -> None:
    try:
        call()
    except BrokenPipeError:
        pass  # the command ended, or closed its input: its own affair
