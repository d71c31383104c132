"""Sending on a socket that must never make anybody wait: what does not go now, goes when the reactor says so."""

from __future__ import annotations

import itertools
import socket
from collections import deque
from collections.abc import Callable, Iterable

from .reactor import WRITE

# With SIGPIPE at its default (some programs set it so) a plain send to a dead peer would end the process.
_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)

# Sources are not asked for more while this many bytes wait to go.
CONGESTED = 1024 * 1024

# Pieces in one call; a system takes 1,024 (IOV_MAX).
_PIECES = 256

# Joining costs less than a list of pieces up to about here.
_SMALL = 16_384


class Outbox:
    """The one writer of a socket. Its owner serialises the calls.

    Args:
        drained: called in the reactor's thread when everything that waited has gone.
    """

    __slots__ = ("_backlog", "_drained", "_sock", "_waiting", "_watching")

    def __init__(self, sock: socket.socket, drained: Callable[[], None]) -> None:
        self._sock = sock
        self._drained = drained
        self._backlog: deque[memoryview] = deque()
        self._waiting = 0
        self._watching = False

    @property
    def congested(self) -> bool:
        """Whether more should wait."""
        return self._waiting > CONGESTED

    def send(self, pieces: Iterable[bytes | memoryview]) -> bool:
        """Send, or keep for later; False when the peer is gone. Nothing is copied that is large."""
        had_backlog = bool(self._backlog)
        for piece in _lumped(pieces):
            self._backlog.append(memoryview(piece))
            self._waiting += len(piece)
        return had_backlog or self._push()

    @property
    def wants_watch(self) -> bool:
        """Whether the reactor has to be told to look for room; true once for each time it is needed."""
        if not self._backlog or self._watching:
            return False
        self._watching = True
        return True

    def flush(self) -> bool:
        """The socket has room again; False when the peer is gone. In the reactor's thread."""
        if not self._push():
            return False
        if not self._backlog:
            self._watching = False
            self._drained()
        return True

    @property
    def events(self) -> int:
        """What the reactor should watch the socket for, besides reading."""
        return WRITE if self._watching else 0

    def _push(self) -> bool:
        """Send as much as goes; False when the peer is gone."""
        while self._backlog:
            try:
                sent = self._sock.sendmsg(itertools.islice(self._backlog, _PIECES), [], _FLAGS)
            except BlockingIOError:
                return True
            except OSError:
                return False
            self._forget(sent)
        return True

    def _forget(self, sent: int) -> None:
        self._waiting -= sent
        while sent:
            first = self._backlog[0]
            if sent < len(first):
                self._backlog[0] = first[sent:]
                return
            sent -= len(first)
            self._backlog.popleft()


def _lumped(pieces: Iterable[bytes | memoryview]) -> Iterable[bytes | memoryview]:
    """The same bytes in as few pieces as are worth it: small neighbours together, large ones as they are."""
    small: list[bytes | memoryview] = []
    for piece in pieces:
        if len(piece) < _SMALL:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small = []
        yield piece
    if small:
        yield b"".join(small)
