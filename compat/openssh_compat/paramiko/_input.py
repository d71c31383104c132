"""The standard input of one channel: a pipe that is written to without ever waiting longer than asked for."""

from __future__ import annotations

import os
import select
import threading
from time import monotonic
from typing import IO

__all__ = ["Input"]

_CLOSED = "Socket is closed"


class Input:
    """The writing side. Thread-safe.

    Args:
        file: an unbuffered file over the pipe.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()
        os.set_blocking(file.fileno(), False)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def send(self, data: bytes | memoryview, timeout: float | None) -> int:
        """Write what fits; how many bytes that was.

        Args:
            timeout: seconds to wait for room, None for ever.

        Raises:
            TimeoutError: there was no room.
            OSError: it is closed, or the command does not read any more.
        """
        until = None if timeout is None else monotonic() + timeout
        while data:
            with self._lock:
                if self._file.closed:
                    raise OSError(_CLOSED)
                fd = self._file.fileno()
                try:
                    return os.write(fd, data)
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    raise OSError(_CLOSED) from None
            if not _wait_for_room(fd, None if until is None else until - monotonic()):
                raise TimeoutError
        return 0

    def ready(self) -> bool:
        """Whether `send` would take something at once."""
        with self._lock:
            return not self._file.closed and _wait_for_room(self._file.fileno(), 0)

    def close(self) -> None:
        """The end of input. Idempotent."""
        with self._lock:
            self._file.close()


def _wait_for_room(fd: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(None if seconds is None else max(seconds, 0) * 1000))
