"""Whatever can send and receive, as a real socket whose descriptor another process can be given."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..errors import InvalidInput
from .deadline import Deadline

_PIECE = 65_536


class SocketLike(Protocol):
    """What it takes to be read from and written to like a socket: `recv` is empty at the end."""

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytes, /) -> int: ...

    def close(self) -> None: ...


Connected = socket.socket | SocketLike | int
"""A connected socket, its descriptor, or an object that can `send`, `recv` and `close` like one."""

Transport = Callable[[Deadline], socket.socket]
"""Makes a connection within a deadline; the socket is whose called it."""


def close_given(thing: Any) -> None:
    """Close what was given as a connection and is of no use: nobody else will. What is none is left alone."""
    with contextlib.suppress(Exception):  # whatever such an object raises, there is nobody to tell
        if isinstance(thing, int):
            if not isinstance(thing, bool):
                socket.socket(fileno=thing).close()
        else:
            thing.close()


class Given:
    """What was given as a connection: it is handed over when somebody logs in, or closed in the end.

    Args:
        thing: None for nothing.
    """

    def __init__(self, thing: Connected | None) -> None:
        self._thing = thing
        self._taken = thing is None

    def take(self) -> Connected | None:
        """The thing, which is the taker's from now on."""
        self._taken = True
        return self._thing

    def end(self) -> None:
        """Close it, unless somebody has taken it. Idempotent."""
        if not self._taken:
            close_given(self.take())


@contextlib.contextmanager
def handing_over(thing: Connected | None) -> Iterator[Transport | None]:
    """What gives the socket away, once; without any, None. It is closed here at the end of the block.

    Raises:
        InvalidInput: it cannot send and receive.
    """
    if thing is None:
        yield None
        return
    with as_socket(thing) as sock:
        yield lambda _deadline: sock


def as_socket(thing: Connected) -> socket.socket:
    """A real, connected socket with the same other end; `thing` is ours from here on.

    What is no socket of the system itself (TLS, a channel of another library) is pumped by two threads. They end, and
    close it, when either side does.

    Raises:
        InvalidInput: it cannot send and receive.
    """
    if isinstance(thing, int) and not isinstance(thing, bool):
        try:
            thing = socket.socket(fileno=thing)
        except OSError as error:
            raise InvalidInput(f"descriptor {thing} is no socket ({error.strerror})") from error
    if isinstance(thing, socket.socket) and not _is_tls(thing):
        if thing.fileno() < 0:
            raise InvalidInput("sock= is closed")
        if thing.type != socket.SOCK_STREAM or thing.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise InvalidInput("sock= is no connection", advice="Give a socket that is connected to the server")
        return thing
    for verb in ("send", "recv", "close"):
        if not callable(getattr(thing, verb, None)):
            raise InvalidInput(
                f"sock={thing!r} has no {verb}()", advice="Give a connected socket, or what behaves like one"
            )
    ours, theirs = socket.socketpair()
    _Pump(thing, theirs).start()  # type: ignore[arg-type]  # seen above
    return ours


def _is_tls(sock: socket.socket) -> bool:
    # Its descriptor carries what is encrypted. Not imported for this: who has one has the module.
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(sock, ssl.SSLSocket)


class _Pump:
    """Copies both ways between an object that waits when it is asked and one end of a pair."""

    def __init__(self, thing: SocketLike, end: socket.socket) -> None:
        self._thing = thing
        self._end = end

    def start(self) -> None:
        for work in (self._inwards, self._outwards):
            threading.Thread(target=work, name="openssh-core-pump", daemon=True).start()

    def _inwards(self) -> None:
        try:
            while data := self._receive():
                self._end.sendall(data)
            self._end.shutdown(socket.SHUT_WR)
        except Exception:  # noqa: BLE001 - whatever such an object raises, it is the end of it
            self._give_up()

    def _receive(self) -> bytes:
        while True:
            try:
                return self._thing.recv(_PIECE)
            except TimeoutError:
                continue  # it has a limit set that was meant for somebody else

    def _outwards(self) -> None:
        try:
            while data := self._end.recv(_PIECE):
                while data:
                    data = data[self._thing.send(data) :]
        except Exception:  # noqa: BLE001 - as above
            pass
        # ssh is gone, or cannot be written to.
        self._give_up()

    def _give_up(self) -> None:
        # Closing a socket does not wake who reads from it in another thread.
        for end in (lambda: self._thing.shutdown(socket.SHUT_RDWR), self._thing.close):  # type: ignore[attr-defined]
            try:
                end()
            except Exception:  # noqa: BLE001 - as above
                pass
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._end.close()
