"""Tunnels and forwards: sockets that lead to something behind the server, and the other way round."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, cast

from .._backends.tunnel import Destination, closed_here
from .._io.deadline import Deadline
from .._io.reactor import get_reactor
from ..errors import InvalidTarget, OpenTimeout
from .life import ConnectionLife

if TYPE_CHECKING:
    from ..forward import Forward, LocalForward
    from ..forward.addresses import Bind, Target

# Seconds a target gets to take a connection.
_PATIENCE = 60.0


class Tunnels(ConnectionLife):
    """The part of a connection that leads elsewhere."""

    def open_tunnel(
        self,
        host: str | os.PathLike[str],
        port: int | None = None,
        *,
        timeout: float | None = _PATIENCE,
        origin: tuple[str, int] | None = None,
    ) -> socket.socket:
        """Connect to something that the server can reach, without a port on this side.

        Args:
            host, port: as the server sees them. A path (it begins with /) and no port is a Unix socket there.
            timeout: seconds the server may take to connect; None for no limit.
            origin: address and port that the server is told the connection comes from (RFC 4254 section 7.2). Through
                a master that is not ours alone it is told nothing.

        Returns:
            a connected, blocking `socket.socket`, of the family AF_UNIX. Closing it ends the tunnel.

        Raises:
            OpenRefused: the server, or what is behind it, said no; `code` tells which (RFC 4254 section 5.1).
            OpenTimeout: it did not say anything in time.
            ConnectionLost: the connection ended.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        to = _destination(host, port)
        if origin is not None:
            to = to.replace(origin=origin)
        deadline = Deadline.after(timeout)
        backend = self._live().backend
        ours, theirs = socket.socketpair()
        try:
            tunnel = backend.tunnel(to, theirs)
            try:
                answered = tunnel.wait_answered(deadline.left())
            except BaseException:
                tunnel.cut(closed_here(self.host))
                raise
            if not answered:
                tunnel.cut(closed_here(self.host))
                raise OpenTimeout(f"the server has not connected to {to} within {timeout:g} s", host=self.host)
            if tunnel.error is not None and not tunnel.is_open:
                raise tunnel.error
        except BaseException:
            ours.close()
            raise
        return ours

    def forward_local(self, bind: Bind, target: Target) -> LocalForward:
        """Listen on this side; each connection goes to the target on the other.

        Args:
            bind: a port (0: any that is free) on the loopback interface, an address and a port, or the path of a Unix
                socket, which is made for this user only.
            target: a host and a port as the server sees them, a port of the server itself, or the path of a Unix
                socket there.

        Returns:
            the forward, which listens already; its `port` and `address` say where. It closes with this connection.
            A client whose target refuses sees its connection closed; the reason is in `errors`, and is logged.

        Raises:
            ForwardRefused: it cannot listen there.
            ConnectionClosed: this connection was closed.
            InvalidInput: one of its subclasses says what cannot be.
        """
        from ..forward import addresses
        from ..forward.local import LocalForward

        where, to = addresses.listen_address(bind), addresses.destination(target)
        backend = self._live().backend
        forward = LocalForward(
            get_reactor(), where, to, host=self.host, open_tunnel=backend.tunnel, closed=self._detach
        )
        self._attach(forward)
        return forward

    @property
    def forwards(self) -> tuple[Forward, ...]:
        """The forwards of this connection that are open."""
        from ..forward import Forward

        return tuple(thing for thing in self._attached if isinstance(thing, Forward))


def _destination(host: str | os.PathLike[str], port: int | None) -> Destination:
    from ..forward import addresses

    if port is not None:
        return addresses.destination((cast(str, host), port))
    try:
        path = os.fspath(host)
    except TypeError:
        path = ""
    if not path.startswith("/"):
        raise InvalidTarget(f"{host!r} is no path, so it needs a port", advice="Give a host and a port, or a path")
    return addresses.destination(path)
