"""Output that is handed to a function as it arrives, with a way to hold the server back.

Cheaper than a pipe (no descriptors, no copy through the kernel), and the one who reads decides what may pile up where.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from .complaints import Complaints
from .sinks import Chunk

__all__ = ["Feed"]

_log = Complaints("openssh_core.feed")


class Feed:
    """A function that takes output: for `stdout=` and `stderr=` of `popen`, one for each stream.

    Args:
        take: called with each piece of bytes, and with b"" once at the end. It runs in the thread that serves all
            connections, so it may only put the piece away and wake somebody. If it raises, the error is logged and the
            rest of the output is dropped.
    """

    __slots__ = ("__weakref__", "_credit", "_lock", "_open", "_owed", "_paused", "_take")

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self._credit: Callable[[int], None] = _to_nobody
        self._lock = threading.Lock()
        self._open = True
        self._owed = 0
        self._paused = False

    def pause(self) -> None:
        """Have the server stop sending. What it has been granted already (2 MiB at most) still comes."""
        self._paused = True

    def resume(self) -> None:
        """Have it go on. From any thread, but not while holding a lock that `take` wants."""
        with self._lock:
            self._paused = False
            owed, self._owed = self._owed, 0
        if owed:
            self._credit(owed)

    # ---- as a sink, in the reactor's thread

    def beside(self) -> Feed:
        """One for another stream that goes to the same function, but whose end is not the end."""
        return Feed(lambda piece: self._give(piece) if piece and self._open else None)

    def attach(self, credit: Callable[[int], None]) -> None:
        """Whom to tell how many bytes were taken after `write` returned; may be called from any thread."""
        self._credit = credit

    def write(self, data: Chunk) -> int:
        if not self._open:
            return len(data)
        self._give(bytes(data))
        with self._lock:
            if self._paused and self._open:
                self._owed += len(data)
                return 0
        return len(data)

    def finish(self) -> None:
        if self._open:
            self._give(b"")
            self._open = False
            # What has ended holds on to nobody.
            self._take = self._credit = _to_nobody

    def abandon(self) -> None:
        pass  # the forked child has no descriptor in this

    def _give(self, data: bytes) -> None:
        try:
            self._take(data)
        except Exception:  # noqa: BLE001  # it is the caller's function, but everybody's thread
            _log.exception("a function that takes output raised")
            self._open = False


def _to_nobody(_what: object) -> None:
    pass
