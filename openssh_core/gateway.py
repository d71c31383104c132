"""Ways to hosts that cannot be reached directly, for `connect(gateway=...)`.

with find_gateway("inner", ways=["socks5://proxy", "bastion", direct]) as gateway:
    host = openssh_core.connect("inner", gateway=gateway)
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._io.deadline import Deadline
from ._io.proxies import Proxy
from .connection.arguments import Arguments, ConnectOptions
from .connection.connecting import way_for
from .connection.gateways import Gateway, GatewayLike, Hop, Reach, address_of
from .errors import ConnectError, ConnectTimeout, GatewayError

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Gateway", "GatewayLike", "Hop", "Proxy", "Reach", "direct", "find_gateway"]

# A server may say other things before its version (RFC 4253 section 4.2).
_LONGEST_BANNER = 65_536


def direct(host: str, port: int) -> socket.socket:
    """No gateway at all: for the list of ways that `find_gateway` tries."""
    return socket.create_connection((host, port))


def find_gateway(
    target: str, *, ways: Iterable[GatewayLike], timeout: float | None = 30.0, **options: Unpack[ConnectOptions]
) -> Gateway:
    """The first of several ways on which an SSH server answers.

    Args:
        target: the host to be reached, as for `connect`.
        ways: each as for `gateway=` of `connect`: tried in this order.
        timeout: seconds for each; None for no limit.
        options: as for `connect`; they are used for hosts to log in to on the way, and to find the target's address.

    Returns:
        the way, for `connect(gateway=...)`. Hosts on it stay logged in to; close it when it is not needed any more.

    Raises:
        GatewayError: none leads there; `reasons` has what became of each, in order.
        InvalidInput: one of its subclasses says what cannot be.
    """
    given = Arguments.of(options)
    host, port = address_of(given.order(given.target(target)).options)
    reasons = []
    for each in ways:
        way = way_for(given.replace(gateway=each))
        assert way is not None
        gateway = way.gateway
        try:
            _check(gateway, host, port, Deadline.after(timeout))
            return gateway
        except ConnectError as error:
            reasons.append(f"{gateway}: {error}")
            way.end()
        except BaseException:
            way.end()
            raise
    tried = "; ".join(reasons) or "there was none to try"
    raise GatewayError(f"no way leads to {host} port {port} ({tried})", host=target, reasons=reasons, advice="")


def _check(gateway: Gateway, host: str, port: int, deadline: Deadline) -> None:
    """See that an SSH server answers there."""
    sock: Any = gateway.open(host, port, deadline.left())
    with contextlib.closing(sock):
        said = b""
        try:
            while not (said.startswith(b"SSH-") or b"\nSSH-" in said):
                if hasattr(sock, "settimeout"):
                    sock.settimeout(deadline.left() or 0.001)
                piece = sock.recv(4096)
                said += piece
                if not piece or len(said) > _LONGEST_BANNER:
                    raise GatewayError(f"what answers at {host} port {port} is no SSH server")
        except TimeoutError as error:
            raise ConnectTimeout(f"nothing answers at {host} port {port} in time") from error
        except OSError as error:
            raise GatewayError(f"the connection to {host} port {port} broke ({error})") from error
