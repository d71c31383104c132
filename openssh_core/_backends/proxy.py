"""Sessions over a proxy link: our own channels, for masters that are ours alone.

The link is opened once and closed only when the master is to die, because a master whose proxy connection closes
after an open on it was refused takes everything with it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from .._io.link import ProxyLink
from .._io.opener import SessionOpener
from .._io.reactor import Reactor
from ..errors import OpenSSHError
from .base import SessionRequest, Streams
from .ending import end_all
from .proxy_session import ProxySession
from .remote_kill import kill_groups


class ProxyBackend:
    """Starts sessions on one link.

    Args:
        signals_work: whether the server lets this user signal a session; None when that is not known.
        spare: whether one channel is kept open in advance.

    Attributes:
        accepts_variable: what the server has said of each name in an `env` request.
        sessions: those that are not over.
    """

    def __init__(self, link: ProxyLink, reactor: Reactor, *, host: str, signals_work: bool | None, spare: bool) -> None:
        self.link = link
        self.reactor = reactor
        self.host = host
        # Where signals are refused, ending a process takes a session of its own: keep a slot for it.
        self.opener = SessionOpener(link, reactor, host=host, spare=spare, reserve=1 if signals_work is False else 0)
        self.signals_work = signals_work
        self.accepts_variable: dict[str, bool] = {}
        self.sessions: set[ProxySession] = set()

    def start(self, request: SessionRequest, streams: Streams) -> ProxySession:
        session = ProxySession(self, request, streams)
        self.reactor.submit(lambda: self._ask(session, request.urgent))
        return session

    def _ask(self, session: ProxySession, urgent: bool) -> None:
        session.begin_tracking()
        self.sessions.add(session)
        try:
            self.opener.ask(session, urgent=urgent)
        except OpenSSHError as error:
            session.on_lost(error)

    def running(self) -> list[ProxySession]:
        return [session for session in list(self.sessions) if session.exit is None and session.error is None]

    def signal_all(self, sessions: Iterable[ProxySession], name: str, timeout: float) -> None:
        if self.signals_work is not False:
            for session in sessions:
                self.reactor.submit(functools.partial(session.signaller.send, name, None))
        elif pids := [session.pid for session in sessions if session.pid is not None]:
            kill_groups(self, pids, name, timeout, host=self.host)

    def end_all(self) -> None:
        end_all(self)

    def close(self, error: OpenSSHError) -> None:
        self.link.close(error)
