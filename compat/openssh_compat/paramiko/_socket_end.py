"""A connected socket as the end of a channel: a tunnel to somewhere behind the server, or from there to us."""

from __future__ import annotations

import array
import fcntl
import select
import socket
import termios
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from .buffered_pipe import BufferedPipe

if TYPE_CHECKING:
    from ._end import Buffer

__all__ = ["SocketEnd"]

# Bytes of one piece, when all to the end is read.
_PIECE = 65_536


class SocketBuffer:
    """What lies in the kernel's buffer of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __len__(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._sock, termios.FIONREAD, count)
        return count[0]

    def read_ready(self) -> bool:
        return len(self) > 0

    def read(self, nbytes: int, timeout: float | None = None) -> bytes:
        until = None if timeout is None else monotonic() + timeout
        while True:
            try:
                return self._sock.recv(nbytes)
            except BlockingIOError:
                _wait(self._sock, select.POLLIN, until)
            except ConnectionError:
                return b""

    def ended(self) -> bool:
        """Whether the end has come, and nothing before it is unread."""
        try:
            return not self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True


class _Quiet(socket.socket):
    """Closes itself when nobody holds it, without a warning. Not at the channel's close: the program may still be
    selecting on it, and numbers are used again.
    """

    def __del__(self) -> None:
        self.close()


class SocketEnd:
    """A tunnel. It has one stream, and no exit status.

    Args:
        sock: connected; belongs to this.
        again: connects to the same once more; None where that cannot be.
    """

    status = -1

    def __init__(self, sock: socket.socket, again: Callable[[], socket.socket] | None = None) -> None:
        self.again = again
        self._sock = sock = _Quiet(fileno=sock.detach())
        sock.setblocking(False)
        self._closed = False
        self.stdout = SocketBuffer(sock)
        self.stderr = BufferedPipe()
        self.stderr.close()

    def copy(self) -> socket.socket:
        """The same connection, for somebody else, as it was when this got it."""
        copy = self._sock.dup()
        copy.setblocking(True)
        return copy

    def read(self, stream: Buffer, nbytes: int | None, timeout: float | None) -> bytes:
        if self._closed:
            return b""
        if nbytes is not None:
            return stream.read(nbytes, timeout)
        pieces = []
        while piece := stream.read(_PIECE, timeout):
            pieces.append(piece)
        return b"".join(pieces)

    def send(self, data: bytes | memoryview, timeout: float | None) -> int:
        until = None if timeout is None else monotonic() + timeout
        while data:
            if self._closed:
                break
            try:
                return self._sock.send(data)
            except BlockingIOError:
                _wait(self._sock, select.POLLOUT, until)
            except OSError:
                break
        if data:
            raise OSError("Socket is closed")
        return 0

    def send_ready(self) -> bool:
        return not self._closed and bool(select.select([], [self._sock], [], 0)[1])

    def shutdown_write(self) -> None:
        self._shut(socket.SHUT_WR)

    def _shut(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:
            pass  # it is gone on the other side

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def eof(self) -> bool:
        return self._closed or self.stdout.ended()

    @property
    def finished(self) -> bool:
        return self._closed or self._hung_up()

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._sock, 0)
        return bool(poll.poll(0))

    def make_room(self, *, unless_read: bool = False) -> None:
        pass  # the other side waits until somebody reads

    def over(self) -> bool:
        return self.finished

    def wait(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._sock, 0)
        return self._closed or bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._shut(socket.SHUT_RDWR)

    def let_go(self) -> None:
        self.close()


def _wait(sock: socket.socket, event: int, until: float | None) -> None:
    poll = select.poll()
    poll.register(sock, event)
    if not poll.poll(None if until is None else max(until - monotonic(), 0) * 1000):
        raise TimeoutError
