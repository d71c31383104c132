"""Ways to a host that cannot be reached directly: one hop after the other, each over the connection through the last.

A hop is another connection, a proxy, a host to log in to, or a function that connects.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from .._cli.target import parse_target
from .._io.deadline import Deadline
from .._io.proxies import SCHEMES, Proxy
from .._io.socket_like import SocketLike, Transport, as_socket
from .._io.version import resolved
from .._value import Value
from ..errors import ConnectTimeout, GatewayError, InvalidInput, OpenSSHError
from ..options import MasterOptions
from .front import Connection

if TYPE_CHECKING:
    from typing_extensions import Self

Reach = Callable[[str, int], "socket.socket | SocketLike"]
"""A function that connects to a host and a port, and returns what it has got."""

Hop = str | Proxy | Connection | Reach
"""One hop: a proxy or its URL, a target as for `connect`, a connection, or a function."""


LogIn = Callable[[str, Any, Deadline], Connection]
"""Logs in to a hop, over a connection to it if there is one already."""

MOST_HOPS = 16


class _Hop(Protocol):
    """One hop.

    Attributes:
        address: where it is to be reached by the hop before it; None where that cannot be.
    """

    @property
    def address(self) -> tuple[str, int] | None: ...

    def reach(self, sock: Any, host: str, port: int, deadline: Deadline) -> Any: ...


class _Through(Value):
    """Another connection: its master connects, and no byte passes through this program."""

    connection: Connection
    address: None = None

    def __str__(self) -> str:
        return self.connection.host

    def reach(self, sock: Any, host: str, port: int, deadline: Deadline) -> Any:
        return _tunnel(self.connection, host, port, deadline)


class _By(Value):
    """A function."""

    function: Reach
    address: None = None

    def __str__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    def reach(self, sock: Any, host: str, port: int, deadline: Deadline) -> Any:
        return self.function(host, port)


class _Jump:
    """A host to log in to. The connection is made when it is needed, and again when it has broken."""

    def __init__(self, target: str, log_in: LogIn, resolve: Callable[[str], tuple[str, int]]) -> None:
        parse_target(target)
        self._target = target
        self._log_in = log_in
        self._resolve = resolve
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __str__(self) -> str:
        return str(parse_target(self._target))

    @property
    def address(self) -> tuple[str, int]:
        return self._resolve(self._target)

    def reach(self, sock: Any, host: str, port: int, deadline: Deadline) -> Any:
        with self._lock:
            if self._connection is None or not _is_there(self._connection):
                self.close()
                self._connection = self._log_in(self._target, sock, deadline)
            elif sock is not None:
                sock.close()
            connection = self._connection
        # Not under the lock: a host that does not answer must not hold up the way to others.
        return _tunnel(connection, host, port, deadline)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _tunnel(connection: Connection, host: str, port: int, deadline: Deadline) -> socket.socket:
    try:
        return connection.open_tunnel(host, port, timeout=deadline.left(), direct=True)
    except TimeoutError as error:
        raise ConnectTimeout(f"{host} port {port} is not reached from there in time", host=connection.host) from error
    except OpenSSHError as error:
        raise GatewayError(error.what, host=connection.host, advice=error.advice) from error


def _is_there(connection: Connection) -> bool:
    try:
        connection.check()
    except OpenSSHError:
        return False
    return True


class Gateway:
    """A way to a host, for `connect(gateway=...)` and `find_gateway`. May be used for many hosts, at the same time.

    It logs in to hops given as targets when it is first used, and keeps these connections until it is closed: a context
    manager.
    """

    def __init__(self, hops: Iterable[_Hop]) -> None:
        self._hops = tuple(hops)
        for hop in self._hops[1:]:
            if isinstance(hop, _Through | _By):
                raise InvalidInput(
                    f"{hop} is there already, so nothing can stand before it", advice="Put it first in the list"
                )

    def __repr__(self) -> str:
        return f"<Gateway {self}>"

    def __str__(self) -> str:
        return " then ".join(str(hop) for hop in self._hops)

    def open(self, host: str, port: int, timeout: float | None = 30.0) -> socket.socket | SocketLike:
        """A connection to the host, through all hops.

        Args:
            host, port: as the last hop sees them.
            timeout: seconds for all of it; None for no limit.

        Returns:
            a connected socket, or something that behaves like one (inside TLS).

        Raises:
            GatewayError, or another ConnectError: it is not reached. Its `host` is the hop that says so.
        """
        return self._open(host, port, Deadline.after(timeout))

    def _open(self, host: str, port: int, deadline: Deadline) -> socket.socket | SocketLike:
        sock: Any = None
        for number, hop in enumerate(self._hops):
            following = self._hops[number + 1] if number + 1 < len(self._hops) else None
            there = following.address if following is not None else (host, port)
            assert there is not None
            try:
                sock = hop.reach(sock, *there, deadline)
            except OpenSSHError:
                raise
            except OSError as error:
                # Of a function of the caller's.
                raise GatewayError(f"{hop} does not reach {there[0]} port {there[1]} ({error})") from error
        return sock  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the connections to hops that it has made itself. Idempotent."""
        for hop in reversed(self._hops):
            if isinstance(hop, _Jump):
                hop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


GatewayLike = Gateway | Hop | Iterable[Hop]
"""What can be given as `gateway=`."""


class Way:
    """What one connection rests on.

    Args:
        owned: whether it was made for this connection, and ends with it.
    """

    def __init__(self, gateway: Gateway, *, owned: bool) -> None:
        self.gateway = gateway
        self._owned = owned

    def transport(self, options: MasterOptions) -> Transport:
        """What connects to the host that these options are for."""
        return lambda deadline: as_socket(self.gateway._open(*address_of(options), deadline))

    def end(self) -> None:
        if self._owned:
            self.gateway.close()


def address_of(options: MasterOptions) -> tuple[str, int]:
    """Where ssh would connect to, by its configuration."""
    said = resolved(options)
    port = said.get("port", "")
    return said.get("hostname") or options.target.host, int(port) if port.isdigit() else options.target.port or 22


def make_gateway(given: Any, log_in: LogIn, resolve: Callable[[str], tuple[str, int]]) -> Gateway:
    """The way that is meant by what a caller gave.

    Args:
        resolve: the address of a target by the configuration.

    Raises:
        InvalidInput: one of its subclasses says what cannot be.
    """
    if isinstance(given, Gateway):
        return given
    hops = list(given) if isinstance(given, Iterable) and not isinstance(given, str | Proxy | Connection) else [given]
    if not 1 <= len(hops) <= MOST_HOPS:
        raise InvalidInput(f"a gateway of {len(hops)} hops", advice=f"Give 1 to {MOST_HOPS}")
    return Gateway(_hop(hop, log_in, resolve) for hop in hops)


def _hop(given: Any, log_in: LogIn, resolve: Callable[[str], tuple[str, int]]) -> Any:
    if isinstance(given, Proxy):
        return given
    if isinstance(given, Connection):
        return _Through(given)
    if isinstance(given, str):
        if "://" in given and given.partition("://")[0] in SCHEMES:
            return Proxy.parse(given)
        return _Jump(given, log_in, resolve)
    if callable(given):
        return _By(given)
    raise InvalidInput(
        f"gateway={type(given).__name__} is none",
        advice="Give a target, the URL of a proxy, a connection, a function, or a list of them",
    )
