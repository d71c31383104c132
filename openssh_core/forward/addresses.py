"""What can be listened on and what can be connected to: a host and a port, or the path of a Unix socket."""

from __future__ import annotations

import os

from .._backends.tunnel import Destination
from .._cli.target import check_host
from .._value import Value
from ..errors import InvalidInput, InvalidTarget

Path = str | os.PathLike[str]
Target = Path | int | tuple[str, int]
"""A host and a port; a port alone, which is one of localhost; or the path of a Unix socket."""

Bind = Path | int | tuple[str, int]
"""An address and a port to listen on, 0 for any that is free; a port alone, which is on the loopback interface only;
or the path of a Unix socket that does not exist yet."""

Address = str | tuple[str, int]

# Not "localhost": an sshd told that takes any port that is free on one of its addresses, and on the other somebody
# else may listen on the same.
LOOPBACK = "127.0.0.1"

# sockaddr_un has 108 bytes on Linux and 104 elsewhere, the last of them NUL.
LONGEST_PATH = 107


class ListenAddress(Value):
    """Where to listen: a host and a port, or a path and no port."""

    host: str
    port: int | None

    def __str__(self) -> str:
        return str(Destination(self.host, self.port))


def destination(target: Target) -> Destination:
    """Where a tunnel leads.

    Raises:
        InvalidTarget: that is no host or no port.
        InvalidInput: that is no path of a socket.
    """
    if isinstance(target, tuple):
        host, port = _pair(target)
        check_host(host)
        return Destination(host, _port(port, least=1))
    if isinstance(target, int):
        return Destination("localhost", _port(target, least=1))
    return Destination(socket_path(target), None)


def listen_address(bind: Bind) -> ListenAddress:
    """Where a forward listens.

    Raises:
        InvalidTarget: that is no address or no port.
        InvalidInput: that is no path of a socket.
    """
    if isinstance(bind, tuple):
        host, port = _pair(bind)
        check_host(host)
        return ListenAddress(host, _port(port, least=0))
    if isinstance(bind, int):
        return ListenAddress(LOOPBACK, _port(bind, least=0))
    return ListenAddress(socket_path(bind), None)


def socket_path(path: Path) -> str:
    """A path that a Unix socket can have.

    Raises:
        InvalidInput: it is relative, too long, or no text.
    """
    try:
        text = os.fspath(path)
    except TypeError:
        raise InvalidTarget(
            f"{path!r} is neither a port, nor a host and a port, nor a path",
            advice="Give 8080, ('web1', 80) or '/run/app.sock'",
        ) from None
    if not isinstance(text, str) or not text.startswith("/"):
        raise InvalidInput(
            f"{text!r} is not the absolute path of a socket", advice="Give ('host', port), or a path that begins with /"
        )
    if "\0" in text:
        raise InvalidInput("the path of a socket contains NUL")
    size = len(os.fsencode(text))
    if size > LONGEST_PATH:
        raise InvalidInput(
            f"the path of a socket has {size} bytes; {LONGEST_PATH} are possible", advice="Choose a shorter path"
        )
    return text


def _pair(pair: tuple[object, ...]) -> tuple[str, int]:
    if len(pair) != 2 or not isinstance(pair[0], str):
        raise InvalidTarget(f"{pair!r} is not a host and a port")
    return pair[0], pair[1]  # type: ignore[return-value]  # _port looks at it


def _port(port: object, *, least: int) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not least <= port <= 0xFFFF:
        raise InvalidTarget(f"{port!r} is no port ({least} to 65535)")
    return port
