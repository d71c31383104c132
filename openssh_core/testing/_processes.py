"""Processes are looked at, not remembered: every question reads the system's table anew.

A server's processes are found in three ways that do not depend on each other, because each has a hole. By parent:
a child whose parent died has another one. By an open file in the server's directory: sshd keeps its log open, but the
commands it runs do not. By a variable in the environment (`MARK`): commands have it, but sshd writes its title over it.

The file is a program, too (`python _processes.py DIRECTORY`): it cleans up for an owner that was killed.
So it imports nothing of this package.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "OPENSSH_CORE_TESTING"
"""Set in the environment of every remote command of a server: the server's directory."""

PREFIX = "openssh-core-server-"
"""How the names of these directories begin."""

Find = Callable[[], set[int]]
"""Says which processes are meant, as things are now."""


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table.

    Attributes:
        pid, parent: process numbers.
        state: one letter as in ps(1): `Z` is dead but not yet waited for, `T` is stopped.
        name: the program's file name, cut to 15 characters.
    """

    pid: int
    parent: int
    state: str
    name: str

    @property
    def gone(self) -> bool:
        """Whether it has ended, though its parent may not have asked how."""
        return self.state in "ZX"


def table() -> dict[int, Process]:
    """All processes of this moment, by number."""
    found = _from_proc() if os.path.exists("/proc/self/stat") else _from_ps()
    return {process.pid: process for process in found}


def _from_proc() -> Iterator[Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:  # it ended while we looked
                continue
            # "pid (name) state parent ...", and the name may hold blanks and parentheses.
            head, _, tail = text.rpartition(")")
            state, parent, *_ = tail.split()
            yield Process(int(entry), int(parent), state, head.partition("(")[2])


def _from_ps() -> Iterator[Process]:
    words = ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "stat=", "-o", "comm="]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, errors="replace") as ps:
        lines = ps.communicate()[0].splitlines()
    for line in lines:
        pid, parent, state, name = line.split(None, 3)
        if int(pid) != ps.pid:
            yield Process(int(pid), int(parent), state[0], os.path.basename(name)[:15])


def command_line(pid: int) -> str:
    """Program and arguments with blanks between; empty when it is gone or hidden from us."""
    if os.path.exists("/proc/self/stat"):
        return _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
    words = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(words, capture_output=True, text=True, errors="replace").stdout.strip()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # gone, or of another user
        return b""


def _has_open(pid: int, directory: str) -> bool:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for name in names:
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith(directory + "/"):
                return True
    return False


def descendants(roots: Collection[int], processes: dict[int, Process]) -> list[int]:
    """The living children of `roots`, their children and so on, parents first."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found, left = [], list(roots)
    while left:
        of_this = children.get(left.pop(0), [])
        left += of_this
        found += [pid for pid in of_this if not processes[pid].gone]
    return found


def belonging(directory: str) -> set[int]:
    """The living processes of the server whose files are in `directory`: sshd and what it runs."""
    processes = table()
    mark = f"{MARK}={directory}".encode()
    roots = set()
    for process in processes.values():
        if process.gone or process.pid == os.getpid():
            continue
        if process.name.startswith("sshd"):
            ours = _has_open(process.pid, directory) or f" {directory}/" in command_line(process.pid)
        else:
            ours = mark in _read(f"/proc/{process.pid}/environ").split(b"\0")
        if ours:
            roots.add(process.pid)
    return roots | set(descendants(roots, processes))


def servers(directory: str, listener: int | None = None) -> set[int]:
    """Of these the ones that serve a connection: sshd's processes, but not the one that listens."""
    processes = table()
    names = {pid: processes[pid].name for pid in belonging(directory) if pid in processes}
    return {pid for pid, name in names.items() if name.startswith("sshd") and pid != listener}


def send(pids: Collection[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def stop_all(find: Find) -> set[int]:
    """SIGSTOP what `find` returns until it returns nothing new; so nothing is born behind our back."""
    stopped: set[int] = set()
    while new := find() - stopped:
        send(new, signal.SIGSTOP)
        stopped |= new
    return stopped


def end_all(find: Find, seconds: float = 10.0) -> set[int]:
    """SIGKILL what `find` returns until it returns nothing. Returns what is left after `seconds`."""
    send(stop_all(find), signal.SIGKILL)
    deadline = time.monotonic() + seconds
    pause = 0.0005
    while (left := find()) and time.monotonic() < deadline:
        send(left, signal.SIGKILL)
        time.sleep(pause)  # there is no event for the end of a process that is not our child
        pause = min(pause * 2, 0.02)
    return left


def remove(directory: str) -> None:
    """Delete the directory. Refuses while anything is mounted in it, however unlikely that is."""
    for line in _read("/proc/self/mountinfo").decode(errors="replace").splitlines():
        mount_point = line.split(" ")[4]
        if mount_point.startswith(directory + "/"):
            raise RuntimeError(f"not deleting {directory}: {mount_point} is mounted there")
    shutil.rmtree(directory, ignore_errors=True)


def main(directory: str) -> None:
    """End the server whose owner is gone, and delete its files."""
    if Path(directory).name.startswith(PREFIX):  # never a directory that is none of ours
        end_all(lambda: belonging(directory))
        remove(directory)


if __name__ == "__main__":
    main(sys.argv[1])
