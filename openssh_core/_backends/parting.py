"""Closing the channel of a command without ending it.

Where the remote shell is made to tell its process id, it does so before anything else. If the server has closed the
command's output by then, the shell gets SIGPIPE for that line, and what the caller wanted never runs. So a channel that
is given up that early stays open, unheard, until the line has come.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from .._io.latch import Latch
from .._io.sinks import PidFilter
from .._protocol import link as protocol
from ..errors import OpenSSHError

if TYPE_CHECKING:
    from .proxy import ProxyBackend

# Seconds a remote shell gets to begin. A forced command never says the line.
PATIENCE = 30.0


class Parting:
    """A channel that nobody wants any more, on its way to be closed. In the reactor's thread, but for `wait`.

    Args:
        number: the channel; its events come here from now on.
        filter: what finds the line in its output.
    """

    def __init__(self, backend: ProxyBackend, number: int, filter: PidFilter) -> None:
        self._backend = backend
        self._number = number
        self._filter = filter
        self._over = Latch()
        self._timer = backend.reactor.call_at(monotonic() + PATIENCE, self._close)
        backend.partings.add(self)
        backend.link.hand_over(number, self)

    def wait(self, timeout: float | None) -> bool:
        """Wait until it may be closed."""
        return self._over.wait(timeout)

    def on_event(self, event: protocol.Event) -> None:
        match event:
            case protocol.Received(data=data):
                if not event.stderr:
                    self._filter.write(data)
                self._backend.link.consumed(self._number, len(data))
                if not self._filter.searches:
                    self._close()
            case protocol.Ended() | protocol.EndOfData():
                self._close()
            case protocol.Closed():
                self._backend.opener.released(parted=True)
                self._finish()

    def on_drained(self) -> None:
        pass

    def on_lost(self, error: OpenSSHError) -> None:
        self._finish()

    def _close(self) -> None:
        with self._backend.link as link:
            link.close_channel(self._number)
            link.afterwards(self._finish)

    def _finish(self) -> None:
        self._timer.cancel()
        self._backend.partings.discard(self)
        self._over.open()
