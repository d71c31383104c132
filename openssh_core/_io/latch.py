"""Something that happens once and that threads can wait for: an Event that costs nothing until waited for."""

from __future__ import annotations

from _thread import TIMEOUT_MAX, LockType, allocate_lock
from collections.abc import Callable


class Latch:
    """Closed at first, then open for good.

    No lock guards the two fields: opening sets the flag before it looks for waiters, waiting lists the waiter before
    it looks at the flag, so one of the two always sees the other.
    """

    __slots__ = ("_calls", "_is_open", "_waiters")

    def __init__(self) -> None:
        self._is_open = False
        # Lists: with a queue each, an unused latch would take more than a kilobyte. Both are short.
        self._waiters: list[LockType] = []
        self._calls: list[Callable[[], object]] = []

    def is_open(self) -> bool:
        return self._is_open

    def open(self) -> None:
        """Let everybody through, now and later. Idempotent."""
        self._is_open = True
        while self._waiters:
            try:
                waiter = self._waiters.pop(0)
            except IndexError:
                break  # another thread opens it, too
            waiter.release()
        self._call()

    def then(self, call: Callable[[], object]) -> None:
        """Have it called, once, when this is open: by whoever opens it, or here and now."""
        self._calls.append(call)
        if self._is_open:
            self._call()

    def _call(self) -> None:
        while self._calls:
            try:
                call = self._calls.pop(0)
            except IndexError:
                return
            call()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is open, at most `timeout` seconds; whether it is."""
        if self._is_open:
            return True
        waiter = allocate_lock()
        waiter.acquire()
        self._waiters.append(waiter)
        if not self._is_open:
            # Longer than a lock can wait is as good as for ever.
            waiter.acquire(True, -1 if timeout is None else min(timeout, TIMEOUT_MAX))
        return self._is_open
