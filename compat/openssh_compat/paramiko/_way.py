"""How ssh gets to the server. A login may take several goes, and each needs a connection of its own."""

from __future__ import annotations

import contextlib
import shlex
import socket
from collections.abc import Callable
from typing import Any

from .proxy import ProxyCommand
from .ssh_exception import SSHException

__all__ = ["Way"]

# Seconds for a TCP connection that is made here, when nobody says otherwise.
_TCP_TIMEOUT = 30.0

# Arguments for `openssh_core.connect`.
Arguments = dict[str, Any]


class Way:
    """The way to one server.

    Args:
        host, port: whom to expect there; the host key is looked up by that.
        go: gives arguments for `openssh_core.connect`, for each go.
        goes: how often that can be asked; None for any number.

    Attributes:
        peer, own: the addresses of the server and of this side, as far as they are known.
        sock: what was given, to be closed with the transport; None when there is nothing to close.
    """

    def __init__(self, host: str, port: int, go: Callable[[], Arguments], goes: int | None = None) -> None:
        self.host = host
        self.port = port
        self.peer: tuple[Any, ...] | None = None
        self.own: tuple[Any, ...] | None = None
        self.sock: Any = None
        self._go = go
        self._goes = goes

    @property
    def once(self) -> bool:
        """Whether there is one go only."""
        return self._goes is not None

    def go(self) -> Arguments:
        """Arguments for one more connection.

        Raises:
            SSHException: there is no more.
        """
        if self._goes is not None:
            if not self._goes:
                raise SSHException("the connection that was given as sock is used up, and cannot be made again here")
            self._goes -= 1
        return self._go()

    def getpeername(self) -> tuple[Any, ...]:
        """The server's address and port: what was seen, else what its name resolves to."""
        if self.peer is None:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            self.peer = found[0][4]
        return self.peer

    def getsockname(self) -> tuple[Any, ...]:
        """This side's address; empty where only ssh knows."""
        return self.own or ("", 0)

    def close(self) -> None:
        """Close what was given. Idempotent."""
        if self.sock is not None:
            with contextlib.suppress(Exception):
                self.sock.close()


def direct(host: str, port: int) -> Way:
    """ssh connects by itself."""
    return Way(host, port, dict)


def dialled(host: str, port: int, timeout: float | None = None) -> Way:
    """Connect now, and again for each further go.

    Raises:
        SSHException: nobody takes the connection.
        OSError: the name does not resolve.
    """
    reason: OSError | None = None
    for _family, _kind, _protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            first = socket.create_connection((str(address[0]), port), timeout or _TCP_TIMEOUT)
        except OSError as error:
            reason = error
            continue
        return _tcp(host, port, first)
    raise SSHException(f"Unable to connect to {host}: {reason}") from reason


def given(sock: Any, host: str = "", port: int = 22) -> Way:
    """Over something that is there already.

    Args:
        sock: a socket, a `Channel`, a `ProxyCommand`, or what behaves like a socket.
        host, port: whom it leads to, where that is known.
    """
    from .channel import Channel

    if isinstance(sock, ProxyCommand):
        return _by_command(sock, host or "proxied-host", port)
    if isinstance(sock, Channel):
        again = sock.reopener()
        if again is not None:
            return _by_tunnel(sock, again, host or "tunnelled-host", port)
    if isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_tls(sock):
        peer = sock.getpeername()
        return _tcp(host or str(peer[0]), port if host else int(peer[1]), sock)
    way = Way(host or "given-host", port, lambda: {"sock": sock}, 1)
    way.sock = sock
    with contextlib.suppress(Exception):
        way.peer = sock.getpeername()
    return way


def _is_tls(sock: socket.socket) -> bool:
    return hasattr(sock, "getpeercert")


def _tcp(host: str, port: int, first: socket.socket) -> Way:
    peer: tuple[Any, ...] = first.getpeername()
    own: tuple[Any, ...] = first.getsockname()
    address = str(peer[0]), int(peer[1])
    waiting = [first]

    def go() -> Arguments:
        return {"sock": waiting.pop() if waiting else socket.create_connection(address, _TCP_TIMEOUT)}

    way = Way(host, port, go)
    way.peer, way.own, way.sock = peer, own, first
    return way


def _by_tunnel(channel: Any, again: Callable[[], socket.socket], host: str, port: int) -> Way:
    waiting = [channel.detach()]

    def go() -> Arguments:
        return {"sock": waiting.pop() if waiting else again()}

    way = Way(host, port, go)
    way.sock = channel
    with contextlib.suppress(Exception):
        way.peer = channel.getpeername()
    return way


def _by_command(proxy: ProxyCommand, host: str, port: int) -> Way:
    # ssh runs it by itself, once for each go; one that has been started here is not needed.
    command = shlex.join(proxy.cmd).replace("%", "%%")
    way = Way(host, port, lambda: {"options": {"ProxyCommand": command}})
    way.sock = proxy
    way.peer = (host, port)
    return way
