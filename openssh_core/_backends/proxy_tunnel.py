"""A tunnel on a proxy link: a channel of its own (RFC 4254 section 7.2), its data to and from one socket of ours.

Each direction ends by itself, and what was sent before an end arrives. A refusal comes with the server's reason.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from .._io.link import ProxyLink
from .._io.reactor import Reactor
from .._io.socket_end import SocketEnd
from .._protocol import link as protocol
from .._wire import requests
from ..errors import OpenRefused, OpenSSHError
from .tunnel import Destination, Manners, Tunnel

# Of a server's own words.
_LONGEST_REASON = 200

# Pieces that are sent together.
_TRAIN = 4

# What a server means by its codes (RFC 4254 section 5.1), for servers that say no more than that.
_MEANING = {
    1: "the server's configuration forbids it",
    2: "nobody there takes the connection",
    3: "the server knows no such tunnels",
    4: "the server is short of something",
}

_ADVICE = {
    1: "Look at AllowTcpForwarding, AllowStreamLocalForwarding and PermitOpen in its sshd_config",
    2: "Check from the server's side that the target is up and takes connections",
}


class ProxyTunnel(Tunnel):
    """One channel and one socket.

    Args:
        sock: becomes the tunnel's own.
        manners: see there; None: nothing is said.
    """

    def __init__(
        self,
        link: ProxyLink,
        reactor: Reactor,
        sock: socket.socket,
        destination: Destination,
        manners: Manners | None,
        over: Callable[[Tunnel], None] | None,
        *,
        host: str,
    ) -> None:
        super().__init__(destination, over)
        self._manners = manners
        self._link = link
        self._reactor = reactor
        self._host = host
        self._number: int | None = None
        self._end = SocketEnd(reactor, sock, ready=self._pump, credit=self._consumed, broken=self._close_if_idle)

    def start(self) -> None:
        """Ask the server for it. In the reactor's thread."""
        self._begin_tracking()
        there = self.destination
        if there.port is None:
            kind, extra = "direct-streamlocal@openssh.com", requests.direct_streamlocal(there.host)
        else:
            kind, extra = "direct-tcpip", requests.direct_tcpip(there.host, there.port, *there.origin)
        try:
            self._number = self._link.open(kind, self, extra)
        except OpenSSHError as error:
            self.on_lost(error)

    # ---- what the link says

    def on_event(self, event: protocol.Event) -> None:
        match event:
            case protocol.Received():
                if taken := self._end.write(event.data):
                    self._consumed(taken)
            case protocol.WindowGrew():
                self._pump()
            case protocol.Opened():
                if self._manners is not None:
                    self._end.write(self._manners.greeting)
                self._opened()
                self._pump()
            case protocol.EndOfData():
                self.heard_end = True
                self._end.finish()
            case protocol.Refused():
                self._finish(self._refusal(event))
            case protocol.Closed():
                self._finish(None)

    def on_drained(self) -> None:
        self._pump()

    def on_lost(self, error: OpenSSHError) -> None:
        self._finish(error)

    # ---- data

    def _pump(self) -> None:
        """Send what there is, as far as the window goes."""
        while self._number is not None and self.is_open and self._pump_some(self._number):
            pass

    def _pump_some(self, number: int) -> bool:
        """Send a train of a few pieces, so that the first are on their way while the next are read; whether more may
        follow."""
        with self._link as link:
            for _ in range(_TRAIN):
                room = link.room(number)
                if room <= 0:
                    # The end of what there is needs no window.
                    self._end.look_for_end()
                if self._end.at_end or room <= 0:
                    break
                piece = self._end.pull(room)
                if piece is None:
                    return False
                if piece:
                    link.data(number, piece)
            else:
                return True
            if self._end.at_end:
                link.eof(number)
                self._close_if_idle()
            return False

    def _consumed(self, count: int) -> None:
        if self._number is not None:
            self._link.consumed(self._number, count)

    def _close_if_idle(self) -> None:
        """Close the channel when our side wants neither to send nor to receive any more."""
        if self._end.at_end and self._end.is_broken and self._number is not None:
            self._link.close_channel(self._number)

    # ---- the end

    def _refusal(self, event: protocol.Refused) -> OpenRefused:
        # "open failed" is all that sshd says of most things.
        said = "".join(char for char in event.reason[:_LONGEST_REASON] if char.isprintable())
        if said in ("", "open failed"):
            said = _MEANING.get(event.code, "no reason given")
        return OpenRefused(
            f"the server opened no tunnel to {self.destination} ({said})",
            host=self._host,
            code=event.code,
            advice=_ADVICE.get(event.code),
        )

    def _finish(self, error: OpenSSHError | None) -> None:
        self._number = None
        # First: whoever sees the socket end will find the reason.
        self._over(error)
        if error is not None and self._manners is not None and not self.is_open:
            self._end.write(self._manners.parting(error))
        self._end.close()

    def cut(self, error: OpenSSHError) -> None:
        self._reactor.submit(lambda: self._cut(error))

    def _cut(self, error: OpenSSHError) -> None:
        if self._number is not None:
            self._link.close_channel(self._number)
            self._finish(None if self.is_open else error)

    def abandon(self) -> None:
        super().abandon()
        self._end.abandon()
