"""The master: the one authenticated ssh(1) process through which everything else goes."""

from __future__ import annotations

import os
import signal

from ._backends.base import Backend
from ._backends.passenger import PassengerBackend
from ._backends.proxy import ProxyBackend
from ._cli import log
from ._io import control
from ._io.deadline import Deadline
from ._io.link import ProxyLink
from ._io.master_end import ProcessHandle, end_master
from ._io.private_dir import PrivateDirectory
from ._io.reactor import get_reactor
from .errors import ConnectionClosed, ConnectionLost, OpenRefused, OpenSSHError
from .keys import HostKey

# Seconds a master gets to answer what needs no network.
LOCAL_ANSWER = 10.0


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
        self._owner = os.getpid()

    @property
    def backend(self) -> Backend:
        """What starts sessions. After a fork the child gets one of its own, which leaves the parent's in peace."""
        if self._backend is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._backend = PassengerBackend(self.control_path, get_reactor(), host=self.host, track_pid=True)
        return self._backend

    def check(self) -> None:
        """See that it is there and answers.

        Raises:
            ConnectionLost: it is gone.
            MasterUnresponsive: it does not answer.
        """
        deadline = Deadline.after(LOCAL_ANSWER)
        with control.greet(self.control_path, deadline) as conversation:
            conversation.alive(deadline)

    def let_go(self) -> None:
        """Give up the way through it, without waiting. Idempotent."""
        if self._backend is not None and self._owner == os.getpid():
            self._backend.close(ConnectionClosed("this connection was closed", host=self.host))

    def make_room(self) -> None:
        """Give back what is kept of the server's sessions in advance, for somebody who comes by another way."""
        self.backend.make_room()

    def end_all(self) -> None:
        """End what this process still runs through it."""
        if self._backend is not None and self._owner == os.getpid():
            self._backend.end_all()

    def close(self) -> None:
        """End what we run through it and let go of it. It is not ours to end."""
        self.end_all()
        self.let_go()


class PrivateMaster(Master):
    """A master of our own. Its proxy link also keeps it alive: it ends soon after its last connection.

    Args:
        conversation: a control connection to it, which becomes the link.
        facts: what its log told about the server.
        host_key: the key the server showed, where more than its fingerprint is known.
        spare: whether one channel is kept open in advance.
    """

    def __init__(
        self,
        directory: PrivateDirectory,
        conversation: control.Conversation,
        pid: int,
        *,
        host: str,
        facts: log.ServerFacts,
        host_key: HostKey | None = None,
        spare: bool,
        ssh: str = "ssh",
    ) -> None:
        super().__init__(directory.control_path, pid, host, ssh=ssh)
        self.facts = facts
        self.host_key = host_key or _told_host_key(facts)
        self._directory = directory
        self._starter = os.getpid()
        self._process = ProcessHandle(pid)
        self._anchor: control.Conversation | None = None
        self._closing = False
        try:
            self._backend = self._proxy(conversation, spare)
        except OpenRefused:
            # Before OpenSSH 7.4 there is no proxy mode. The open connection still keeps the master alive.
            self._anchor = conversation

    def _proxy(self, conversation: control.Conversation, spare: bool) -> ProxyBackend:
        reactor = get_reactor()
        sock = conversation.proxy(Deadline.after(LOCAL_ANSWER))
        link = ProxyLink(sock, reactor, lost=self._explain_loss, ended=self._on_end)
        works = log.signals_work(self.facts)
        return ProxyBackend(link, reactor, self.control_path, host=self.host, signals_work=works, spare=spare)

    def _explain_loss(self, what: str) -> OpenSSHError:
        if self._closing:
            return ConnectionClosed("this connection was closed", host=self.host)
        words = log.last_words(self._directory.read_log())
        said = f" (ssh said: {words.splitlines()[-1]})" if words else ""
        return ConnectionLost(what + said, host=self.host, last_words=words, advice="Connect again")

    def _on_end(self) -> None:
        """The link is gone, and with it the use of this master. In the reactor's thread: nothing here waits."""
        if os.getpid() == self._starter:
            self._process.signal(signal.SIGTERM)
            self._directory.remove()

    def close(self) -> None:
        """End it, and leave nothing behind. In a forked child it is the parent's, and goes on."""
        self.end_all()
        if os.getpid() == self._starter:
            self._closing = True
            # The link goes last: while it is there the control socket is, and TERMINATE ends a master in an
            # orderly way. In a forked child let_go concerns only the child's own sessions.
            end_master(self._process, self.control_path)
        self.let_go()
        if os.getpid() == self._starter:
            if self._anchor is not None:
                self._anchor.close()
            self._process.close()
            self._directory.remove()


def _told_host_key(facts: log.ServerFacts) -> HostKey | None:
    """From the log, which has the key's type and fingerprint."""
    if facts.host_key is None:
        return None
    kind, _, fingerprint = facts.host_key.partition(" ")
    return HostKey(facts.host or "", facts.port or 22, kind, "", fingerprint)
