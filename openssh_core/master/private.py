"""A master of our own, which lives as long as the connection, and the link through it."""

from __future__ import annotations

import os
import signal

from .._backends.proxy import ProxyBackend
from .._cli import log
from .._io import control
from .._io.deadline import Deadline
from .._io.keeper import keep
from .._io.link import ProxyLink
from .._io.master_end import ProcessHandle, end_master
from .._io.private_dir import PrivateDirectory
from .._io.reactor import get_reactor
from ..errors import ConnectionClosed, ConnectionLost, OpenRefused, OpenSSHError
from ..keys import HostKey
from .base import LOCAL_ANSWER, Master, told_host_key


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
        self.host_key = host_key or told_host_key(facts)
        self._directory = directory
        self._starter = os.getpid()
        self._process = ProcessHandle(pid)
        self._anchor: control.Conversation | None = None
        self._closing = False
        self._gone = False
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
        self._gone = True
        if os.getpid() == self._starter:
            self._process.signal(signal.SIGTERM)
            self._directory.remove()

    @property
    def lost(self) -> bool:
        """Whether it is gone. A child of a fork has to ask; the parent is told."""
        if os.getpid() == self._starter and self._anchor is None:
            return self._gone
        return super().lost

    def read_log(self) -> str:
        return self._directory.read_log()

    def read_banner(self) -> str:
        return self._directory.read_banner()

    def stop_listening(self) -> None:
        deadline = Deadline.after(LOCAL_ANSWER)
        with control.greet(self.control_path, deadline) as conversation:
            conversation.stop_listening(deadline)
        self._stopped = True

    def disown(self) -> str:
        """See `Master`. What we run through it is ended. A small process of its own keeps its last connection open."""
        self.end_all()
        if isinstance(self._backend, ProxyBackend):
            sock = get_reactor().call(self._backend.link.release)
        else:
            assert self._anchor is not None
            sock = self._anchor.detach()
        with sock:
            keep(sock, self._directory)
        self._process.close()
        return self.control_path

    def end(self) -> None:
        self.close()

    def close(self) -> None:
        """End it, and leave nothing behind. In a forked child it is the parent's, and goes on."""
        self.end_all()
        if os.getpid() == self._starter:
            self._closing = True
            if self._stopped:
                # It has no control socket any more, and ends with its last client.
                self.let_go()
            # The link goes last: while it is there the control socket is, and TERMINATE ends a master in an
            # orderly way. In a forked child let_go concerns only the child's own sessions.
            end_master(self._process, self.control_path)
        self.let_go()
        if os.getpid() == self._starter:
            if self._anchor is not None:
                self._anchor.close()
            self._process.close()
            self._directory.remove()
