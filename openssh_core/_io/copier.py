"""A thread that copies a pipe to a descriptor of the caller's, for output that goes to a terminal, pipe or socket.

Such a descriptor can make its writer wait, so the reactor may not write to it; and its flags are not ours to
change, so it can neither be made non-blocking nor be given to the master.
"""

from __future__ import annotations

import os
import select
import threading

_PIECE = 65_536


class Copier:
    """Copies until the pipe ends or nobody takes any more.

    Args:
        target: becomes the copier's own.

    Attributes:
        write_end: the end of the pipe to write to; somebody else's to close.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._read_end, self.write_end = os.pipe()
        self._thread = threading.Thread(target=self._run, name="openssh-core-copier", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None) -> None:
        """Wait until everything has been copied."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            while data := os.read(self._read_end, _PIECE):
                self._write_all(memoryview(data))
        except OSError:
            pass  # nobody takes it any more; closing the pipe tells the remote side
        finally:
            os.close(self._read_end)
            os.close(self._target)

    def _write_all(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._target, select.POLLOUT)
                poll.poll()
