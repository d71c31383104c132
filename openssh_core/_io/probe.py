"""Whether a master still lives, found out in the reactor's thread without holding it up.

That its socket takes a connection says nothing: while a killed process is being taken down, its end of a session may
be closed already and its listening socket not yet. Only a living master says hello (PROTOCOL.mux section 1); the
kernel hangs up on everybody whom a dead one has not served.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from time import monotonic

from ..errors import OpenSSHError
from . import sockets
from .deadline import Deadline
from .reactor import READ, Reactor, Timer

# Seconds for the first byte of a hello. A master that is stopped is there all the same.
PATIENCE = 5.0


class MasterProbe:
    """One question to whoever listens at `path`. For the reactor's thread only.

    Args:
        answer: called once, maybe at once: whether the master is there.
    """

    def __init__(self, path: str, reactor: Reactor, answer: Callable[[bool], None]) -> None:
        self._reactor = reactor
        self._sock: socket.socket | None = None
        self._timer: Timer | None = None
        try:
            self._sock = sockets.connect(path, Deadline.after(0))
        except OpenSSHError as error:
            # A full queue is a sign of life; nobody listening is not.
            answer(isinstance(error, TimeoutError))
            return
        self._answer: Callable[[bool], None] = answer
        _asking.add(self)
        reactor.watch(self._sock.fileno(), READ, self._heard)
        self._timer = reactor.call_at(monotonic() + PATIENCE, lambda: self._end(True))

    def _heard(self, _mask: int) -> None:
        assert self._sock is not None
        try:
            self._end(bool(self._sock.recv(1)))
        except OSError:
            self._end(False)

    def _end(self, alive: bool) -> None:
        _asking.discard(self)
        sock, self._sock = self._sock, None
        if sock is not None:
            self._reactor.unwatch(sock.fileno())
            sock.close()
        if self._timer is not None:
            self._timer.cancel()
        answer, self._answer = self._answer, _to_nobody
        answer(alive)

    def abandon(self) -> None:
        """In a forked child: close our copy of the socket, and nothing else."""
        sock, self._sock = self._sock, None
        if sock is not None:
            os.close(sock.detach())


def _to_nobody(_alive: bool) -> None:
    pass


_asking: set[MasterProbe] = set()


def _in_forked_child() -> None:
    while _asking:
        _asking.pop().abandon()


os.register_at_fork(after_in_child=_in_forked_child)
