"""Everything that comes out of a tunnel, after everything was put in: for protocols of one question and one answer."""

from __future__ import annotations

import select
import socket

from .._backends.tunnel import Tunnel
from .._io import sockets
from .._io.deadline import Deadline
from ..errors import CommandTimeout, ConnectionLost

_PIECE = 65_536

# Seconds in which a tunnel that was read to its end says whether that was the end, or the connection broke.
_LAST_WORD = 10.0


def exchange(
    sock: socket.socket, tunnel: Tunnel, data: bytes, deadline: Deadline, *, seconds: float | None, host: str
) -> bytes:
    """Send all of it and the end of it, and read to the end.

    Args:
        seconds: the limit that the deadline was made from, for the message.

    Raises:
        CommandTimeout: the deadline passed; carries what came until then.
        ConnectionLost: the connection ended; likewise.
    """
    left = memoryview(data)
    received = bytearray()
    sock.setblocking(False)
    sending = _send(sock, left)
    while True:
        events = select.POLLIN | (select.POLLOUT if sending is not None else 0)
        if not sockets.wait(sock, events, deadline):
            raise CommandTimeout(
                f"what comes from {tunnel.destination} has not ended within {seconds:g} s",
                host=host,
                command=str(tunnel.destination),
                seconds=seconds or 0.0,
                killed=True,
                stdout=bytes(received),
            )
        if sending is not None:
            sending = _send(sock, sending)
        try:
            piece = sock.recv(_PIECE)
        except BlockingIOError:
            continue
        except OSError:
            piece = b""
        if not piece:
            break
        received += piece
    _check_end(tunnel, bytes(received), host)
    return bytes(received)


def _send(sock: socket.socket, left: memoryview) -> memoryview | None:
    """Send as much as goes now; what is left, None when all of it and the end of it are out."""
    try:
        while left:
            left = left[sock.send(left[:_PIECE]) :]
        sock.shutdown(socket.SHUT_WR)
    except BlockingIOError:
        return left
    except OSError:
        pass  # nobody takes the rest; what was said until then can still be read
    return None


def _check_end(tunnel: Tunnel, received: bytes, host: str) -> None:
    """See that this was the end, and not the connection that broke: to a socket both look the same."""
    if not tunnel.heard_end and tunnel.wait_over(_LAST_WORD) and tunnel.error is not None:
        raise ConnectionLost(
            f"the connection ended before the end of what comes from {tunnel.destination} ({tunnel.error.what})",
            host=host,
            started=True,
            stdout=received,
        )
