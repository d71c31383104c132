"""Running another program to its end: no shell, a process group of its own, and nothing of it left behind.

Its output is read while it runs. Whatever ends the wait early - a limit, Ctrl-C, an error of the caller's callback -
ends the whole group.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from time import sleep
from typing import IO

from .._value import Value
from .deadline import Deadline

# Seconds that a program gets after SIGTERM. rsync removes its temporary files then.
GRACE = 2.0
# Output beyond this is not kept; the end of it is what says something.
KEPT = 8 << 20
_CHUNK = 65536
# Seconds that output is still waited for when the program has ended: somebody else may have it open.
_AFTERMATH = 2.0
_STEP = 0.01


class Finished(Value):
    """How a program ended.

    Attributes:
        returncode: its exit status, -N for death by signal N.
        stdout, stderr: the last 8 MiB of what it put out.
    """

    returncode: int
    stdout: bytes
    stderr: bytes


class TooSlow(Exception):
    """The limit passed; the program is gone.

    Attributes:
        stdout, stderr: what it put out.
    """

    def __init__(self, stdout: bytes, stderr: bytes) -> None:
        super().__init__()
        self.stdout = stdout
        self.stderr = stderr


def start(
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    without: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: the terminal's Ctrl-C is not for it, and the group can be ended.

    Args:
        argv: its words; text that is no UTF-8 in "surrogateescape".
        stdin, stdout, stderr: as for subprocess.
        without: variables it must not have.
        variables: it gets these besides.

    Raises:
        OSError: it cannot be run.
    """
    environment = {name: value for name, value in os.environ.items() if name not in without}
    return subprocess.Popen(
        [word.encode("utf-8", "surrogateescape") for word in argv],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**environment, **(variables or {})},
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """End it and everything in its group: SIGTERM, and SIGKILL when that does not help."""
    if process.returncode is not None:
        return  # its number may mean another group by now
    _signal_group(process, signal.SIGTERM)
    deadline = Deadline.after(grace)
    while not _has_ended(process) and not deadline.passed:
        sleep(_STEP)
    # Until it is waited for, the number of the group is its own, and its children may have outlived it.
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def run(
    argv: Sequence[str],
    deadline: Deadline,
    *,
    without: Sequence[str] = (),
    on_stdout: Callable[[bytes], None] | None = None,
) -> Finished:
    """Run a program to its end. Its standard input is empty.

    Args:
        on_stdout: is given what it puts out, as it comes, in this thread. What it raises ends the program.

    Raises:
        OSError: it cannot be run.
        TooSlow: the deadline passed.
    """
    process = start(argv, without=without)
    assert process.stdout is not None
    assert process.stderr is not None
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    try:
        with process.stdout, process.stderr:
            in_time = _read(process, kept, deadline, on_stdout)
            if in_time:
                in_time = _wait(process, deadline)
    except BaseException:
        end(process)
        raise
    stdout, stderr = (bytes(data) for data in kept.values())
    if not in_time:
        end(process)
        raise TooSlow(stdout, stderr)
    assert process.returncode is not None
    return Finished(process.returncode, stdout, stderr)


def _wait(process: subprocess.Popen[bytes], deadline: Deadline) -> bool:
    try:
        process.wait(deadline.left())
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(
    process: subprocess.Popen[bytes],
    kept: Mapping[IO[bytes], bytearray],
    deadline: Deadline,
    on_stdout: Callable[[bytes], None] | None,
) -> bool:
    """Read until both have ended; False when the deadline passed first."""
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        watch = _end_of(process)
        if watch is not None:
            selector.register(watch, selectors.EVENT_READ)
        try:
            ended: Deadline | None = None
            while len(selector.get_map()) > (watch is not None and ended is None):
                ready = selector.select((ended or deadline).left())
                if not ready:
                    if (ended or deadline).passed:
                        return ended is not None
                    continue
                for key, _events in ready:
                    if key.fd == watch:
                        ended = Deadline.after(_AFTERMATH)
                        selector.unregister(watch)
                        continue
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                        continue
                    store = kept[key.fileobj]  # type: ignore[index]
                    store += data
                    del store[:-KEPT]
                    if on_stdout is not None and key.fileobj is process.stdout:
                        on_stdout(data)
        finally:
            if watch is not None:
                os.close(watch)
    return True


def _end_of(process: subprocess.Popen[bytes]) -> int | None:
    """A descriptor that is readable once the process has ended, where the system has such."""
    if hasattr(os, "pidfd_open"):
        try:
            return os.pidfd_open(process.pid)
        except OSError:
            pass
    return None
