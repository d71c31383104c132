"""Saying how far a copy is: to a callback, to a terminal, or line by line.

What comes from a server (names of files) never reaches a terminal as it is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Callback = Callable[[int, "int | None", "str | None"], object]
"""Called with the bytes done, the bytes in all (None while not known) and the name of the file (None: of several).
What it raises ends the copy, and is raised by it."""

Progress = bool | Callback | None
"""True: a bar on a terminal, lines elsewhere, both on stderr. A `Callback`. Otherwise nothing."""

# Seconds between two lines.
_PERIOD = 1.0


@contextlib.contextmanager
def told(progress: Progress, title: str) -> Iterator[Callback | None]:
    """What to call, for as long as the copy takes.

    Args:
        title: stands in front of the bar, or of each line.
    """
    if not progress:
        yield None
    elif callable(progress):
        yield progress
    else:
        bar = _bar(title, sys.stderr)
        if bar is None:
            lines = Lines(title, sys.stderr)
            yield lines
            lines.last()
        else:
            with bar[0]:
                yield bar[1]


class Lines:
    """A line each second, and one at the end."""

    def __init__(self, title: str, out: TextIO, clock: Callable[[], float] = monotonic) -> None:
        self._title = title
        self._out = out
        self._clock = clock
        self._next = clock() + _PERIOD
        self._line = ""
        self._said = ""

    def __call__(self, done: int, total: int | None, file: str | None) -> None:
        of = f" of {size(total)}" if total else ""
        percent = f" ({100 * done // total}%)" if total else ""
        name = f" {printable(file)}" if file else ""
        self._line = f"{self._title}: {size(done)}{of}{percent}{name}\n"
        now = self._clock()
        if now >= self._next:
            self._next = now + _PERIOD
            self.last()

    def last(self) -> None:
        """Put out what has not been."""
        if self._line != self._said:
            self._said = self._line
            self._out.write(self._line)
            self._out.flush()


def _bar(title: str, out: TextIO) -> tuple[RichProgress, Callback] | None:
    """A bar, where there is a terminal and rich is installed."""
    if not out.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed
    except ImportError:
        return None
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), Speed()]
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(file=out))
    task = bar.add_task(title, total=None)

    def update(done: int, total: int | None, file: str | None) -> None:
        name = f"{title} {printable(file)}" if file else title
        bar.update(task, completed=done, total=total, description=name[:60])

    return bar, update


def printable(name: str) -> str:
    """A name of a file for a terminal: whatever could steer it is written as Python would."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        amount /= 1024
        if amount < 1024 or unit == "TiB":
            break
    return f"{amount:.1f} {unit}"
