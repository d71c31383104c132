"""What connections cost while they are there and do nothing: threads and memory.

The memory of this process is what is resident. That of the ssh processes is their proportional set size: a page that
several processes share counts for each of them in part, so a hundred of them are charged with one copy of the program
between them (proc(5), smaps_rollup).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = ["held"]

T = TypeVar("T")


def held(
    connect: Callable[[], T], count: int, *, close: Callable[[T], object], works_for: Callable[[T], int]
) -> list[float]:
    """Hold `count` connections; threads besides the program's own, then MiB a connection: of this process, and of it
    and the processes that work for it.

    Args:
        connect: logs in, and runs a command.
        works_for: the id of the process that a connection has, 0 where it has none.
    """
    connections = [connect()]
    try:
        # What the first one needs for all of them is not counted, nor is the shell that cleans up after a crash.
        before, helpers = _own(), _theirs(connections, works_for)
        connections += [connect() for _ in range(count - 1)]
        threads = len(os.listdir("/proc/self/task")) - 1
        own = _own() - before
        others = _theirs(connections, works_for) - helpers
        return [threads, own / (count - 1), (own + others) / (count - 1)]
    finally:
        for connection in connections:
            close(connection)


def _theirs(connections: list[T], works_for: Callable[[T], int]) -> float:
    return sum(_mebibytes(pid, "Pss") for connection in connections if (pid := works_for(connection)))


def _own() -> float:
    gc.collect()
    return _mebibytes(os.getpid(), "Rss")


def _mebibytes(pid: int, kind: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith(f"{kind}:"))
    return int(size) / 1024
