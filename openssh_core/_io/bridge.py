"""A socket in place of something that only has `recv` and `send`: two threads carry the bytes across."""

from __future__ import annotations

import socket
import threading
from typing import Any

_PIECE = 32_768


class Bridge:
    """Carries bytes both ways until either side ends.

    Args:
        carrier: has `recv`, `send` and `close`; becomes the bridge's own.

    Attributes:
        ours: the socket.
    """

    def __init__(self, carrier: Any) -> None:
        self._carrier = carrier
        self.ours, self._theirs = socket.socketpair()
        # They hold no reference to this object, so that dropping it closes `ours` and ends them.
        for name, run in (("from", _inwards), ("to", _outwards)):
            threading.Thread(
                target=run, args=(carrier, self._theirs), name=f"sftp bytes {name} {carrier!r}", daemon=True
            ).start()

    def close(self) -> None:
        """End both threads. Idempotent."""
        _quietly(self._theirs.shutdown, socket.SHUT_RDWR)
        _quietly(self._carrier.close)


def _inwards(carrier: Any, sock: socket.socket) -> None:
    try:
        while data := carrier.recv(_PIECE):
            sock.sendall(data)
    except Exception:  # noqa: BLE001 - whatever it raises at its end: the stream is over
        pass
    finally:
        _quietly(sock.shutdown, socket.SHUT_RDWR)


def _outwards(carrier: Any, sock: socket.socket) -> None:
    try:
        while data := sock.recv(_PIECE):
            view = memoryview(data)
            while view:
                view = view[carrier.send(bytes(view)) :]
    except Exception:  # noqa: BLE001 - as above
        pass
    finally:
        _quietly(carrier.close)
        _quietly(sock.close)


def _quietly(call: Any, *args: Any) -> None:
    try:
        call(*args)
    except Exception:  # noqa: BLE001 - it is over already
        pass
