"""Where a session's input comes from. All of it happens in the reactor's thread."""

from __future__ import annotations

import os
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


class FromDescriptor:
    """Input read from a pipe, a file, a terminal or a socket, as it comes.

    The descriptor is read only when it is known to be readable, so its flags stay as they are: others may
    share them.

    Args:
        fd: becomes this source's own.
        ready: called when `pull` has something after it had nothing.
    """

    __slots__ = ("_fd", "_readable", "_reactor", "_ready", "_waits")

    def __init__(self, reactor: Reactor, fd: int, ready: Callable[[], None]) -> None:
        self._reactor = reactor
        self._fd = fd
        self._ready = ready
        self._readable = False
        self._waits = True  # False for what cannot be waited for: regular files are always ready

    def pull(self, most: int) -> bytes | None:
        if self._fd < 0:
            return b""
        if self._waits and not self._readable:
            self._watch()
        if self._waits and not self._readable:
            return None
        self._readable = False
        try:
            return os.read(self._fd, min(most, PIECE))
        except BlockingIOError:
            pass  # another holder of the same description was faster
        except OSError:
            # A terminal that hung up, a reset socket: the end of what can be had.
            return b""
        return self.pull(most)

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
