"""Where a session's input comes from. All of it happens in the reactor's thread."""

from __future__ import annotations

import array
import fcntl
import os
import termios
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .reactor import READ, Reactor

# As much as a pipe holds unless told otherwise.
PIECE = 65_536


class Source(Protocol):
    """One direction of input."""

    def pull(self, most: int) -> bytes | memoryview | None:
        """Up to `most` bytes; empty at the end of input; None when there is nothing now (`ready` will be called)."""

    def close(self) -> None:
        """Nobody wants the rest. Idempotent."""

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""


class FromBytes:
    """Input that is there already.

    Args:
        ends: whether it has an end; without, there is nothing more to come and nothing said about it.
    """

    __slots__ = ("_ends", "_left")

    def __init__(self, data: bytes | bytearray | memoryview, *, ends: bool = True) -> None:
        self._left = memoryview(data).cast("B")
        self._ends = ends

    def pull(self, most: int) -> memoryview | None:
        piece, self._left = self._left[:most], self._left[most:]
        return piece if piece or self._ends else None

    def close(self) -> None:
        self._left = memoryview(b"")

    abandon = close


class Mark:
    """A place between two bytes of an input, and what happens there.

    Attributes:
        place: how many bytes of it come before; None while that is not known.
    """

    __slots__ = ("call", "place")

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.place: int | None = None


class FromDescriptor:
    """Input read from a pipe, a file, a terminal or a socket, as it comes.

    The descriptor is read only when it is known to be readable, so its flags stay as they are: others may
    share them.

    Args:
        fd: becomes this source's own.
        ready: called when `pull` has something after it had nothing.

    Attributes:
        marks: what is to happen between two bytes of it.
    """

    __slots__ = ("_fd", "_pulled", "_readable", "_reading", "_reactor", "_ready", "_waits", "marks")

    def __init__(self, reactor: Reactor, fd: int, ready: Callable[[], None]) -> None:
        self._reactor = reactor
        self._fd = fd
        self._ready = ready
        self._readable = False
        self._waits = True  # False for what cannot be waited for: regular files are always ready
        self.marks: deque[Mark] = deque()
        self._pulled = 0
        self._reading = False

    def mark(self, call: Callable[[], None]) -> None:
        """Have it called, in the reactor's thread, when all that is in here now was pulled, and nothing more.

        From any thread, also in a signal handler: it takes no lock. Whoever pulls has to be told afterwards, for
        nothing is read before the mark has its place.
        """
        mark = Mark(call)
        try:
            self.marks.append(mark)
            while self._reading:
                time.sleep(0)
            mark.place = self._pulled + self._unread()
        except BaseException:
            # An interrupt. Without a place it would hold everything up.
            mark.place = 0
            raise

    def _unread(self) -> int:
        if self._fd < 0 or not self._waits:
            return 0
        count = array.array("i", [0])
        try:
            fcntl.ioctl(self._fd, termios.FIONREAD, count)
        except OSError:
            return 0
        return count[0]

    def pass_marks(self, *, all_of_them: bool = False) -> None:
        """Call what is due: all before it was pulled, and sent."""
        while self.marks and (all_of_them or self._up_to_mark() == 0):
            self.marks.popleft().call()

    def _up_to_mark(self) -> int:
        """How many bytes come before the next mark; none may, while it has no place yet."""
        place = self.marks[0].place
        return -1 if place is None else max(place - self._pulled, 0)

    def pull(self, most: int) -> bytes | None:
        if self._fd < 0:
            return b""
        if self._waits and not self._readable:
            self._watch()
        if self._waits and not self._readable:
            return None
        self._readable = False
        try:
            return self._read(min(most, PIECE))
        except BlockingIOError:
            pass  # another holder of the same description was faster
        except OSError:
            # A terminal that hung up, a reset socket: the end of what can be had.
            return b""
        return self.pull(most)

    def _read(self, most: int) -> bytes | None:
        self._reading = True
        try:
            if self.marks:
                most = min(most, self._up_to_mark())
                if most <= 0:
                    return None
            data = os.read(self._fd, most)
            self._pulled += len(data)
            return data
        finally:
            self._reading = False

    def _watch(self) -> None:
        try:
            self._reactor.watch(self._fd, READ, self._on_readable)
        except PermissionError:
            self._waits = False  # epoll(7): a regular file or /dev/null

    def _on_readable(self, _mask: int) -> None:
        self._reactor.unwatch(self._fd)
        self._readable = True
        self._ready()

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        self._ready = _nothing
        if fd >= 0:
            self._reactor.unwatch(fd)
            os.close(fd)

    def abandon(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _nothing() -> None:
    pass
