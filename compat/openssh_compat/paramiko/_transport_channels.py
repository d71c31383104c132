"""Channels over a connection that is logged in: sessions, tunnels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from openssh_core import PIPE, Connection, InvalidInput, OpenRefused, OpenSSHError, RemoteProcess

from .._shim import refused
from ._failures import session_error
from ._session_end import SessionEnd, Starter
from ._socket_end import SocketEnd
from ._transport_life import TransportLife
from .channel import Channel
from .common import CONNECTION_FAILED_CODE
from .ssh_exception import ChannelException, SSHException

if TYPE_CHECKING:
    from .sftp_client import SFTPClient

__all__ = ["Channels"]

_CONNECT_FAILED = 2


class Channels(TransportLife):
    """The part of a transport that opens channels."""

    def _live(self) -> Connection:
        if self.connection is None or not self._open:
            raise SSHException("SSH session not active")
        return self.connection

    def open_session(
        self,
        window_size: int | None = None,
        max_packet_size: int | None = None,
        timeout: float | None = None,
    ) -> Channel:
        """A session, in which a command, a shell or a subsystem can be started. The server hears of it only then.

        Args:
            window_size, max_packet_size: change nothing; the core decides.
            timeout: seconds that may pass, when something is started, until the server has a session for it;
                `channel_timeout` of the transport without.

        Raises:
            SSHException: there is no connection.
        """
        if not self.is_active():
            raise SSHException("SSH session not active")
        return self.session(timeout)

    def session(self, timeout: float | None = None) -> Channel:
        """The same without asking whether the master is there: for who starts something at once, and sees it then."""
        self._live()
        limit = self.channel_timeout if timeout is None else timeout
        return Channel(self, SessionEnd(self.abandon, limit))  # type: ignore[arg-type]  # the parts make a Transport

    def open_channel(
        self,
        kind: str,
        dest_addr: tuple[str, int] | None = None,
        src_addr: tuple[str, int] | None = None,
        window_size: int | None = None,
        max_packet_size: int | None = None,
        timeout: float | None = None,
    ) -> Channel:
        """A channel of a kind: `session`, or `direct-tcpip` for a tunnel.

        Args:
            dest_addr: of a tunnel: where the server connects to.
            src_addr: of a tunnel: from where the server is told it comes.
            timeout: seconds a tunnel may take; `channel_timeout` of the transport without.

        Raises:
            ChannelException: the server does not open it; `code` tells why.
            SSHException: it did not say anything in time, or there is no connection.
        """
        if kind == "session":
            return self.open_session(timeout=timeout)
        if kind != "direct-tcpip":
            # What sshd answers to a client that asks for a kind that only servers open.
            raise ChannelException(_CONNECT_FAILED, CONNECTION_FAILED_CODE[_CONNECT_FAILED])
        if dest_addr is None:
            raise SSHException("a tunnel needs dest_addr=(host, port)")
        host, port = dest_addr[0], int(dest_addr[1])
        origin = (src_addr[0], int(src_addr[1])) if src_addr and src_addr[0] else None
        limit = self.channel_timeout if timeout is None else timeout
        connection = self._live()

        def connect() -> Any:
            return connection.open_tunnel(host, port, timeout=limit, origin=origin)

        try:
            sock = connect()
        except InvalidInput:
            raise
        except TimeoutError as error:
            raise SSHException("Timeout opening channel.") from error
        except OpenRefused as error:
            raise ChannelException(error.code, CONNECTION_FAILED_CODE.get(error.code, error.what)) from error
        except OpenSSHError as error:
            raise session_error(error) from error
        return Channel(self, SocketEnd(sock, again=connect))  # type: ignore[arg-type]  # as above

    def open_x11_channel(self, src_addr: tuple[str, int] | None = None) -> Channel:
        """For servers: see `open_channel`."""
        return self.open_channel("x11", src_addr=src_addr)

    def open_forward_agent_channel(self) -> Channel:
        """For servers: see `open_channel`."""
        return self.open_channel("auth-agent@openssh.com")

    def open_forwarded_tcpip_channel(self, src_addr: tuple[str, int], dest_addr: tuple[str, int]) -> Channel:
        """For servers: see `open_channel`."""
        return self.open_channel("forwarded-tcpip", dest_addr, src_addr)

    @refused
    def global_request(self, kind: str, data: Any = None, wait: bool = True) -> NoReturn:
        """Not to be had. Raises NotImplementedError."""
        raise NotImplementedError(
            f"global_request({kind!r}) is not supported by openssh_compat: ssh sends only those it knows itself; "
            "use request_port_forward() for forwards and set_keepalive() for signs of life"
        )

    def open_sftp_client(self) -> SFTPClient:
        """A client for files, over a session of its own.

        Raises:
            ChannelException, SSHException: the server opens none.
        """
        from .sftp_client import SFTPClient

        return SFTPClient.from_transport(self)  # type: ignore[arg-type]  # the parts make a Transport

    # ---- for this package

    def starter(self, command: str | None, subsystem: str | None) -> Starter:
        """What starts a command, a subsystem, or without either a shell.

        It raises SSHException or ChannelException where that cannot be, ValueError where it never can.
        """
        connection = self._live()

        def start(session: SessionEnd) -> RemoteProcess:
            self._close_abandoned()
            popen: Callable[..., RemoteProcess] = connection.popen
            line = command
            if line is None and subsystem is None and session.environment:
                # A server starts a shell with the variables it takes itself; this one is started with all of them.
                line = 'exec "$SHELL" -l'
            try:
                process = popen(
                    *(() if line is None else (line,)),
                    subsystem=subsystem,
                    stdin=PIPE,
                    stdout=session.output.stdout.source(),
                    stderr=session.output.stderr.source(),
                    env=session.environment,
                    pty=session.pty,
                    forward_agent=session.forward_agent or None,
                    forward_x11=session.forward_x11 or None,
                    open_timeout=session.open_timeout,
                    encoding=None,
                    bufsize=0,
                )
            except InvalidInput:
                raise
            except OpenSSHError as error:
                raise session_error(error) from error
            self._hold(process)
            return process

        return start
