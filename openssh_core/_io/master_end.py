"""Ending a master: a ladder with deadlines, because with the network side blocked it hears neither TERMINATE nor
SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal

from ..errors import OpenSSHError
from . import control
from .deadline import Deadline

# Seconds on each rung. Measured: a healthy master is gone 2 ms after TERMINATE.
_POLITE = 1.5
_TERM = 0.5
_KILL = 2.0
_STEP = 0.01


class ProcessHandle:
    """A process that is not our child. Where the system has process descriptors, a recycled number cannot be hit."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = -1
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._fd = os.pidfd_open(pid)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)
            else:
                os.kill(self.pid, number)

    def wait(self, deadline: Deadline) -> bool:
        """Wait for its end; False when the deadline passed first."""
        poll = select.poll()
        if self._fd >= 0:
            poll.register(self._fd, select.POLLIN)
            left = deadline.left()
            return bool(poll.poll(None if left is None else left * 1000))
        while _exists(self.pid):
            if deadline.passed:
                return False
            poll.poll(_STEP * 1000)
        return True

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    # A master that ended by itself, or was let go of, has nobody to call it.
    __del__ = close


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_master(process: ProcessHandle, control_path: str) -> None:
    """See to it that the master is gone."""
    with contextlib.suppress(OpenSSHError):
        deadline = Deadline.after(_POLITE)
        with control.greet(control_path, deadline) as conversation:
            conversation.terminate(deadline)
    if not process.wait(Deadline.after(_POLITE)):
        process.signal(signal.SIGTERM)
        if not process.wait(Deadline.after(_TERM)):
            process.signal(signal.SIGKILL)
            process.wait(Deadline.after(_KILL))
