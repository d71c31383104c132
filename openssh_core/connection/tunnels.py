"""Tunnels and forwards: sockets that lead to something behind the server, and the other way round."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from .._backends.tunnel import Destination, Manners, Tunnel, closed_here
from .._io import text
from .._io.deadline import Deadline
from .._io.reactor import get_reactor
from ..errors import CommandTimeout, ConnectionLost, InvalidTarget, OpenRefused, OpenTimeout
from .life import ConnectionLife

if TYPE_CHECKING:
    from ..forward import DynamicForward, Forward, LocalForward, RemoteForward
    from ..forward.addresses import Bind, Target
    from ..forward.remote import Handler

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
        direct: bool = False,
    ) -> socket.socket:
        """Connect to something that the server can reach, without a port on this side.

        Args:
            host, port: as the server sees them. A path (it begins with /) and no port is a Unix socket there.
            timeout: seconds the server may take to connect; None for no limit.
            origin: address and port that the server is told the connection comes from (RFC 4254 section 7.2). Through
                a master that is not ours alone, or with `direct`, it is told nothing.
            direct: hand the socket to the master, so that no byte passes through this program. Much data costs less
                then; but when the target ends its direction first, the other one ends, too.

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
        if direct and self._live().backend.tells_why:
            try:
                return self._tunnel(to, deadline, timeout, direct=True)[0]
            except OpenRefused:
                pass  # once more, to hear why
        return self._tunnel(to, deadline, timeout)[0]

    def capture_tunnel(
        self,
        host: str | os.PathLike[str],
        port: int | None = None,
        *,
        input: str | bytes | None = None,
        timeout: float | None = None,
        encoding: str | None = None,
    ) -> str | bytes:
        """Connect as `open_tunnel` does, send the input and its end, and return everything that comes back.

        Args:
            host, port: as for `open_tunnel`.
            input: what to send.
            timeout: seconds for all of it; None for no limit.
            encoding: of what comes back, which is bytes without one, and of a str input (UTF-8 without one).

        Raises:
            CommandTimeout: the limit passed; carries what came until then.
            ConnectionLost: the connection ended; likewise.
            OpenRefused, OpenTimeout, InvalidInput: as for `open_tunnel`.
        """
        from ..forward.capture import exchange

        to = _destination(host, port)
        how = (encoding, self.errors)
        data = b"" if input is None else text.encode(input, *how)
        deadline = Deadline.after(timeout)
        sock, tunnel = self._tunnel(to, deadline, timeout)
        try:
            with sock:
                said = exchange(sock, tunnel, data, deadline, seconds=timeout, host=self.host)
        except (CommandTimeout, ConnectionLost) as error:
            tunnel.cut(closed_here(self.host))
            if isinstance(error.stdout, bytes):
                error.stdout = text.decode(error.stdout, *how)
            raise
        return text.decode(said, *how)

    def _tunnel(
        self, to: Destination, deadline: Deadline, seconds: float | None, *, direct: bool = False
    ) -> tuple[socket.socket, Tunnel]:
        backend = self._live().backend
        ours, theirs = socket.socketpair()
        try:
            tunnel = backend.tunnel(to, theirs, direct=direct)
            try:
                answered = tunnel.wait_answered(deadline.left())
            except BaseException:
                tunnel.cut(closed_here(self.host))
                raise
            if not answered:
                tunnel.cut(closed_here(self.host))
                raise OpenTimeout(f"the server has not connected to {to} within {seconds:g} s", host=self.host)
            if tunnel.error is not None and not tunnel.is_open:
                raise tunnel.error
        except BaseException:
            ours.close()
            raise
        return ours, tunnel

    def _tunnel_now(
        self,
        to: Destination,
        sock: socket.socket,
        over: Callable[[Tunnel], None],
        manners: Manners | None = None,
    ) -> Tunnel:
        """A tunnel through whatever master there is now, and no waiting: for forwards, in the reactor's thread."""
        master = self._access.present()
        if master is None:
            raise ConnectionLost("there is no connection now", host=self.host)
        return master.backend.tunnel(to, sock, over, manners)

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
        self._live()
        forward = LocalForward(
            get_reactor(), where, to, host=self.host, open_tunnel=self._tunnel_now, closed=self._detach
        )
        self._attach(forward)
        return forward

    def forward_remote(
        self, bind: Bind, target: Target | Handler, *, timeout: float | None = _PATIENCE
    ) -> RemoteForward:
        """Listen on the server; each connection goes to the target on this side, or to a function.

        Args:
            bind: a port of the server (0: any that is free) on its 127.0.0.1, an address and a port there, or
                the path of a Unix socket that is not there yet. Other interfaces than the loopback need
                `GatewayPorts clientspecified` in its sshd_config; without, it listens on the loopback all the same.
            target: a host and a port as seen from here, a port of this machine, the path of a Unix socket here; or a
                function, which is called for each connection in a thread of its own: `handler(sock, origin,
                server_address)`. `sock` is a connected socket, and the handler's to close; `origin` is None, for ssh
                does not tell where the connection comes from.
            timeout: seconds the server may take to answer; None for no limit.

        Returns:
            the forward; its `port` and `address` say where the server listens. It closes with this connection. What
            went wrong with connections is in `errors`, and is logged.

        Raises:
            ForwardRefused: the server does not listen there.
            OpenTimeout: it has not answered in time.
            ConnectionLost: the connection ended.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        from ..forward import addresses
        from ..forward.cleanup import remove_socket
        from ..forward.remote import RemoteForward

        where = addresses.listen_address(bind)
        to = target if callable(target) else addresses.destination(target)
        deadline = Deadline.after(timeout)
        master = self._live()
        forward = RemoteForward(
            get_reactor(),
            master.control_path,
            where,
            to,
            host=self.host,
            ssh=master.ssh,
            closed=self._detach,
            remove=partial(remove_socket, master.backend),
        )
        forward.open(deadline, timeout)
        self._attach(forward)
        return forward

    def forward_dynamic(self, bind: Bind) -> DynamicForward:
        """Listen on this side as a SOCKS proxy (4, 4a and 5, without passwords): each client says where it wants to go.

        Args:
            bind: as for `forward_local`. Whoever reaches it can reach whatever the server can.

        Returns:
            the forward, which listens already; its `port` and `address` say where. It closes with this connection.
            Names are looked up by the server. A client is told in the words of SOCKS why it is not connected; the
            whole reason is in `errors`, and is logged.

        Raises:
            ForwardRefused: it cannot listen there.
            ConnectionClosed: this connection was closed.
            InvalidInput: one of its subclasses says what cannot be.
        """
        from ..forward import addresses
        from ..forward.dynamic import DynamicForward

        where = addresses.listen_address(bind)
        self._live()
        forward = DynamicForward(
            get_reactor(), where, host=self.host, open_tunnel=self._tunnel_now, closed=self._detach
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
