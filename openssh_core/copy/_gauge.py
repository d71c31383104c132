"""How far a transfer is, how fast it may be, and whether it shall go on."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Protocol

from .._io.deadline import Deadline, check_seconds, sooner
from ..errors import TransferCancelled, TransferTimeout
from .progress import Callback

# Seconds that are slept at once, so that a cancelled transfer ends soon.
_NAP = 0.1
# Seconds a transfer that was given up may still take to remove what is not complete.
_GRACE = 2.0


class Limits:
    """How long a transfer may take.

    Args:
        timeout: seconds for all of it, from now; None for ever.
        idle_timeout: seconds without any progress; None for ever.

    Attributes:
        deadline: when all of it must be done.
        idle: as `idle_timeout`.
    """

    def __init__(self, timeout: float | None, idle_timeout: float | None) -> None:
        self.deadline = Deadline.after(timeout)
        if idle_timeout is not None:
            check_seconds(idle_timeout, "idle_timeout")
        self._timeout = timeout
        self.idle = idle_timeout

    def passed(self, host: str) -> TransferTimeout:
        """The error for a transfer that took too long."""
        seconds = self._timeout or 0.0
        return TransferTimeout(f"the transfer was not complete within {seconds:g} s", host=host, seconds=seconds)

    def first_answer(self) -> float | None:
        """Seconds for the server to begin."""
        return sooner(self.deadline.left(), self.idle)

    def too_late(self, error: TimeoutError, host: str) -> TransferTimeout:
        """The error for a server that did not answer."""
        if self.deadline.passed:
            return self.passed(host)
        seconds = self.idle or 0.0
        what = getattr(error, "what", "nothing moved")
        return TransferTimeout(what, host=host, limit="idle_timeout", seconds=seconds)


class Watcher:
    """Watches over the waiting of a transfer."""

    def __init__(self, gauge: Gauge, idle: float | None) -> None:
        self.idle = idle
        self.look = gauge.look_while_waiting


class Cancel(Protocol):
    """Something like a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether to give up."""


class Gauge:
    """Counts bytes.

    Args:
        callback: is told of them.
        bwlimit: at most so many a second, on average.
        cancel: asked now and then.
        limits: how long it may take.

    Attributes:
        stopped: why the transfer does not go on: what the callback raised, that it was cancelled, or took too long.
    """

    def __init__(
        self, host: str, callback: Callback | None, bwlimit: float | None, cancel: Cancel | None, limits: Limits
    ) -> None:
        self._host = host
        self._callback = callback
        self._bwlimit = bwlimit
        self._cancel = cancel
        self._limits = limits
        self._grace = Deadline(None)
        self._done = 0
        self._total: int | None = 0
        self._began = monotonic()
        self.stopped: BaseException | None = None

    def expect(self, size: int | None) -> None:
        """A file of this size will come."""
        if size is None or self._total is None:
            self._total = None
        else:
            self._total += size

    def moved(self, count: int, file: str) -> None:
        """So many more bytes of a file have been moved.

        Raises:
            TransferCancelled: that is enough. Or whatever the callback raises.
        """
        self._done += count
        self.look()
        if self._callback is not None:
            total = self._total
            try:
                self._callback(self._done, None if total is None else max(total, self._done), file)
            except BaseException as error:
                self.stopped = error
                raise
        if self._bwlimit is not None:
            self._slow_down(self._bwlimit)

    def look(self) -> None:
        """See whether it shall go on.

        Raises:
            TransferCancelled, TransferTimeout: it shall not.
        """
        if self.stopped is None:
            if self._cancel is not None and self._cancel.is_set():
                self.stopped = TransferCancelled("the transfer was cancelled", host=self._host)
            elif self._limits.deadline.passed:
                self.stopped = self._limits.passed(self._host)
            if self.stopped is not None:
                self._grace = Deadline.after(_GRACE)
        if self.stopped is not None:
            raise self.stopped

    def look_while_waiting(self) -> float | None:
        """The same while an answer is waited for, also for those that matter when it does not go on.

        Returns:
            seconds after which to look again; None: no need.

        Raises:
            TransferCancelled, TransferTimeout: it shall not go on, or took too long to end.
        """
        if self.stopped is None:
            self.look()
            return sooner(self._limits.deadline.left(), None if self._cancel is None else _NAP)
        if self._grace.passed:
            raise self.stopped
        return self._grace.left()

    def _slow_down(self, limit: float) -> None:
        while (wait := self._began + self._done / limit - monotonic()) > 0:
            sleep(min(wait, _NAP))
            self.look()


class Reader:
    """The local end of an upload: what a file has from where it stands, changed on its way, and counted.

    Args:
        read: reads at most so many bytes, none at the end.
        change: makes of each piece what is sent instead.
    """

    def __init__(
        self, read: Callable[[int], bytes | None], gauge: Gauge, shown: str, change: Callable[[bytes], bytes] | None
    ) -> None:
        self._read = read
        self._gauge = gauge
        self._shown = shown
        self._change = change
        self._over = b""
        self._at_end = False

    def read(self, size: int) -> bytes:
        """The next piece."""
        data = self._read(size) or b"" if self._change is None else self._changed(self._change, size)
        if data:
            self._gauge.moved(len(data), self._shown)
        return data

    def _changed(self, change: Callable[[bytes], bytes], size: int) -> bytes:
        while not self._over and not self._at_end:
            data = self._read(size) or b""
            self._at_end = not data
            self._over = change(data)
        piece, self._over = self._over[:size], self._over[size:]
        return piece
