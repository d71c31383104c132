"""Ports of the server that lead to this program."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from openssh_core import ForwardRefused, InvalidInput, OpenSSHError

from ._failures import session_error
from ._socket_end import SocketEnd
from ._transport_channels import Channels
from .channel import Channel
from .common import DEBUG
from .ssh_exception import SSHException

__all__ = ["Forwards"]

# (channel, where the connection comes from, the address on the server it came to)
Handler = Callable[[Channel, "tuple[str, int]", "tuple[str, int]"], Any]

# ssh does not tell.
_UNKNOWN = ("", 0)


class Arrived:
    """Channels that came and that nobody has taken yet. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._channels: deque[Channel] = deque()
        self._over = False

    def put(self, channel: Channel) -> None:
        with self._changed:
            if not self._over:
                self._channels.append(channel)
                self._changed.notify()
                return
        channel.close()

    def take(self, timeout: float | None) -> Channel | None:
        until = None if timeout is None else monotonic() + timeout
        with self._changed:
            while not self._channels and not self._over:
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            return self._channels.popleft() if self._channels else None

    def end(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._over = True
            left, self._channels = list(self._channels), deque()
            self._changed.notify_all()
        for channel in left:
            channel.close()


class Forwards(Channels):
    """The part of a transport that has the server listen."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._arrived = Arrived()
        # (address, port) as they were asked for and as they are -> the forward
        self._forwards: dict[tuple[str, int], Any] = {}

    def request_port_forward(self, address: str, port: int, handler: Handler | None = None) -> int:
        """Have the server listen on a port.

        Args:
            address: of the server's; empty for all, where its sshd_config has `GatewayPorts clientspecified`.
            port: 0 for any that is free.
            handler: called for each connection in a thread of its own: `handler(channel, origin, server)`, with two
                pairs of address and port. ssh does not tell where a connection comes from: `origin` is ("", 0).
                Each forward has its own. Without one, `accept` gives the channels.

        Returns:
            the port.

        Raises:
            SSHException: the server does not listen there.
        """
        try:
            forward = self._live().forward_remote((address or "0.0.0.0", int(port)), self._receiver(handler))
        except InvalidInput:
            raise
        except ForwardRefused as error:
            raise SSHException("TCP forwarding request denied") from error
        except OpenSSHError as error:
            raise session_error(error) from error
        number = int(forward.port or port)
        self._forwards[address, number] = forward
        return number

    def _receiver(self, handler: Handler | None) -> Callable[[socket.socket, Any, Any], None]:
        def receive(sock: socket.socket, _origin: Any, server: Any) -> None:
            where = server if isinstance(server, tuple) else _UNKNOWN
            channel = Channel(self, SocketEnd(sock), _UNKNOWN)  # type: ignore[arg-type]  # the parts make a Transport
            self._log(DEBUG, "Incoming connection to %s:%d", *where)
            if handler is None:
                self._arrived.put(channel)
            else:
                handler(channel, _UNKNOWN, where)

        return receive

    def cancel_port_forward(self, address: str, port: int) -> None:
        """Have the server listen there no more. Connections that are there go on."""
        forward = self._forwards.pop((address, int(port)), None)
        if forward is not None:
            forward.close()

    def accept(self, timeout: float | None = None) -> Channel | None:
        """The next connection to a port that was asked for without a handler.

        Args:
            timeout: seconds to wait; None for ever.

        Returns:
            None when none came in time, or the transport was closed.
        """
        return self._arrived.take(timeout)

    def close(self) -> None:
        """End the connection. What still runs on the server is not signalled. Idempotent."""
        self._arrived.end()
        self._forwards.clear()
        super().close()
