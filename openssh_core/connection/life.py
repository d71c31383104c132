"""How a connection lives and ends."""

from __future__ import annotations

import atexit
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ..defaults import Defaults
from ..errors import ConnectionClosed, OpenSSHError
from ..keys import HostKey
from ..master import Master
from ..program_start import LoginShell

if TYPE_CHECKING:
    from typing_extensions import Self


class Attached(Protocol):
    """Something that lives no longer than its connection."""

    def end(self) -> None:
        """End it, with everything that goes on in it. Idempotent."""


class ConnectionLife:
    """The part of a connection that everything else stands on: the master, and when it is given up."""

    def __init__(self, master: Master, host: str, *, encoding: str | None, errors: str) -> None:
        self._master: Master | None = master
        self.host = host
        self.encoding = encoding
        self.errors = errors
        self.defaults = Defaults()
        self._attached: set[Attached] = set()
        self._login_shell = LoginShell()
        _open.add(self)

    def __repr__(self) -> str:
        state = "closed" if self._master is None else f"master {self._master.pid}"
        return f"<{type(self).__name__} {self.host}: {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        master = getattr(self, "_master", None)
        if master is not None:
            # A finaliser may run anywhere, with any lock held: it only lets go. The master ends by itself then.
            master.let_go()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._master is None

    @property
    def control_path(self) -> str:
        """The master's control socket, for other programs that use it (`ssh -S`)."""
        return self._live().control_path

    @property
    def master_pid(self) -> int:
        """The master's process id."""
        return self._live().pid

    @property
    def host_key(self) -> HostKey | None:
        """The key the server showed in the login; None for a master that somebody else started.

        Its `base64` is empty where ssh told only the fingerprint; a function as `host_keys=` makes ssh tell the key.
        """
        return self._live().host_key

    @property
    def server_version(self) -> str | None:
        """The server's software, in its own words (RFC 4253 section 4.2): `OpenSSH_9.2p1 ...`; None where unknown."""
        return self._live().facts.version

    def check(self) -> None:
        """See that the master is there and answers. Says nothing about the server behind it.

        Raises:
            ConnectionLost: it is gone.
            MasterUnresponsive: it does not answer.
            ConnectionClosed: this connection was closed.
        """
        self._live().check()

    def close(self) -> None:
        """End what runs over it, and the master unless it is somebody else's. Idempotent.

        Commands that still run are sent SIGTERM, and SIGKILL a moment later.
        """
        master, self._master = self._master, None
        if master is not None:
            _open.discard(self)
            for thing in list(self._attached):
                thing.end()
            master.close()

    def _attach(self, thing: Attached) -> None:
        """Have something ended with this connection, while its master is still there."""
        self._attached.add(thing)

    def _detach(self, thing: Attached) -> None:
        """It has ended already."""
        self._attached.discard(thing)

    def _live(self) -> Master:
        if self._master is None:
            raise ConnectionClosed("this connection was closed", host=self.host)
        return self._master


_open: weakref.WeakSet[ConnectionLife] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A program that ends without closing leaves nothing behind either."""
    for connection in list(_open):
        try:
            connection.close()
        except OpenSSHError:
            pass  # nobody is left to tell; the master ends by itself
