"""Where the output of commands on several hosts is shown: each line with its host in front, and in a file for each."""

from __future__ import annotations

import os
import re
import threading
from io import TextIOBase
from pathlib import Path
from typing import IO

__all__ = ["HostLog", "Prefixed", "Shown"]

# Told apart at a glance, readable on dark and light: cyan, green, yellow, blue, magenta, red.
_COLOURS = (36, 32, 33, 34, 35, 31)

# What a file's name may not have in it, on any system.
_UNSAFE = re.compile(r"[^A-Za-z0-9._@-]+")

_lock = threading.Lock()


class Prefixed(TextIOBase):
    """A text stream whose lines begin with a host's name. Whole lines are written at once, whoever else writes.

    Args:
        target: where they go.
        host: the name.
        number: which of several hosts this is; chooses a colour where `target` is a terminal.
    """

    def __init__(self, target: IO[str], host: str, number: int) -> None:
        super().__init__()
        self._target = target
        self._prefix = f"[{host}] "
        if target.isatty() and "NO_COLOR" not in os.environ:
            self._prefix = f"\x1b[{_COLOURS[number % len(_COLOURS)]}m{self._prefix}\x1b[0m"
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        self._put(lines)
        return len(text)

    def finish(self) -> None:
        """Write out a last line that had no end."""
        if self._begun:
            self._put([self._begun])
            self._begun = ""

    def _put(self, lines: list[str]) -> None:
        if lines:
            with _lock:
                # A bare carriage return would write over the prefix.
                self._target.write("".join(f"{self._prefix}{line.rstrip(chr(13))}\n" for line in lines))
                self._target.flush()


class HostLog:
    """A file that takes everything a host's commands put out, what is hidden included.

    Args:
        folder: made if need be.
        host: names the file; characters that no file name has become `_`.
    """

    def __init__(self, folder: str, host: str) -> None:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        self._file = open(path / f"{_UNSAFE.sub('_', host).lstrip('.') or '_'}.log", "a", encoding="utf-8")

    def command(self, command: str) -> None:
        """Note what is run."""
        self.write(f"$ {command}\n")

    def write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class Shown:
    """What becomes of the output of one host's commands.

    Args:
        host, number: see `Prefixed`.
        prefix: whether lines get the host's name in front.
        log: takes everything, None for nothing.
    """

    def __init__(self, host: str, number: int, *, prefix: bool, log: HostLog | None) -> None:
        self._host = host
        self._number = number
        self._prefix = prefix
        self.log = log
        self._streams: dict[int, Prefixed] = {}

    def on(self, target: IO[str]) -> IO[str]:
        """What to write to, where `target` would be written to."""
        if not self._prefix:
            return target
        stream = self._streams.get(id(target))
        if stream is None:
            stream = self._streams[id(target)] = Prefixed(target, self._host, self._number)
        return stream  # type: ignore[return-value]  # a TextIOBase is all that is needed of it

    def finish(self) -> None:
        """Show what had no end of line, and close the log."""
        for stream in self._streams.values():
            stream.finish()
        if self.log is not None:
            self.log.close()
