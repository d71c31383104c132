"""How a connection lives and ends."""

from __future__ import annotations

import atexit
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from .._value import Value
from ..defaults import Defaults
from ..errors import InvalidInput, OpenSSHError
from ..master import Master
from ..program_start import LoginShell
from .access import Access

if TYPE_CHECKING:
    from typing_extensions import Self


class Attached(Protocol):
    """Something that lives no longer than its connection."""

    def end(self) -> None:
        """End it, with everything that goes on in it. Idempotent."""


class Forwards(Value):
    """Whether commands may use our agent and display.

    False: none; True: those that ask; "always": all; None: somebody else's master knows.
    """

    agent: bool | str | None = False
    x11: bool | str | None = False

    def chosen(self, agent: bool | None, x11: bool | None) -> dict[str, bool]:
        """For one command, by what was asked for it; None for what the connection does.

        Raises:
            InvalidInput: it was not allowed when the connection was made.
        """
        found = {}
        for name, asked, allowed in (("forward_agent", agent, self.agent), ("forward_x11", x11, self.x11)):
            if asked and allowed is False:
                raise InvalidInput(
                    f"{name}= was not allowed when this connection was made", advice=f"connect(..., {name}=True)"
                )
            found[name] = allowed == "always" if asked is None else bool(asked)
        return found


class ConnectionLife:
    """The part of a connection that everything else stands on: the master, and when it is given up."""

    def __init__(
        self, access: Access, host: str, *, encoding: str | None, errors: str, defaults: Defaults | None = None
    ) -> None:
        self._access = access
        self.host = host
        self.encoding = encoding
        self.errors = errors
        self.defaults = defaults or Defaults()
        self._attached: set[Attached] = set()
        self._forwards = Forwards()
        self._beneath: Attached | None = None
        self._login_shell = LoginShell()
        _open.add(self)

    def __repr__(self) -> str:
        master = self._access.present()
        state = f"master {master.pid}" if master is not None else "closed" if self.closed else "not connected yet"
        return f"<{type(self).__name__} {self.host}: {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        access = getattr(self, "_access", None)
        master = None if access is None else access.present()
        if master is not None:
            # A finaliser may run anywhere, with any lock held: it only lets go. The master ends by itself then.
            master.let_go()

    @property
    def closed(self) -> bool:
        """Whether `close` or `disown` was called."""
        return self._access.ended

    def check(self) -> None:
        """See that the master is there and answers. Says nothing about the server behind it.

        Raises:
            ConnectionLost: it is gone.
            MasterUnresponsive: it does not answer.
            ConnectionClosed: this connection was closed.
        """
        self._live().check()

    def close(self, *, end: bool = False) -> None:
        """End what runs over it, and the master unless it is somebody else's. Idempotent.

        Commands that still run are sent SIGTERM, and SIGKILL a moment later.

        Args:
            end: end a master made with `persist=`, too, for everybody who shares it.
        """
        master = self._access.give_up("closed")
        _open.discard(self)
        if master is not None:
            self._close_attached()
            if end:
                master.end()
            else:
                master.close()
        if self._beneath is not None:
            self._beneath.end()

    def _close_attached(self) -> None:
        for thing in list(self._attached):
            thing.end()

    def _attach(self, thing: Attached) -> None:
        """Have something ended with this connection, while its master is still there."""
        self._attached.add(thing)

    def _detach(self, thing: Attached) -> None:
        """It has ended already."""
        self._attached.discard(thing)

    def _live(self) -> Master:
        """The master; logs in where that is to happen on the first use, or again."""
        return self._access.master()

    def _forget(self) -> None:
        """There is nothing to close at the end of the program."""
        _open.discard(self)


_open: weakref.WeakSet[ConnectionLife] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A program that ends without closing leaves nothing behind either."""
    for connection in list(_open):
        try:
            connection.close()
        except OpenSSHError:
            pass  # nobody is left to tell; the master ends by itself
