"""A relay stands between client and server, and does what networks do: delay, slow, lose, cut, spoil.

One thread owns every socket. Other threads ask it by a message and wait until it is done; nothing is shared, so nothing
is locked.
"""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from ._pair import Pair, Side
from ._relay_loop import Loop

if TYPE_CHECKING:
    from typing_extensions import Self


class Relay:
    """A TCP relay on a free loopback port. It works when this returns; `close` ends it.

    What it does beside passing bytes on applies to every connection through it, also to those that come later.

    Args:
        host, port: the server's, or a server of this package as `Relay(server.host, server.port)`.
        delay: seconds each way: 0.02 is a round trip of 40 ms. It limits no throughput. The relay itself answers
            the TCP handshake, which therefore costs no round trip.
        bandwidth: bytes a second, each way and for each connection; None for no limit.

    Attributes:
        host, port: where clients connect to.
    """

    def __init__(self, host: str, port: int, *, delay: float = 0.0, bandwidth: float | None = None) -> None:
        if delay < 0 or (bandwidth is not None and bandwidth <= 0):
            raise ValueError("a delay is at least 0, a bandwidth more than 0")
        listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.host: str = host
        self.port: int = listener.getsockname()[1]
        self._loop = Loop(listener, lambda accepted: Pair(accepted, (host, port), delay, bandwidth))
        self._thread = threading.Thread(target=self._loop.run, name=f"relay to {host}:{port}", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many connections were made through it until now."""
        return self._loop.accepted

    @property
    def open_connections(self) -> int:
        """How many of them are still there."""
        return self._loop.ask(lambda: len(self._loop.pairs))

    def freeze(self) -> None:
        """Be a black hole: nothing passes any more, though all sockets stay. Bytes that came before are kept."""
        self._loop.ask(lambda: self._loop.set_frozen(True))

    def thaw(self) -> None:
        """Pass everything on again, from where it stopped."""
        self._loop.ask(lambda: self._loop.set_frozen(False))

    def cut(self) -> None:
        """Reset (RST) every connection, both ways. New ones are accepted."""
        self._loop.ask(lambda: self._loop.drop_all(reset=True))

    def half_close(self, side: Side = "client") -> None:
        """Tell one side that there is nothing more to read (FIN); what it sends still passes."""
        self._loop.ask(lambda: self._loop.half_close(side))

    def corrupt(self, side: Side = "client", *, after: int = 8) -> None:
        """Change one bit of what will be sent to a side.

        Args:
            side: who gets the wrong byte.
            after: how many bytes pass unharmed before it. The default hits, when nothing is under way, the encrypted
                part of the next SSH packet, whose first four bytes are its length (RFC 4253 section 6).
        """
        self._loop.ask(lambda: self._loop.corrupt(side, after))

    def close(self) -> None:
        """Close every connection and the port, and end the thread. May be called again."""
        self._loop.finish()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Relay {self.host}:{self.port}, {self.connections} connections>"
