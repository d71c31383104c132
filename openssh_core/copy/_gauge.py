"""How far a transfer is, how fast it may be, and whether it shall go on."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Protocol

from ..errors import TransferCancelled
from .progress import Callback

# Seconds that are slept at once, so that a cancelled transfer ends soon.
_NAP = 0.1


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

    Attributes:
        stopped: why the transfer does not go on: what the callback raised, or that it was cancelled.
    """

    def __init__(self, host: str, callback: Callback | None, bwlimit: float | None, cancel: Cancel | None) -> None:
        self._host = host
        self._callback = callback
        self._bwlimit = bwlimit
        self._cancel = cancel
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
            TransferCancelled: it shall not.
        """
        if self._cancel is not None and self._cancel.is_set() and self.stopped is None:
            self.stopped = TransferCancelled("the transfer was cancelled", host=self._host)
        if self.stopped is not None:
            raise self.stopped

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
