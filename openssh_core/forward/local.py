"""A port or socket on this side that leads to something behind the server.

We listen ourselves: a master asked to listen on port 0 does not tell which it got. Each connection becomes a tunnel of
its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from .._backends.tunnel import Destination, Tunnel, closed_here
from .._io.reactor import Reactor
from ..errors import OpenSSHError
from .addresses import Address, ListenAddress
from .base import Forward
from .listener import Listener

Opener = Callable[[Destination, socket.socket, Callable[[Tunnel], None]], Tunnel]


class LocalForward(Forward):
    """Listens on this side. Made by `Connection.forward_local`.

    Attributes:
        target: what it leads to, as text.
    """

    kind = "local forward"

    def __init__(
        self,
        reactor: Reactor,
        where: ListenAddress,
        to: Destination,
        *,
        host: str,
        open_tunnel: Opener,
        closed: Callable[[Forward], None],
    ) -> None:
        super().__init__(host)
        self._to = to
        self._open_tunnel = open_tunnel
        self._on_close = closed
        self._closed = False
        self._tunnels: set[Tunnel] = set()
        self._listener = Listener(reactor, where, self._accepted, self._failed)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{type(self).__name__} {self.address} to {self.target} at {self.host}: {state}>"

    @property
    def target(self) -> str:
        return str(self._to)

    @property
    def address(self) -> Address:
        return self._listener.address

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def connections(self) -> int:
        """How many connections go through it now."""
        return len(self._tunnels)

    def close(self) -> None:
        self._closed = True
        self._listener.close()
        self._on_close(self)

    def end(self) -> None:
        self.close()
        for tunnel in list(self._tunnels):
            tunnel.cut(closed_here(self.host))

    def _accepted(self, peer: socket.socket, origin: tuple[str, int] | None) -> None:
        to = self._to if origin is None else self._to.replace(origin=origin)
        try:
            self._tunnels.add(self._open_tunnel(to, peer, self._over))
        except OpenSSHError as error:
            peer.close()
            self._failed(error)

    def _over(self, tunnel: Tunnel) -> None:
        self._tunnels.discard(tunnel)
        # One that was open ends like any connection: both its ends see that.
        if tunnel.error is not None and not tunnel.is_open:
            self._failed(tunnel.error)
