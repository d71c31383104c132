"""Sessions on descriptors handed to the master: for masters that are not ours alone.

The master reads and writes the pipes itself. It tells the exit status, and nothing about signals: a session that
ends without a status was killed, or its master is gone, and which of the two it was has to be found out.
"""

from __future__ import annotations

import socket
from _thread import start_new_thread
from collections.abc import Callable, Iterable
from time import monotonic

from .._io import control
from .._io.deadline import Deadline
from .._io.patience import PATIENCE
from .._io.probe import MasterProbe
from .._io.reactor import Reactor
from ..errors import ConnectionClosed, OpenRefused, OpenSSHError
from .base import SessionRequest, Streams
from .ending import end_all
from .gate import Gate, SlotGate
from .passenger_session import PassengerSession
from .passenger_tunnel import passenger_tunnel
from .remote_kill import kill_groups
from .state import no_session
from .tunnel import Destination, Manners, Tunnel

# Seconds in which a master answers a request that needs no more than one round trip to the server.
ANSWER = 60.0


class PassengerBackend:
    """Starts sessions through the control socket at `path`. Safe to give up at any moment.

    Args:
        host: for error messages.
        track_pid: whether commands are made to tell their process id, the only way they can be signalled.
        gate: the queue before the server's slots, if not one of its own.

    Attributes:
        tired: sessions that wait no longer to be opened, and how many seconds they did.
    """

    tells_why = False

    def __init__(self, path: str, reactor: Reactor, *, host: str, track_pid: bool, gate: Gate | None = None) -> None:
        self.path = path
        self.reactor = reactor
        self.host = host
        self.track_pid = track_pid
        self.gate: Gate = gate or SlotGate()
        self._sessions: set[PassengerSession] = set()
        self._refusals: set[Callable[[], None]] = set()
        self._tunnels: set[Tunnel] = set()
        self._opening: set[PassengerSession] = set()
        self.tired: dict[PassengerSession, float] = {}
        self._closed: OpenSSHError | None = None

    def new(self, request: SessionRequest, streams: Streams) -> PassengerSession:
        return PassengerSession(self, request, streams)

    def start(self, request: SessionRequest, streams: Streams) -> PassengerSession:
        session = PassengerSession(self, request, streams)
        session.begin()
        return session

    def ask(self, session: PassengerSession) -> None:
        """Have it opened."""
        # In a thread of its own: whoever asked may have a limit, and what Ctrl-C raises in the main thread must not
        # find descriptors half handed over. Started in one step, for `Thread.start` is several such instructions.
        start_new_thread(self._open, (session,))

    def _open(self, session: PassengerSession) -> None:
        try:
            session.begin_tracking()
            session.prepare()
            if self._closed is not None:
                raise self._closed
            self._open_in_turn(session)
        except Exception as error:  # noqa: BLE001 - whoever waits for the session raises it
            session.not_opened(error if isinstance(error, OpenSSHError) else _surprise(error, self.host))
        finally:
            self.tired.pop(session, None)

    def _open_in_turn(self, session: PassengerSession) -> None:
        refused_since: float | None = None
        while self.gate.enter(session.is_unwanted, urgent=session.urgent):
            try:
                self._open_once(session)
                return
            except OpenRefused as error:
                error.host = self.host
                self.make_room()
                busy = self.gate.refused()
                now = monotonic()
                refused_since = None if busy else refused_since or now
                if refused_since is not None and now - refused_since > PATIENCE:
                    raise
            except BaseException:
                self.gate.given_up()
                raise
            finally:
                self._opening.discard(session)
        raise self._given_up(session)

    def _given_up(self, session: PassengerSession) -> OpenSSHError:
        if (seconds := self.tired.get(session)) is not None:
            return no_session(seconds, "others of this connection have them", self.host)
        return ConnectionClosed("given up before the command started", host=self.host)

    def is_opening(self, session: PassengerSession) -> bool:
        """Whether the master is being asked for it, so that it may start yet."""
        return session in self._opening

    def _open_once(self, session: PassengerSession) -> None:
        # Then the look: whoever gives it up does the two in the other order, so one of us sees the other.
        self._opening.add(session)
        if session.is_unwanted():
            raise self._given_up(session)
        deadline = Deadline.after(ANSWER)
        with control.greet(self.path, deadline) as conversation:
            message = session.message(conversation.next_id())
            sock, _number = conversation.new_session(message, session.theirs, deadline)
        self.gate.confirmed()
        self._sessions.add(session)
        session.opened(sock)

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
            self._tunnels.discard(tunnel)
            if over is not None:
                over(tunnel)

        tunnel = passenger_tunnel(self.path, self.reactor, sock, destination, manners, no_more, host=self.host)
        self._tunnels.add(tunnel)
        tunnel.start()
        if self._closed is not None:
            tunnel.cut(self._closed)
        return tunnel

    def ended(self, session: PassengerSession) -> None:
        """A session's connection is over."""
        self._sessions.discard(session)
        self.gate.released()

    def ask_master(self, answer: Callable[[bool], None]) -> None:
        """Find out whether the master is still there."""
        MasterProbe(self.path, self.reactor, answer)

    def running(self) -> list[PassengerSession]:
        return [session for session in list(self._sessions) if session.exit is None and session.error is None]

    def signal_all(self, sessions: Iterable[PassengerSession], name: str, timeout: float) -> None:
        if pids := [session.pid for session in sessions if session.pid is not None]:
            kill_groups(self, pids, name, timeout, host=self.host)

    def on_refusal(self, tell: Callable[[], None]) -> None:
        self._refusals.add(tell)

    def make_room(self) -> None:
        for tell in tuple(self._refusals):
            tell()

    def end_all(self) -> None:
        # A subsystem has no process that could be signalled; it ends with its input.
        for session in self.running():
            if session.is_subsystem:
                session.failed(ConnectionClosed("this connection was closed", host=self.host))
                session.close()
        end_all(self)

    def close(self, error: OpenSSHError) -> None:
        self._closed = error
        for session in list(self._sessions):
            session.failed(error)
            session.close()
        for tunnel in list(self._tunnels):
            tunnel.cut(error)


def _surprise(error: Exception, host: str) -> OpenSSHError:
    return OpenSSHError(f"the session could not be opened ({error})", host=host)
