"""Sessions on descriptors handed to the master: for masters that are not ours alone.

The master reads and writes the pipes itself. It tells the exit status, and nothing about signals: a session that
ends without a status was killed, or its master is gone, and which of the two it was has to be found out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from time import monotonic

from .._io import control, sockets
from .._io.deadline import Deadline
from .._io.opener import PATIENCE
from .._io.reactor import Reactor
from .._io.shielded import shielded
from ..errors import OpenRefused, OpenSSHError
from .base import SessionRequest, Streams
from .ending import end_all
from .gate import SlotGate
from .passenger_session import PassengerSession
from .remote_kill import kill_groups

# Seconds in which a master answers a request that needs no more than one round trip to the server.
ANSWER = 60.0
# Seconds a signal may take.
_KILL_PATIENCE = 5.0


class PassengerBackend:
    """Starts sessions through the control socket at `path`. Safe to give up at any moment.

    Args:
        host: for error messages.
        track_pid: whether commands are made to tell their process id, the only way they can be signalled.
    """

    def __init__(self, path: str, reactor: Reactor, *, host: str, track_pid: bool) -> None:
        self.path = path
        self.reactor = reactor
        self.host = host
        self.track_pid = track_pid
        self.gate = SlotGate()
        self._sessions: set[PassengerSession] = set()
        self._closed: OpenSSHError | None = None

    def start(self, request: SessionRequest, streams: Streams) -> PassengerSession:
        return shielded(lambda: self._start(request, streams), _give_up)

    def _start(self, request: SessionRequest, streams: Streams) -> PassengerSession:
        session = PassengerSession(self, request, streams)
        try:
            if self._closed is not None:
                raise self._closed
            self._open(session, request)
        except OpenSSHError as error:
            error.host = error.host or self.host
            session.failed(error)
            session.release()
            if not isinstance(error, OpenRefused):
                raise
        return session

    def _open(self, session: PassengerSession, request: SessionRequest) -> None:
        refused_since: float | None = None
        while True:
            self.gate.enter(urgent=request.urgent)
            try:
                self._open_once(session)
                return
            except OpenRefused:
                busy = self.gate.refused()
                now = monotonic()
                refused_since = None if busy else refused_since or now
                if refused_since is not None and now - refused_since > PATIENCE:
                    raise
            except BaseException:
                self.gate.given_up()
                raise

    def _open_once(self, session: PassengerSession) -> None:
        deadline = Deadline.after(ANSWER)
        with control.greet(self.path, deadline) as conversation:
            message = session.message(conversation.next_id())
            sock, _number = conversation.new_session(message, session.theirs, deadline)
        self.gate.confirmed()
        self._sessions.add(session)
        session.opened(sock)

    def ended(self, session: PassengerSession) -> None:
        """A session's connection is over."""
        self._sessions.discard(session)
        self.gate.released()

    def master_listens(self) -> bool:
        """Whether the master is still there, found out without waiting for it."""
        try:
            sockets.connect(self.path, Deadline.after(0)).close()
        except OpenSSHError as error:
            # A full queue is a sign of life; nobody listening is not.
            return isinstance(error, TimeoutError)
        return True

    def running(self) -> list[PassengerSession]:
        return [session for session in list(self._sessions) if session.exit is None and session.error is None]

    def signal_all(self, sessions: Iterable[PassengerSession], name: str, timeout: float) -> None:
        if pids := [session.pid for session in sessions if session.pid is not None]:
            kill_groups(self, pids, name, timeout, host=self.host)

    def end_all(self) -> None:
        end_all(self)

    def close(self, error: OpenSSHError) -> None:
        self._closed = error
        for session in list(self._sessions):
            session.failed(error)
            session.close()


def _give_up(session: PassengerSession) -> None:
    """Whoever wanted it has been interrupted: leave nothing running."""
    with contextlib.suppress(OpenSSHError):
        session.signal("KILL", _KILL_PATIENCE)
    session.close()
