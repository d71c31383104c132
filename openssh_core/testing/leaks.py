"""Nothing is left behind: what is open, runs or waits is noted before, and compared after.

Things end a moment after they were told to, so the comparison is repeated until it holds or a deadline has passed.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from . import _processes

_DEAD = "dead, but nobody waited for it"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What this process has at one moment. Each thing is a line of text, as often as it is there.

    Attributes:
        descriptors: what they lead to, such as `socket:[4711]` or a path (`descriptor 7` where the system does not
            tell).
        threads: their names and numbers.
        processes: living and unwaited-for descendants of this process, and ssh processes that name `control_dir`.
        control_dir: the directory whose ssh processes were looked for.
    """

    descriptors: Counter[str]
    threads: Counter[str]
    processes: Counter[str]
    control_dir: str | None = None


def snapshot(control_dir: str | os.PathLike[str] | None = None) -> Snapshot:
    """Note what there is now.

    Args:
        control_dir: ssh processes whose command line names this directory count as ours, though they are no
            descendants any more: a master that went to the background is not.
    """
    directory = os.fspath(control_dir) if control_dir is not None else None
    return Snapshot(_descriptors(), _threads(), _processes_of_ours(directory), directory)


def whats_left(before: Snapshot, *, allow: Collection[str] = ()) -> list[str]:
    """What is there now and was not then, a readable line for each thing; see `assert_nothing_left`."""
    now = snapshot(before.control_dir)
    left = []
    for kind in ("descriptors", "threads", "processes"):
        more = getattr(now, kind) - getattr(before, kind)
        left += [f"{kind}: {thing}" for thing in sorted(more.elements()) if not _only_renamed(thing, before)]
    return [line for line in left if not any(word in line for word in allow)]


def _only_renamed(thing: str, before: Snapshot) -> bool:
    """Whether it is a living process that was there before under another title: sshd gives itself several."""
    same = thing.partition(" ")[0] + " "
    return not thing.endswith(_DEAD) and any(known.startswith(same) for known in before.processes)


def assert_nothing_left(before: Snapshot, *, timeout: float = 10.0, allow: Collection[str] = ()) -> None:
    """Wait until nothing is there that was not there `before`.

    Args:
        timeout: how long, in seconds.
        allow: texts; a line of the report that holds one of them is no leak.

    Raises:
        AssertionError: something is left; the message lists it.
    """
    deadline = time.monotonic() + timeout
    pause = 0.001
    while left := whats_left(before, allow=allow):
        if time.monotonic() > deadline:
            raise AssertionError("left behind:\n  " + "\n  ".join(left))
        gc.collect()  # what only the collector can close is not a leak, but late
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _descriptors() -> Counter[str]:
    links = Counter[str]()
    directory = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for name in os.listdir(directory):
        try:
            target = os.readlink(f"{directory}/{name}") if directory.startswith("/proc") else f"descriptor {name}"
        except OSError:  # the one that listed the directory
            continue
        links[target] += 1
    return links


def _threads() -> Counter[str]:
    return Counter(f"{thread.name} ({thread.ident})" for thread in threading.enumerate())


def _processes_of_ours(control_dir: str | None) -> Counter[str]:
    processes = _processes.table()
    ours = {process.pid for process in processes.values() if process.parent == os.getpid()}
    ours |= set(_processes.descendants([os.getpid()], processes))
    texts = Counter(f"{pid} {processes[pid].name}: {_text(processes[pid])}" for pid in ours)
    for process in processes.values():
        if control_dir is None or process.pid in ours or process.gone or not process.name.startswith("ssh"):
            continue
        if control_dir in (line := _processes.command_line(process.pid)):
            texts[f"{process.pid} {process.name}: {line}"] += 1
    return texts


def _text(process: _processes.Process) -> str:
    return _DEAD if process.gone else _processes.command_line(process.pid)
