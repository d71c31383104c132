"""What both kinds of tunnel have in common: where it leads, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from .._io.inherited import forget, track
from .._io.latch import Latch
from .._value import Value
from ..errors import ConnectionClosed, ConnectionLost, OpenSSHError


class Destination(Value):
    """Where a tunnel leads, as seen from the server.

    Attributes:
        host: a name or an address; for a Unix socket its path.
        port: None for a Unix socket.
        origin: where the connection comes from, as the server is told (RFC 4254 section 7.2).
    """

    host: str
    port: int | None
    origin: tuple[str, int] = ("127.0.0.1", 0)

    def __str__(self) -> str:
        if self.port is None:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Manners(Value):
    """What is said to whoever is at this end of a tunnel before it, where a protocol wants that (SOCKS).

    Attributes:
        greeting: when it is open, before anything that comes through it.
        parting: when it does not come about, by the reason.
    """

    greeting: bytes
    parting: Callable[[OpenSSHError], bytes]


class Tunnel:
    """A socket of ours that is being connected, or is connected, to something behind the server.

    Written by the reactor's thread or the one that opens it; read by any.

    Args:
        over: called once, in no particular thread, when nothing more will come of it. Short, and no waiting.

    Attributes:
        destination: where it leads.
        error: why it did not come about, or broke; None while all is well, and after an orderly end.
        is_open: whether it came about; stays true after the end.
        heard_end: whether the server has said that nothing more comes from there.
    """

    def __init__(self, destination: Destination, over: Callable[[Tunnel], None] | None) -> None:
        self.destination = destination
        self.error: OpenSSHError | None = None
        self.is_open = False
        self.heard_end = False
        self._on_over = over
        self._answered = Latch()
        self._ended = Latch()

    def wait_answered(self, timeout: float | None) -> bool:
        """Wait until it is open, or will never be; False when that takes more than `timeout` seconds."""
        return self._answered.wait(timeout)

    def wait_over(self, timeout: float | None) -> bool:
        """Wait until nothing more will come of it."""
        return self._ended.wait(timeout)

    def cut(self, error: OpenSSHError) -> None:
        """End it, from any thread, whatever is still on its way. Idempotent; `error` is what becomes of one that
        was not open yet."""
        raise NotImplementedError

    # ---- for the tunnel itself

    def _opened(self) -> None:
        self.is_open = True
        self._answered.open()

    def _over(self, error: OpenSSHError | None = None) -> None:
        if self._ended.is_open():
            return
        if self.error is None:
            self.error = error
        forget(self)
        self._answered.open()
        self._ended.open()
        if self._on_over is not None:
            self._on_over(self)

    def _begin_tracking(self) -> None:
        """From now on a forked child has something to let go of."""
        track(self)

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""
        self.error = ConnectionLost("this tunnel belongs to the parent process")
        self._answered, self._ended = Latch(), Latch()
        self._answered.open()
        self._ended.open()


def closed_here(host: str) -> OpenSSHError:
    """What becomes of a tunnel that was given up from this side before it was open."""
    return ConnectionClosed("given up before the tunnel was open", host=host)
