"""Output for a terminal, pipe or socket of the caller's, written by a thread that only exists once there is some.

Such a descriptor can make its writer wait, so the reactor may not write to it; and its flags are not ours to
change, so it can neither be made non-blocking nor be given to the master. Most commands say nothing, or nothing on one
of their streams: these cost neither a pipe nor a thread.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

from .latch import Latch
from .sinks import Chunk


class Outlet:
    """A sink that writes to a descriptor, in the order of what comes.

    Args:
        target: becomes the outlet's own.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._pieces: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._writes = False
        self._ended = False
        self._broken = False
        self._over = Latch()
        self._credit: Callable[[int], None] = _nothing
        self._break: Callable[[], None] = _nothing

    def attach(self, credit: Callable[[int], None], broken: Callable[[], None]) -> None:
        """Whom to tell, from any thread, how much was written, and that nobody takes any more."""
        self._credit, self._break = credit, broken

    def beside(self) -> Beside:
        """One for another stream that goes to the same place, but whose end is not the end."""
        return Beside(self)

    def join(self, timeout: float | None) -> None:
        """Wait until everything has been written."""
        self._over.wait(timeout)

    # ---- as a sink, in the reactor's thread

    def write(self, data: Chunk) -> int:
        with self._changed:
            if self._broken or self._ended:
                return len(data)
            self._pieces.append(bytes(data))
            if self._writes:
                self._changed.notify()
                return 0
            self._writes = True
        threading.Thread(target=self._run, name="openssh-core-outlet", daemon=True).start()
        return 0

    def finish(self) -> None:
        with self._changed:
            self._ended = True
            if self._writes:
                self._changed.notify()
                return
        self._close()

    def abandon(self) -> None:
        target, self._target = self._target, -1
        if target >= 0:
            os.close(target)

    # ---- in the thread

    def _run(self) -> None:
        while (piece := self._next()) is not None:
            try:
                self._write_all(memoryview(piece))
            except OSError:
                self._give_up(piece)
                break
            self._credit(len(piece))
        self._close()

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._pieces:
                if self._ended:
                    return None
                self._changed.wait()
            return self._pieces.popleft()

    def _write_all(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._target, data) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._target, select.POLLOUT)
                poll.poll()

    def _give_up(self, piece: bytes) -> None:
        """Nobody takes it any more: what has come or still comes is dropped, and the remote side is told."""
        with self._changed:
            self._broken = True
            dropped = len(piece) + sum(map(len, self._pieces))
            self._pieces.clear()
        self._credit(dropped)
        self._break()

    def _close(self) -> None:
        self.abandon()
        # Whoever wrote to it is not held on to.
        self._credit = self._break = _nothing
        self._over.open()


class Beside:
    """A second way into an outlet."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, data: Chunk) -> int:
        return self._outlet.write(data)

    def finish(self) -> None:
        pass

    abandon = finish


def _nothing(*_what: object) -> None:
    pass
