"""A SOCKS proxy on this side: whoever uses it says with each connection where behind the server it is to go.

We speak SOCKS ourselves (4, 4a and 5). A master can, but it does not tell which port it got when asked for any, nor why
a connection did not come about.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic

from .._backends.tunnel import Destination, Manners, Tunnel, closed_here
from .._io.inherited import forget, track
from .._io.reactor import READ, Reactor
from .._protocol import socks
from ..errors import OpenRefused, OpenSSHError, OpenTimeout
from .addresses import Address, ListenAddress, destination
from .base import Forward
from .listener import Listener

# Seconds a client gets to say where it wants to go.
_PATIENCE = 30.0

Opener = Callable[[Destination, socket.socket, Callable[[Tunnel], None], Manners], Tunnel]


class DynamicForward(Forward):
    """Listens on this side and speaks SOCKS. Made by `Connection.forward_dynamic`."""

    kind = "dynamic forward"

    def __init__(
        self,
        reactor: Reactor,
        where: ListenAddress,
        *,
        host: str,
        open_tunnel: Opener,
        closed: Callable[[Forward], None],
    ) -> None:
        super().__init__(host)
        self._reactor = reactor
        self._open_tunnel = open_tunnel
        self._on_close = closed
        self._closed = False
        self._talks: set[_Talk] = set()
        self._tunnels: set[Tunnel] = set()
        self._listener = Listener(reactor, where, self._accepted, self._failed)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{type(self).__name__} {self.address} through {self.host}: {state}>"

    @property
    def address(self) -> Address:
        return self._listener.address

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def connections(self) -> int:
        """How many connections go through it now, or are about to."""
        return len(self._tunnels) + len(self._talks)

    def close(self) -> None:
        self._closed = True
        self._listener.close()
        self._on_close(self)

    def end(self) -> None:
        self.close()
        for talk in list(self._talks):
            talk.cut()
        for tunnel in list(self._tunnels):
            tunnel.cut(closed_here(self.host))

    # ---- one client, in the reactor's thread

    def _accepted(self, peer: socket.socket, origin: tuple[str, int] | None) -> None:
        self._talks.add(_Talk(self._reactor, peer, origin, self._asked, self._talk_failed))

    def _talk_failed(self, talk: _Talk, error: OpenSSHError | None) -> None:
        self._talks.discard(talk)
        if error is not None:
            self._failed(error)

    def _asked(self, talk: _Talk, server: socks.SocksServer) -> None:
        """The client has said where it wants to go."""
        self._talks.discard(talk)
        manners = Manners(server.granted(), lambda error: server.refused(_code_for(error)))
        try:
            to = destination((server.host, server.port))
            if talk.origin is not None:
                to = to.replace(origin=talk.origin)
            self._tunnels.add(self._open_tunnel(to, talk.sock, self._over, manners))
        except OpenSSHError as error:
            talk.say(manners.parting(error))
            talk.sock.close()
            self._failed(error)

    def _over(self, tunnel: Tunnel) -> None:
        self._tunnels.discard(tunnel)
        if tunnel.error is not None and not tunnel.is_open:
            self._failed(tunnel.error)


def _code_for(error: OpenSSHError) -> int:
    """What a client is told, in the codes of RFC 1928 section 6."""
    if isinstance(error, OpenRefused) and error.code == 1:
        return socks.NOT_ALLOWED
    if isinstance(error, OpenRefused) and error.code == 2:
        return socks.REFUSED if "refused" in error.what else socks.HOST_UNREACHABLE
    return socks.HOST_UNREACHABLE if isinstance(error, OpenTimeout) else socks.GENERAL_FAILURE


class _Talk:
    """What is said before the connection.

    Args:
        asked: called when the client has said where it wants to go; the socket is whose is called then.
        failed: called when that will never be; without an error when the client went away, or we did.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        origin: tuple[str, int] | None,
        asked: Callable[[_Talk, socks.SocksServer], None],
        failed: Callable[[_Talk, OpenSSHError | None], None],
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.origin = origin
        self._reactor = reactor
        self._asked = asked
        self._failed = failed
        self._server = socks.SocksServer()
        self._is_over = False
        track(self)
        reactor.watch(sock.fileno(), READ, self._on_ready)
        self._timer = reactor.call_at(monotonic() + _PATIENCE, self._too_slow)

    def _on_ready(self, _mask: int) -> None:
        try:
            while self._server.missing:
                data = self.sock.recv(self._server.missing)
                if not data:
                    return self._give_up(None)
                self._server.feed(data)
                self.say(self._server.outgoing())
        except BlockingIOError:
            return
        except OpenSSHError as error:
            self.say(self._server.outgoing())
            return self._give_up(error)
        except OSError:
            return self._give_up(None)
        if self._finish():
            self._asked(self, self._server)

    def say(self, data: bytes) -> None:
        """A few bytes, among the first ever said there: they fit, or nobody is there."""
        try:
            self.sock.send(data)
        except OSError:
            pass

    def _too_slow(self) -> None:
        self._give_up(OpenTimeout(f"a SOCKS client has not said in {_PATIENCE:g} s where it wants to go"))

    def _finish(self) -> bool:
        """Stop to listen; whether that is news."""
        if self._is_over:
            return False
        self._is_over = True
        forget(self)
        self._timer.cancel()
        self._reactor.unwatch(self.sock.fileno())
        return True

    def _give_up(self, error: OpenSSHError | None) -> None:
        if self._finish():
            self._failed(self, error)
            self.sock.close()

    def cut(self) -> None:
        """End it. From any thread."""
        self._reactor.submit(lambda: self._give_up(None))

    def abandon(self) -> None:
        """In a forked child: close our copy."""
        self.sock.close()
