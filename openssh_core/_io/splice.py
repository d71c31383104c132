"""Two sockets joined: what one says the other hears. In the reactor's thread, but for making it and cutting it.

Each direction ends by itself. What is read and not yet written stays bounded.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from .inherited import forget, track
from .reactor import Reactor
from .socket_end import SocketEnd

_PIECE = 65_536
_MOST_WAITING = 262_144


class _Direction:
    """From one end to the other."""

    def __init__(self) -> None:
        self.waiting = 0
        self.over = False


class Splice:
    """Joins two sockets, which become its own, until both directions have ended.

    Args:
        over: called once, in the reactor's thread, when both are closed.
    """

    def __init__(
        self, reactor: Reactor, first: socket.socket, second: socket.socket, over: Callable[[Splice], None]
    ) -> None:
        self._reactor = reactor
        self._on_over = over
        self._is_over = False
        self._there, self._back = _Direction(), _Direction()
        self._first = SocketEnd(
            reactor,
            first,
            ready=lambda: self._move(self._first, self._second, self._there),
            credit=lambda count: self._moved(self._second, self._first, self._back, count),
            broken=self._settle,
        )
        self._second = SocketEnd(
            reactor,
            second,
            ready=lambda: self._move(self._second, self._first, self._back),
            credit=lambda count: self._moved(self._first, self._second, self._there, count),
            broken=self._settle,
        )

    def start(self) -> None:
        """Begin. From any thread."""
        track(self)
        self._reactor.submit(self._begin)

    def _begin(self) -> None:
        self._move(self._first, self._second, self._there)
        self._move(self._second, self._first, self._back)

    def _move(self, source: SocketEnd, sink: SocketEnd, direction: _Direction) -> None:
        if self._is_over or direction.over:
            return
        while direction.waiting < _MOST_WAITING:
            data = source.pull(_PIECE)
            if data is None:
                return
            if not data:
                direction.over = True
                sink.finish()
                return self._settle()
            direction.waiting += len(data) - sink.write(data)

    def _moved(self, source: SocketEnd, sink: SocketEnd, direction: _Direction, count: int) -> None:
        direction.waiting -= count
        self._move(source, sink, direction)

    def _settle(self) -> None:
        """Close both when each direction has ended, or nobody is there to hear it."""
        if (self._there.over or self._second.is_broken) and (self._back.over or self._first.is_broken):
            self._end()

    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        forget(self)
        self._first.close()
        self._second.close()
        self._on_over(self)

    def cut(self) -> None:
        """End it, whatever is still on its way. From any thread; idempotent."""
        self._reactor.submit(self._end)

    def abandon(self) -> None:
        """In a forked child: close our copies."""
        self._first.abandon()
        self._second.abandon()
