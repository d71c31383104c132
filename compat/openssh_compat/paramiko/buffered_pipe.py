"""Output that has arrived and was not read yet.

paramiko stops the server when 2 MiB lie unread, and a program that waits for the exit status then waits for ever. Here
the server is stopped, too, so that a slow reader does not cost memory without bound, but only while somebody can be
expected to read: whoever waits for something else lifts the limit.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from time import monotonic
from typing import Protocol

from openssh_core import Feed

from ._lent import lend

__all__ = ["BufferedPipe", "PipeTimeout"]

# Bytes. Above the first the server is asked to stop, below the second to go on.
_HIGH = 1 << 20
_LOW = 1 << 19

# Who has lifted the limit, when it stays lifted.
_FOR_GOOD = -1


class Flag(Protocol):
    """Something to set and clear; threading.Event is one."""

    def set(self) -> None: ...

    def clear(self) -> None: ...


class PipeTimeout(TimeoutError):
    """There was nothing to read in time."""


class _Pieces:
    """Bytes, kept as they came.

    Attributes:
        size: how many.
    """

    __slots__ = ("_first_taken", "_pieces", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: deque[bytes] = deque()
        self._first_taken = 0

    def put(self, data: bytes) -> None:
        self._pieces.append(data)
        self.size += len(data)

    def take(self, most: int) -> bytes:
        wanted, parts = min(most, self.size), []
        self.size -= wanted
        while wanted:
            # The first piece stays until all of it is taken: reading byte by byte must not copy it each time.
            part = self._pieces[0][self._first_taken : self._first_taken + wanted]
            wanted -= len(part)
            self._first_taken += len(part)
            if self._first_taken == len(self._pieces[0]):
                self._pieces.popleft()
                self._first_taken = 0
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class BufferedPipe:
    """One stream. Thread-safe."""

    def __init__(self) -> None:
        self._content = _Pieces()
        self._ended = False
        self._changed = threading.Condition(threading.Lock())
        self._needs: list[int | None] = []
        self._last_arrival = 0.0
        self._paused = False
        self._reader: int | None = None
        self._lifter: int | None = None
        self._event: Flag | None = None
        self._feeds: tuple[weakref.ref[Feed], ...] = ()
        self._instead: BufferedPipe | None = None

    def __len__(self) -> int:
        return self._content.size

    # ---- where it comes from

    def source(self) -> Feed:
        """What fills it. Whoever sends has to hold it; this does not, or both would wait for the garbage collector."""
        feed = Feed(self.feed)
        self._feeds = (weakref.ref(feed),)
        return feed

    def feed(self, data: bytes | str, *, late: bool = False) -> None:
        """Put something in, text as UTF-8; b"" is the end.

        Args:
            late: it came before the end, though that is known already.
        """
        data = data.encode() if isinstance(data, str) else data
        if data and self._instead is not None:
            return self._instead.feed(data)
        with self._changed:
            if self._ended and not late:
                return
            if data:
                self._content.put(data)
            else:
                self._ended = True
            self._last_arrival = monotonic()
            if self._lifter is None and not self._paused and self._content.size > _HIGH:
                self._paused = True
                for feed in self._living_feeds():
                    feed.pause()
            if self._needs and (
                self._ended or any(need is not None and need <= self._content.size for need in self._needs)
            ):
                self._changed.notify_all()
            self._tell()

    def close(self) -> None:
        """Nothing more will come, whatever is still fed. What is there can be read."""
        self.feed(b"")

    def divert(self, other: BufferedPipe | None) -> None:
        """Put what comes from now on into another one; None ends that. The end stays an end here."""
        with self._changed:
            before, self._instead = self._instead, other
        if before is not None:
            before._feeds = tuple(feed for feed in before._feeds if feed not in self._feeds)
        if other is not None:
            other._feeds += self._feeds
        for feed in self._living_feeds():
            feed.resume()

    @property
    def ended(self) -> bool:
        """Whether the end has arrived; what came before may still be unread."""
        return self._ended

    # ---- where it goes

    def read_ready(self) -> bool:
        """Whether there is something to read; the end is nothing."""
        return self._content.size > 0

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        """What is there, up to `nbytes` of it; waits until there is something. b"" at the end.

        Args:
            timeout: seconds to wait at most, None for ever.

        Raises:
            PipeTimeout: there was nothing.
        """
        with self._changed:
            self._reader_is_here()
            if not self._content.size and not self._ended:
                self._wait(1, timeout)
            data = self._take(nbytes)
        self._go_on()
        return data

    def read_all(self, timeout: float | None = None) -> bytes:
        """Everything to the end.

        Args:
            timeout: seconds without anything new.

        Raises:
            PipeTimeout: nothing came for so long; nothing of what is there is lost.
        """
        self.make_room()
        with self._changed:
            self._reader_is_here()
            if not self._ended:
                self._wait(None, timeout)
            return self._take(self._content.size)

    def empty(self) -> bytes:
        """What is there; it is gone from here then."""
        with self._changed:
            data = self._take(self._content.size)
        self._go_on()
        return data

    def make_room(self, *, unless_read: bool = False) -> None:
        """Let it grow as it likes from now on.

        Args:
            unless_read: not if another thread is reading it: that one decides how fast it goes.
        """
        me = threading.get_ident()
        with self._changed:
            if not unless_read:
                self._lifter = _FOR_GOOD
            elif self._lifter is None and self._reader in (None, me):
                self._lifter = me
        self._go_on()

    def set_event(self, event: Flag) -> None:
        """Keep `event` set while there is something to read, or the end is reached."""
        with self._changed:
            self._event = event
            self._tell()

    def _reader_is_here(self) -> None:
        self._reader = threading.get_ident()
        if self._lifter not in (None, _FOR_GOOD, self._reader):
            # Another thread lifted the limit because nobody seemed to read.
            self._lifter = None

    def _wait(self, need: int | None, timeout: float | None) -> None:
        """Wait until there are `need` bytes, None: everything."""
        began = monotonic()
        self._needs.append(need)
        try:
            while not self._ended and (need is None or self._content.size < need):
                left = None if timeout is None else timeout - (monotonic() - max(began, self._last_arrival))
                if left is not None and left <= 0:
                    raise PipeTimeout
                self._changed.wait(left)
        finally:
            self._needs.remove(need)

    def _take(self, nbytes: int) -> bytes:
        data = self._content.take(nbytes)
        self._tell()
        return data

    def _go_on(self) -> None:
        """Let the server go on. Not with the lock held: feeds want it."""
        with self._changed:
            if not self._paused or (self._lifter is None and self._content.size > _LOW):
                return
            self._paused = False
        for feed in self._living_feeds():
            feed.resume()

    def _living_feeds(self) -> list[Feed]:
        return [feed for ref in self._feeds if (feed := ref()) is not None]

    def _tell(self) -> None:
        if self._event is not None:
            if self._content.size or self._ended:
                self._event.set()
            else:
                self._event.clear()


lend(__name__)
