"""Getting session channels out of a server that allows only so many, and one in advance to save a round trip.

The queue is first come, first served. Opens are retried only while nothing has started, so nothing runs twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from .._protocol import link as protocol
from .._protocol.slots import Slots
from ..errors import OpenSSHError
from .link import Handler, ProxyLink
from .patience import Patience
from .reactor import Reactor


class Applicant(Handler, Protocol):
    """Somebody who wants a session channel."""

    def on_open(self, number: int) -> None:
        """Here it is."""


class _Opening:
    """A channel whose OPEN is out."""

    def __init__(self, opener: SessionOpener) -> None:
        self._opener = opener

    def on_event(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Opened):
            self._opener.opened(event.channel)
        elif isinstance(event, protocol.Refused):
            self._opener.refused(event)

    def on_drained(self) -> None:
        pass

    def on_lost(self, error: OpenSSHError) -> None:
        pass


class _Spare:
    """An open channel that nobody uses yet."""

    def __init__(self, opener: SessionOpener) -> None:
        self._opener = opener

    def on_event(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Closed):
            self._opener.spare_closed(event.channel)

    def on_drained(self) -> None:
        pass

    def on_lost(self, error: OpenSSHError) -> None:
        pass


class SessionOpener:
    """Hands out session channels of one link. For the reactor's thread only.

    Args:
        reserve: slots kept back for urgent sessions. While the server's limit is not known yet, a channel is held for
            them: the rush that finds the limit out must not take every slot.
        spare: whether one channel is kept open in advance.
    """

    def __init__(self, link: ProxyLink, reactor: Reactor, *, host: str, reserve: int = 0, spare: bool = True) -> None:
        self._link = link
        self._reactor = reactor
        self._host = host
        self._slots = Slots(reserve)
        self._held: int | None = None
        self._waiting: deque[Applicant] = deque()
        self._urgent: deque[Applicant] = deque()
        self._keep_spare = spare
        self._spare: int | None = None
        self._timer_set = False
        self._patience = Patience(reactor, self._slots, self._on_patience)
        self._heard = monotonic()
        # Told of each refusal, in the reactor's thread.
        self.refusals: set[Callable[[], None]] = set()
        link.on_end(self.lost)

    def silent_for(self) -> float:
        """Seconds in which the server has answered no open, while one is out; 0 when none is."""
        return monotonic() - self._heard if self._slots.opening else 0.0

    def ask(self, applicant: Applicant, *, urgent: bool = False) -> None:
        """Get a session channel for the applicant, now or as soon as the server has room.

        Raises:
            OpenSSHError: the link is gone.
        """
        with self._link as link:
            if link.error is not None:
                raise link.error
            if urgent and self._held is not None:
                number, self._held = self._held, None
                link.hand_over(number, applicant)
                applicant.on_open(number)
            elif self._spare is not None:
                number, self._spare = self._spare, None
                link.hand_over(number, applicant)
                applicant.on_open(number)
            else:
                (self._urgent if urgent else self._waiting).append(applicant)
            self._go_on()

    def withdraw(self, applicant: Applicant) -> bool:
        """The applicant does not want one any more; False when it has been given one already."""
        with self._link:
            for queue in (self._waiting, self._urgent):
                if applicant in queue:
                    queue.remove(applicant)
                    if not self._waiting and not self._urgent:
                        self._patience.stop()
                    return True
            return False

    def parted(self) -> None:
        """Nobody wants a session any more that goes on there: it keeps its slot until it is released."""
        self._patience.given_up += 1
        self._go_on()

    def released(self, *, parted: bool = False) -> None:
        """A session closed.

        Args:
            parted: it was given up before.
        """
        self._patience.given_up -= parted
        self._patience.stop()
        self._slots.released(monotonic())
        self._go_on()

    def account(self) -> str:
        """What the server's sessions are used for, in words."""
        return self._patience.account(unused=self._unused())

    def _unused(self) -> int:
        return (self._spare is not None) + (self._held is not None)

    def drop_spare(self) -> bool:
        """Give the spare channel's slot back, for somebody who opens sessions by another way."""
        with self._link as link:
            number, self._spare = self._spare, None
            self._keep_spare = False
            if number is not None:
                link.close_channel(number)
            return number is not None

    def give_way(self) -> None:
        """A session of ours beside the link was refused: give back what nobody uses, until `guest_gone`."""
        with self._link as link:
            spare, self._spare = self._spare, None
            unused = [] if spare is None else [spare]
            if self._held is not None and self._slots.open == len(unused) + 1:
                # Nothing runs on the link, so nothing will have to be ended in a hurry.
                unused.append(self._held)
                self._held = None
            self._slots.full(giving=len(unused))
            for number in unused:
                link.close_channel(number)

    def guest_gone(self) -> None:
        """A session beside the link is over; what was learned while it was there says little about what is now."""
        with self._link as link:
            if self._slots.no_longer_full() and link.error is None:
                self._go_on()

    # ---- what becomes of it

    def opened(self, number: int) -> None:
        self._heard = monotonic()
        self._slots.confirmed()
        self._patience.stop()
        queue = self._urgent or self._waiting
        if self._wants_to_hold() and not self._urgent and self._slots.open > 1:
            self._link.hand_over(number, _Spare(self))
            self._held = number
        elif queue:
            applicant = queue.popleft()
            self._link.hand_over(number, applicant)
            applicant.on_open(number)
        else:
            self._nobody_wants(number)
        self._go_on()

    def _wants_to_hold(self) -> bool:
        return self._slots.reserve > 0 and self._held is None and self._slots.ceiling is None

    def _nobody_wants(self, number: int) -> None:
        """Whoever it was opened for has left the queue."""
        self._link.hand_over(number, _Spare(self))
        if self._keep_spare and self._spare is None:
            self._spare = number
        else:
            self._link.close_channel(number)

    def tell_refusal(self) -> None:
        """Whoever holds a session that it can do without shall know that there are too few."""
        for tell in tuple(self.refusals):
            tell()

    def refused(self, event: protocol.Refused) -> None:
        self.tell_refusal()
        self._heard = now = monotonic()
        self._patience.refusal = event
        self._slots.refused(now)
        if self._held is not None:
            # The limit is known from here on, and the arithmetic keeps the slot.
            number, self._held = self._held, None
            self._link.close_channel(number)
        self._go_on()

    def spare_closed(self, number: int) -> None:
        """A spare is closed (ChannelTimeout, or we did it); the next is opened with the next command."""
        if number == self._spare:
            self._spare = None
        if number == self._held:
            self._held = None
        self._slots.released(monotonic())
        if self._urgent or self._waiting:
            self._go_on()

    def lost(self, error: OpenSSHError) -> None:
        """Everybody who waits gets this error."""
        self._patience.stop()
        waiting = [*self._urgent, *self._waiting]
        self._urgent.clear()
        self._waiting.clear()
        for applicant in waiting:
            applicant.on_lost(error)

    def _go_on(self) -> None:
        """Ask for as many channels as there are takers and room; one more in advance when nobody waits."""
        now = monotonic()
        wanted = bool(self._urgent or self._waiting)
        if wanted or self._wants_to_hold():
            self._open_for_takers(now)
        if wanted:
            self._try_again_later(now)
            if self._patience.is_at_an_end(now):
                self.lost(self._patience.error(self._host, unused=self._unused()))
        elif self._keep_spare and self._spare is None and not self._slots.opening and self._slots.room(now) > 1:
            self._open()

    def _open_for_takers(self, now: float) -> None:
        wanted = 1 if self._wants_to_hold() else 0
        for queue, urgent in ((self._urgent, True), (self._waiting, False)):
            wanted += len(queue)
            for _ in range(min(wanted - self._slots.opening, self._slots.room(now, urgent=urgent))):
                self._open()

    def _open(self) -> None:
        self._link.open("session", _Opening(self))
        if not self._slots.opening:
            self._heard = monotonic()
        self._slots.asked()

    def _try_again_later(self, now: float) -> None:
        when = self._slots.next_chance(now)
        if when is not None and not self._timer_set:
            self._timer_set = True
            self._reactor.submit(lambda: self._arm(when))

    def _arm(self, when: float) -> None:
        self._reactor.call_at(when, self._on_timer)

    def _on_patience(self) -> None:
        with self._link as link:
            if link.error is None:
                self._go_on()  # once more, if there is room for that

    def _on_timer(self) -> None:
        with self._link as link:
            self._timer_set = False
            if link.error is None:
                self._go_on()
