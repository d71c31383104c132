"""What all masters have in common, which is what there is of one that somebody else has started."""

from __future__ import annotations

import os
from collections.abc import Callable

from .._backends.base import Backend, Piped, Session, SessionRequest, Streams
from .._backends.gate import GuestGate
from .._backends.passenger import PassengerBackend
from .._backends.proxy import ProxyBackend
from .._cli import log
from .._io import control
from .._io.deadline import Deadline
from .._io.reactor import get_reactor
from .._io.sinks import Sink
from ..errors import ConnectionClosed, ConnectionLost, InvalidInput, OpenSSHError
from ..keys import HostKey

# Seconds a master gets to answer what needs no network.
LOCAL_ANSWER = 10.0
# Seconds it gets to show that it is there at all. One that is stopped is not lost.
_SIGN_OF_LIFE = 2.0


class Master:
    """A master process that somebody else has started, and the way through it.

    Attributes:
        control_path: its control socket.
        pid: its process id.
        host: the destination as the caller named it.
        ssh: the program, for others that go through it.
        facts: what its log told about the server; nothing where the log is somebody else's.
        host_key: the server's, where it is known.
    """

    host_key: HostKey | None = None

    def __init__(self, control_path: str, pid: int, host: str, *, ssh: str = "ssh") -> None:
        self.facts = log.ServerFacts()
        self.control_path = control_path
        self.pid = pid
        self.host = host
        self.ssh = ssh
        self._backend: Backend | None = None
        self._guests: PassengerBackend | None = None
        self._owner = os.getpid()
        self._stopped = False

    @property
    def backend(self) -> Backend:
        """What starts sessions. After a fork the child gets one of its own, which leaves the parent's in peace.

        Raises:
            ConnectionClosed: it takes nothing new any more.
        """
        if self._stopped:
            raise ConnectionClosed("this connection was stopped: it takes no new sessions", host=self.host)
        if self._backend is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._guests = None
            self._backend = PassengerBackend(self.control_path, get_reactor(), host=self.host, track_pid=True)
        return self._backend

    def start_subsystem(self, name: str, fd: int, stderr: Sink) -> Session:
        """Start a subsystem on a descriptor that goes to the master itself: no Python in the path of its data.

        Args:
            name: such as `sftp` (RFC 4254 section 6.5).
            fd: a socket, for both directions; becomes the session's own.
            stderr: takes what the subsystem has to say beside that.

        Raises:
            OpenSSHError: the connection is gone; the descriptor is closed.
        """
        try:
            passenger = self._passenger()
            second = os.dup(fd)
        except BaseException:
            os.close(fd)
            raise
        request = SessionRequest("subsystem", lambda _variables, _line: name.encode())
        return passenger.start(request, Streams(Piped(fd), Piped(second), stderr))

    def _passenger(self) -> PassengerBackend:
        """What hands descriptors over; beside a link it asks that for room."""
        backend = self.backend
        if isinstance(backend, PassengerBackend):
            return backend
        assert isinstance(backend, ProxyBackend)
        if self._guests is None:
            gate = GuestGate(backend.give_way, backend.guest_gone)
            reactor = get_reactor()
            self._guests = PassengerBackend(self.control_path, reactor, host=self.host, track_pid=True, gate=gate)
        return self._guests

    def backend_for(self, request: SessionRequest) -> Backend:
        """What starts this session. Raises as `backend` does."""
        # The master speaks X11's authentication only for sessions that it has opened itself.
        return self._passenger() if request.forward_x11 else self.backend

    def check(self) -> None:
        """See that it is there and answers.

        Raises:
            ConnectionLost: it is gone.
            MasterUnresponsive: it does not answer.
        """
        deadline = Deadline.after(LOCAL_ANSWER)
        with control.greet(self.control_path, deadline) as conversation:
            conversation.alive(deadline)

    @property
    def lost(self) -> bool:
        """Whether it is gone."""
        deadline = Deadline.after(_SIGN_OF_LIFE)
        try:
            with control.greet(self.control_path, deadline) as conversation:
                conversation.alive(deadline)
        except ConnectionLost:
            return True
        except OpenSSHError:
            return False
        return False

    def read_log(self) -> str:
        """What ssh has said since it was started; nothing where the log is somebody else's."""
        return ""

    def read_banner(self) -> str:
        """What the server said before the login (RFC 4252 section 5.4)."""
        return ""

    def stop_listening(self) -> None:
        """Take no new clients; what runs goes on.

        Raises:
            InvalidInput: it is somebody else's.
        """
        raise self._not_ours("stopped")

    def disown(self) -> str:
        """Let it live on without us; the path of its control socket.

        Raises:
            InvalidInput: it is somebody else's already.
        """
        raise self._not_ours("disowned")

    def end(self) -> None:
        """End it, also where `close` would leave it running.

        Raises:
            InvalidInput: it is somebody else's.
        """
        raise self._not_ours("ended")

    def _not_ours(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"this master was started by somebody else and cannot be {what}",
            host=self.host,
            advice=f"Use ssh -S {self.control_path} -O exit or stop",
        )

    def let_go(self) -> None:
        """Give up the way through it, without waiting. Idempotent."""
        if self._owner == os.getpid():
            for backend in (self._guests, self._backend):
                if backend is not None:
                    backend.close(ConnectionClosed("this connection was closed", host=self.host))

    def on_refusal(self, tell: Callable[[], None]) -> None:
        """Have it told, in any thread, when the server has refused a session."""
        self.backend.on_refusal(tell)

    def make_room(self) -> None:
        """Give back what is kept of the server's sessions in advance, for somebody who comes by another way."""
        self.backend.make_room()

    def end_all(self) -> None:
        """End what this process still runs through it."""
        if self._owner == os.getpid():
            for backend in (self._guests, self._backend):
                if backend is not None:
                    backend.end_all()

    def close(self) -> None:
        """End what we run through it and let go of it. It is not ours to end."""
        self.end_all()
        self.let_go()


def told_host_key(facts: log.ServerFacts) -> HostKey | None:
    """From the log, which has the key's type and fingerprint."""
    if facts.host_key is None:
        return None
    kind, _, fingerprint = facts.host_key.partition(" ")
    return HostKey(facts.host or "", facts.port or 22, kind, "", fingerprint)
