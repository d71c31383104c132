"""A tunnel whose socket is in the master (PROTOCOL.mux section 3): no byte of it passes through this process.

What `ssh -W` cannot do, this cannot: when the target ends its direction first, the master ends the other one too. And a
refusal comes without the server's reason.
"""

from __future__ import annotations

import socket
from _thread import start_new_thread
from collections.abc import Callable

from .._io import control
from .._io.deadline import Deadline
from .._io.probe import MasterProbe
from .._io.reactor import READ, Reactor
from .._io.splice import Splice
from .._io.version import ssh_version
from .._wire.mux import PORT_IS_SOCKET_PATH
from ..errors import ConnectionLost, OpenRefused, OpenSSHError
from .tunnel import Destination, Manners, Tunnel

# Seconds a server gets to say whether it opens a tunnel when nobody set a limit: longer than TCP tries to connect.
LONGEST_OPEN = 300.0

# The release whose master takes a Unix socket as the target of such a request.
_UNIX_SOCKETS_SINCE = (9, 4)


class PassengerTunnel(Tunnel):
    """A control connection, for as long as the tunnel is there.

    Args:
        path: the master's control socket.
        sock: for the master. A copy is sent; this one is closed then.
    """

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        sock: socket.socket,
        destination: Destination,
        over: Callable[[Tunnel], None] | None,
        *,
        host: str,
    ) -> None:
        super().__init__(destination, over)
        self._path = path
        self._reactor = reactor
        self._host = host
        self._theirs = sock
        self._control: socket.socket | None = None
        self._given_up: OpenSSHError | None = None

    def start(self) -> None:
        """Ask for it, in a thread of its own: no interrupt may hit while the master waits for descriptors."""
        self._begin_tracking()
        try:
            start_new_thread(self._open, ())
        except RuntimeError as error:
            self._theirs.close()
            self._over(OpenSSHError(f"no thread could be started for a tunnel ({error})", host=self._host))

    def _open(self) -> None:
        try:
            held = self._ask()
        except Exception as error:  # noqa: BLE001 - whoever waits for the tunnel raises it
            # First: whoever sees the socket end will find the reason.
            self._over(error if isinstance(error, OpenSSHError) else _surprise(error, self._host))
            return self._theirs.close()
        self._theirs.close()
        self._reactor.submit(lambda: self._hold(held))

    def _ask(self) -> socket.socket:
        deadline = Deadline.after(LONGEST_OPEN)
        there = self.destination
        if there.port is None and (ssh_version("ssh") or _UNIX_SOCKETS_SINCE) < _UNIX_SOCKETS_SINCE:
            raise OpenRefused(
                f"a master of this ssh takes no tunnel to a Unix socket ({there.host})",
                host=self._host,
                advice="Connect without control_path=, or use OpenSSH 9.4 or later",
            )
        try:
            with control.greet(self._path, deadline) as conversation:
                port = PORT_IS_SOCKET_PATH if there.port is None else there.port
                fd = self._theirs.fileno()
                return conversation.stdio_forward(there.host, port, (fd, fd), deadline)
        except OpenRefused as error:
            raise OpenRefused(
                f"the server opened no tunnel to {there} (a master that is not ours alone does not tell why)",
                host=self._host,
                advice="Check that the target is up, and AllowTcpForwarding and PermitOpen in the server's sshd_config",
            ) from error

    def _hold(self, held: socket.socket) -> None:
        """It is open. In the reactor's thread."""
        if self._given_up is not None:
            held.close()
            return self._over(self._given_up)
        self._control = held
        self._reactor.watch(held.fileno(), READ, self._on_control)
        self._opened()

    def _on_control(self, _mask: int) -> None:
        if self._control is None:
            return
        try:
            if self._control.recv(4096):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._let_go()
        MasterProbe(self._path, self._reactor, self._explain)

    def _explain(self, master_is_there: bool) -> None:
        self._over(None if master_is_there else ConnectionLost("the master went away", host=self._host))

    def _let_go(self) -> None:
        held, self._control = self._control, None
        if held is not None:
            self._reactor.unwatch(held.fileno())
            held.close()

    def cut(self, error: OpenSSHError) -> None:
        self._reactor.submit(lambda: self._cut(error))

    def _cut(self, error: OpenSSHError) -> None:
        if self._control is None:
            # Still being asked for: the thread that does it is told when it comes back.
            self._given_up = error
        else:
            self._let_go()
            self._over()

    def abandon(self) -> None:
        super().abandon()
        for sock in (self._theirs, self._control):
            if sock is not None:
                sock.close()


class PolitePassengerTunnel(PassengerTunnel):
    """One that says something first. The master would send what comes from the target at once, before anything that
    is to be said; so it gets one end of a pair, which is joined to the socket when that has been said.

    Args:
        sock: becomes this tunnel's own.
    """

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        sock: socket.socket,
        destination: Destination,
        manners: Manners,
        over: Callable[[Tunnel], None] | None,
        *,
        host: str,
    ) -> None:
        self._client = sock
        self._manners = manners
        self._near, theirs = socket.socketpair()
        super().__init__(path, reactor, theirs, destination, over, host=host)

    def _opened(self) -> None:
        self._tell(self._manners.greeting)
        Splice(self._reactor, self._client, self._near, lambda _splice: None).start()
        super()._opened()

    def _over(self, error: OpenSSHError | None = None) -> None:
        super()._over(error)
        if not self.is_open:
            if error is not None:
                self._tell(self._manners.parting(error))
            self._client.close()
            self._near.close()

    def _tell(self, words: bytes) -> None:
        self._client.setblocking(False)
        try:
            # A few bytes, the first ever said there: they fit, or nobody is there.
            self._client.send(words)
        except OSError:
            pass

    def abandon(self) -> None:
        super().abandon()
        if not self.is_open:
            self._client.close()
            self._near.close()


def passenger_tunnel(
    path: str,
    reactor: Reactor,
    sock: socket.socket,
    destination: Destination,
    manners: Manners | None,
    over: Callable[[Tunnel], None] | None,
    *,
    host: str,
) -> PassengerTunnel:
    """One of the two; not started."""
    if manners is None:
        return PassengerTunnel(path, reactor, sock, destination, over, host=host)
    return PolitePassengerTunnel(path, reactor, sock, destination, manners, over, host=host)


def _surprise(error: Exception, host: str) -> OpenSSHError:
    return OpenSSHError(f"the tunnel could not be opened ({error})", host=host)
