"""A relayed connection is two sockets and two lanes. It moves bytes when it is told that it can, and never waits."""

from __future__ import annotations

import selectors
import socket
import struct
from typing import Literal

from ._lane import Lane

Side = Literal["client", "server"]

_RESET = struct.pack("ii", 1, 0)


class End:
    """One socket of a pair: what is read here goes out by `away`, what came by `towards` is written here."""

    def __init__(self, sock: socket.socket, away: Lane, towards: Lane, *, connected: bool) -> None:
        self.sock = sock
        self.away = away
        self.towards = towards
        self.connected = connected
        self._full = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def interest(self) -> int:
        """What to wait for, in `selectors`' words; 0 for nothing."""
        if not self.connected:
            return selectors.EVENT_WRITE
        return (selectors.EVENT_READ if self.away.appetite else 0) | (selectors.EVENT_WRITE if self._full else 0)

    def ready(self, events: int, now: float) -> None:
        """The socket can do what was waited for. Raises OSError when the connection is broken."""
        if not self.connected:
            if error := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "cannot connect")
            self.connected = True
        if events & selectors.EVENT_WRITE:
            self._full = False
        if events & selectors.EVENT_READ and (appetite := self.away.appetite):
            try:
                self.away.put(self.sock.recv(appetite), now)
            except BlockingIOError:
                pass

    def deliver(self, now: float) -> None:
        """Write what has arrived, as far as the socket takes it. Raises OSError when the connection is broken."""
        while self.connected and not self._full and (piece := self.towards.arrived(now)) is not None:
            if not piece:
                self.sock.shutdown(socket.SHUT_WR)
                self.towards.delivered(0)
                continue
            try:
                self.towards.delivered(self.sock.send(piece))
            except BlockingIOError:
                self._full = True

    def half_close(self) -> None:
        """Say that nothing more will come, and forget what is under way. Raises OSError when it is broken."""
        self.towards.drop()
        self.sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool) -> None:
        """Close the socket; `reset`: with RST instead of FIN."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()


class Pair:
    """The client's end and the server's end of one connection.

    Args:
        accepted: the connection to the client.
        server: address to connect to.
        delay, rate: of both lanes.
    """

    def __init__(self, accepted: socket.socket, server: tuple[str, int], delay: float, rate: float | None) -> None:
        up, down = Lane(delay, rate), Lane(delay, rate)
        onward = socket.socket(accepted.family, socket.SOCK_STREAM)
        self.client = End(accepted, away=up, towards=down, connected=True)
        self.server = End(onward, away=down, towards=up, connected=False)
        onward.connect_ex(server)

    @property
    def ends(self) -> tuple[End, End]:
        """Both of them."""
        return self.client, self.server

    def end(self, side: Side) -> End:
        """The one of a side."""
        return self.client if side == "client" else self.server

    @property
    def over(self) -> bool:
        """Whether both directions have come to their end, everything delivered."""
        return all(end.away.ended and end.away.empty for end in self.ends)

    def due_at(self) -> float | None:
        """When something arrives that could be written then; None when only an event can bring it on."""
        times = [end.towards.due_at() for end in self.ends if end.connected and not end._full]
        return min((time for time in times if time is not None), default=None)

    def deliver(self, now: float) -> None:
        """Write to both ends what has arrived there. Raises OSError when the connection is broken."""
        for end in self.ends:
            end.deliver(now)

    def close(self, *, reset: bool = False) -> None:
        """Close both ends."""
        for end in self.ends:
            end.close(reset=reset)
