"""A pipe as a flag that `select` sees: readable while it is set."""

from __future__ import annotations

import os
import threading

from ._lent import lend

__all__ = ["OrPipe", "PosixPipe", "make_or_pipe", "make_pipe"]


class PosixPipe:
    """The flag. Thread-safe."""

    def __init__(self) -> None:
        self._rfd, self._wfd = os.pipe()
        self._lock = threading.Lock()
        self._set = False
        self._forever = False
        self._closed = False

    def fileno(self) -> int:
        """What to give to `select`."""
        return self._rfd

    def set(self) -> None:
        """Make it readable."""
        with self._lock:
            if not self._set and not self._closed:
                self._set = True
                os.write(self._wfd, b"*")

    def clear(self) -> None:
        """Make it unreadable, unless it was set for ever."""
        with self._lock:
            if self._set and not self._forever and not self._closed:
                self._set = False
                os.read(self._rfd, 1)

    def set_forever(self) -> None:
        """Make it readable for good."""
        self._forever = True
        self.set()

    def close(self) -> None:
        """Let go of both ends. Idempotent."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._rfd)
                os.close(self._wfd)


class OrPipe:
    """One of two flags over one pipe; made by `make_or_pipe`."""

    def __init__(self, pipe: PosixPipe) -> None:
        self._set = False
        self._partner: OrPipe | None = None
        self._pipe = pipe

    def set(self) -> None:
        """Set this one, and with it the pipe."""
        self._set = True
        self._pipe.set()

    def clear(self) -> None:
        """Clear this one; the pipe, too, unless the other one is set."""
        self._set = False
        if self._partner is None or not self._partner._set:
            self._pipe.clear()


def make_pipe() -> PosixPipe:
    """A flag."""
    return PosixPipe()


def make_or_pipe(pipe: PosixPipe) -> tuple[OrPipe, OrPipe]:
    """Two flags over one pipe, which is set while either of them is."""
    one, other = OrPipe(pipe), OrPipe(pipe)
    one._partner, other._partner = other, one
    return one, other


lend(__name__)
