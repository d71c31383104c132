"""Sessions over a proxy link: our own channels, for masters that are ours alone.

The link is opened once and closed only when the master is to die, because a master whose proxy connection closes
after an open on it was refused takes everything with it.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterable

from .._io.deadline import Deadline
from .._io.link import ProxyLink
from .._io.opener import SessionOpener
from .._io.reactor import Reactor
from ..errors import OpenRefused, OpenSSHError
from .base import SessionRequest, Streams
from .ending import end_all
from .parting import Parting
from .passenger_tunnel import passenger_tunnel
from .proxy_session import ProxySession
from .proxy_tunnel import ProxyTunnel
from .remote_kill import kill_groups
from .tunnel import Destination, Manners, Tunnel

# A refused open costs the master memory for the rest of its life, and it dies of 16,384. Past this many, tunnels are
# opened the other way, where a refusal costs nothing and says less.
_REFUSALS_ON_LINK = 1000

# Seconds that closing a connection waits for commands that were given up and have not begun yet.
PARTING_PATIENCE = 5.0


class ProxyBackend:
    """Starts sessions on one link.

    Args:
        path: the master's control socket.
        signals_work: whether the server lets this user signal a session; None when that is not known.
        spare: whether one channel is kept open in advance.

    Attributes:
        agent_forwarded: whether the server has been given the agent.
        accepts_variable: what the server has said of each name in an `env` request.
        sessions: those that are not over.
        partings: channels that were given up and cannot be closed yet.
    """

    tells_why = True

    def __init__(
        self, link: ProxyLink, reactor: Reactor, path: str, *, host: str, signals_work: bool | None, spare: bool
    ) -> None:
        self.link = link
        self._path = path
        self._refusals = 0
        self.reactor = reactor
        self.host = host
        # Where signals are refused, ending a process takes a session of its own: keep a slot for it.
        self.opener = SessionOpener(link, reactor, host=host, spare=spare, reserve=1 if signals_work is False else 0)
        self.signals_work = signals_work
        self.agent_forwarded = False
        self.accepts_variable: dict[str, bool] = {}
        self.sessions: set[ProxySession] = set()
        self.partings: set[Parting] = set()

    def new(self, request: SessionRequest, streams: Streams) -> ProxySession:
        return ProxySession(self, request, streams)

    def start(self, request: SessionRequest, streams: Streams) -> ProxySession:
        session = ProxySession(self, request, streams)
        session.begin()
        return session

    def ask(self, session: ProxySession, urgent: bool) -> None:
        """Get it a channel. In the reactor's thread."""
        session.begin_tracking()
        self.sessions.add(session)
        try:
            self.opener.ask(session, urgent=urgent)
        except OpenSSHError as error:
            session.on_lost(error)

    def tunnel(
        self,
        destination: Destination,
        sock: socket.socket,
        over: Callable[[Tunnel], None] | None = None,
        manners: Manners | None = None,
        *,
        direct: bool = False,
    ) -> Tunnel:
        def no_more(tunnel: Tunnel) -> None:
            self._refusals += isinstance(tunnel.error, OpenRefused)
            if over is not None:
                over(tunnel)

        if direct or self._refusals >= _REFUSALS_ON_LINK:
            guest = passenger_tunnel(self._path, self.reactor, sock, destination, manners, over, host=self.host)
            guest.start()
            return guest
        tunnel = ProxyTunnel(self.link, self.reactor, sock, destination, manners, no_more, host=self.host)
        self.reactor.submit(tunnel.start)
        return tunnel

    def give_way(self) -> bool:
        """Somebody opens a session beside the link and was refused; whether sessions of ours will end some day."""
        self.reactor.submit(self.opener.give_way)
        self.reactor.submit(self.opener.tell_refusal)
        return bool(self.sessions)

    def guest_gone(self) -> None:
        """A session beside the link is over."""
        self.reactor.submit(self.opener.guest_gone)

    def running(self) -> list[ProxySession]:
        # In the reactor's thread, and so after everything that was asked for before: what was closed is not ended.
        return self.reactor.call(lambda: [one for one in self.sessions if one.exit is None and one.error is None])

    def signal_all(self, sessions: Iterable[ProxySession], name: str, timeout: float) -> None:
        if self.signals_work is not False:
            for session in sessions:
                self.reactor.submit(functools.partial(session.signaller.send, name, None))
        elif pids := [session.pid for session in sessions if session.pid is not None]:
            kill_groups(self, pids, name, timeout, host=self.host)

    def on_refusal(self, tell: Callable[[], None]) -> None:
        self.opener.refusals.add(tell)

    def make_room(self) -> None:
        def drop() -> None:
            self.opener.drop_spare()
            self.opener.tell_refusal()

        self.reactor.submit(drop)

    def end_all(self) -> None:
        end_all(self)
        deadline = Deadline.after(PARTING_PATIENCE)
        for parting in self.reactor.call(lambda: list(self.partings)):
            parting.wait(deadline.left())

    def close(self, error: OpenSSHError) -> None:
        self.link.close(error)
