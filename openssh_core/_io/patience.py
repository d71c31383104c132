"""How long those who wait for a session of the server do so when nothing of ours need ever make room for them."""

from __future__ import annotations

from collections.abc import Callable

from .._protocol import link as protocol
from .._protocol.slots import Slots
from ..errors import OpenRefused
from .reactor import Reactor, Timer

# Seconds an open waits while no session of ours holds a slot, but for those that were given up and go on there: these
# and somebody else's may end, or never will.
PATIENCE = 10.0

NO_SLOT = (
    "End what was given up there, start what is to go on without us in the background (nohup, systemd-run), or raise "
    "MaxSessions in its sshd_config"
)


class Patience:
    """The clock of a queue, and why it runs. For the reactor's thread only.

    Args:
        run_out: called when the time is over. Somebody may be asking just then, so that is no reason to give up yet.

    Attributes:
        given_up: sessions that nobody wants any more and that go on there.
        refusal: the server's latest.
    """

    def __init__(self, reactor: Reactor, slots: Slots, run_out: Callable[[], None]) -> None:
        self._reactor = reactor
        self._slots = slots
        self._run_out = run_out
        self._timer: Timer | None = None
        self.given_up = 0
        self.refusal = protocol.Refused(0, 0, "")

    def is_at_an_end(self, now: float) -> bool:
        """Look at the clock of those who wait: set it, stop it, or find that it has run out."""
        if not self._slots.stuck(now, given_up=self.given_up):
            if not self._slots.opening:
                self.stop()
            return False
        if self._timer is None:
            self._timer = self._reactor.call_at(now + PATIENCE, self._run_out)
        return now >= self._timer.when

    def stop(self) -> None:
        """Something has moved, or nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def account(self, *, unused: int) -> str:
        """What the server's sessions are used for, in words.

        Args:
            unused: those that are only kept in advance.
        """
        slots = self._slots
        if slots.ceiling is None:
            return "it has not answered"
        facts = [f"{slots.open - self.given_up - unused} in use here"]
        if self.given_up:
            facts.append(f"{self.given_up} of commands that were given up here and go on there")
        if slots.reserve and slots.open < slots.ceiling:
            facts.append("1 kept for signals")
        return f"it gives this connection {slots.ceiling}; {', '.join(facts)}"

    def error(self, host: str, *, unused: int) -> OpenRefused:
        """For those who have waited in vain."""
        reason = self.refusal.reason or "no reason given"
        advice = "Look at MaxSessions in its sshd_config, and whether this account may run commands at all"
        if self.given_up:
            reason = f"{self.account(unused=unused)}; it said: {reason}"
            advice = NO_SLOT
        what = f"the server opens no session ({reason})"
        return OpenRefused(what, host=host, code=self.refusal.code, advice=advice)
