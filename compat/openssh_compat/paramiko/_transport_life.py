"""How a transport lives: where it leads, whether it is there, how it ends."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Any

from openssh_core import Connection, OpenSSHError, RemoteProcess

from . import _way
from ._algorithms import disabled
from ._own_address import own_address
from ._way import Way
from .common import SSH_PORT
from .util import ClosingContextManager, log_as

__all__ = ["TransportLife"]


class TransportLife(ClosingContextManager):
    """The part of a transport that everything else stands on.

    Args:
        sock: `(host, port)`, `"host:port"` or `"host"`: a connection is made at once; or one that is there: a socket, a
            `Channel`, a `ProxyCommand`, or what behaves like a socket.
        disabled_algorithms: names by kind (`ciphers`, `macs`, `keys`, `pubkeys`, `kex`) that ssh is not to use.
        gss_kex, gss_deleg_creds: whether ssh is to exchange keys by GSSAPI (where it was built for that), and hand on
            the user's credentials.
        default_window_size, default_max_packet_size, server_sig_algs, strict_kex, packetizer_class: change nothing; the
            protocol is the business of ssh.

    Attributes:
        banner_timeout, handshake_timeout, auth_timeout: seconds for the server to say its version, for the exchange of
            keys, and for it to let us in.
        channel_timeout: seconds a tunnel or a session may take to open.
        forward_agent, forward_x11: whether commands that ask for it may use our agent, and our display; to be set
            before the login.
        connection: the core's own, which can do much more; None before the login.

    Raises:
        SSHException: nobody takes the connection.
    """

    banner_timeout: float = 15
    handshake_timeout: float = 15
    auth_timeout: float = 30
    channel_timeout: float = 60 * 60
    forward_agent = False
    forward_x11 = False

    def __init__(
        self,
        sock: Any,
        default_window_size: int = 2**21,
        default_max_packet_size: int = 2**15,
        disabled_algorithms: Any = None,
        server_sig_algs: bool = True,
        strict_kex: bool = True,
        packetizer_class: Any = None,
        gss_kex: bool = False,
        gss_deleg_creds: bool = True,
    ) -> None:
        self.connection: Connection | None = None
        self._way = _way_of(sock)
        self._options: dict[str, Any] = dict(disabled(disabled_algorithms))
        if gss_kex:
            self._options["GSSAPIKeyExchange"] = "yes"
            self._options["GSSAPIDelegateCredentials"] = "yes" if gss_deleg_creds else "no"
        self._open = True
        self._error: Exception | None = None
        self._log_name = "paramiko.transport"
        self._processes: set[RemoteProcess] = set()
        self._abandoned: deque[RemoteProcess] = deque()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        state = "closed" if not self._open else "not logged in" if self.connection is None else repr(self.connection)
        return f"<openssh_compat.paramiko.Transport to {self._way.host}:{self._way.port}: {state}>"

    def __del__(self) -> None:
        for process in getattr(self, "_processes", ()):
            process.forgotten = True

    @property
    def sock(self) -> Any:
        """What it goes over, as far as there is such a thing: with `getpeername`, `getsockname` and `close`."""
        if self._way.own is None and self.connection is not None:
            self._way.own = own_address(self.connection.master_pid)
        return self._way

    @property
    def hostname(self) -> str:
        return self._way.host

    def is_active(self) -> bool:
        """Whether the connection is there: asks the master, once there is one."""
        if self.connection is None:
            return self._open and self._greeted
        try:
            self.connection.check()
        except OpenSSHError:
            return False
        return True

    @property
    def active(self) -> bool:
        return self.is_active()

    @property
    def _greeted(self) -> bool:
        return False

    def getpeername(self) -> tuple[Any, ...]:
        """The server's address and port, or what the socket says that was given."""
        return self._way.getpeername()

    def get_exception(self) -> Exception | None:
        """The last error of something that was started with `event=`; forgets it."""
        error, self._error = self._error, None
        return error

    def set_keepalive(self, interval: int) -> None:
        """Seconds of silence after which ssh asks whether the server is there. Counts when called before the login;
        otherwise it is 15.
        """
        if self.connection is None:
            self._options["keepalive"] = interval

    def send_ignore(self, byte_count: int | None = None) -> None:
        """Sees that the connection is there; what is sent for that is ssh's business.

        Raises:
            EOFError: it is not.
        """
        if not self.is_active():
            raise EOFError

    def renegotiate_keys(self) -> None:
        """Nothing to do: ssh does that by itself, in time (RekeyLimit in ssh_config(5))."""

    def close(self) -> None:
        """End the connection. What still runs on the server is not signalled. Idempotent."""
        self._open = False
        left, self._processes = self._processes, set()
        for process in left:
            process.close()
        for process in left:
            # What is still open when the connection is closed would be signalled.
            with contextlib.suppress(OpenSSHError):
                process.wait()
        if self.connection is not None:
            self.connection.close()
        self._way.close()

    def stop_thread(self) -> None:
        """The same as `close`."""
        self.close()

    def atfork(self) -> None:
        """In a forked child: the connection is the parent's, and goes on."""
        self._open = False

    # ---- logging

    def set_log_channel(self, name: str) -> None:
        """Have messages logged under another name than `paramiko.transport`."""
        self._log_name = name

    def get_log_channel(self) -> str:
        return self._log_name

    def _log(self, level: int, msg: str, *args: object) -> None:
        log_as(self._log_name, level, msg, *args)

    # ---- for this package

    def abandon(self, process: RemoteProcess) -> None:
        """Close a process; may be called by a finaliser. Somebody may be waiting for its session, so that goes at
        once; its pipes go with the next that is started."""
        process.let_go()
        self._abandoned.append(process)

    def _close_abandoned(self) -> None:
        while self._abandoned:
            process = self._abandoned.popleft()
            process.close()
            self._processes.discard(process)

    def _hold(self, process: RemoteProcess) -> None:
        """Hold it while it runs, so that one whose channel is forgotten is closed in order, not by the collector."""
        self._processes.add(process)
        for one in list(self._processes):
            if one.returncode is not None:
                self._processes.discard(one)


def _way_of(sock: Any) -> Way:
    if isinstance(sock, Way):
        return sock
    if isinstance(sock, str):
        host, _, port = sock.rpartition(":")
        return _way.dialled(host, int(port)) if host and port.isdigit() else _way.dialled(sock, SSH_PORT)
    if isinstance(sock, tuple):
        return _way.dialled(str(sock[0]), int(sock[1]))
    return _way.given(sock)
