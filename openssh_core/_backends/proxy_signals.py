"""Signals to a session on a proxy link: by the protocol where the server passes them (RFC 4254 section 6.9)."""

from __future__ import annotations

from collections import deque

from .._io.latch import Latch
from .._io.link import ProxyLink
from .._wire import requests

# What every sshd that passes signals at all passes (session.c).
ALWAYS_KNOWN = frozenset({"HUP", "INT", "KILL", "QUIT", "TERM", "USR1", "USR2"})


class SignalAnswer(Latch):
    """Whether a signal was delivered, once it is known."""

    __slots__ = ("granted",)

    def give(self, granted: bool) -> None:
        self.granted = granted
        self.open()


class Signaller:
    """Signal requests of one channel, and who waits for their answers. In the reactor's thread."""

    def __init__(self, link: ProxyLink) -> None:
        self._link = link
        self._number: int | None = None
        self._waiting: deque[SignalAnswer] = deque()

    def begin(self, number: int) -> None:
        """The channel is open."""
        self._number = number

    def send(self, name: str, answer: SignalAnswer | None) -> None:
        """Ask for a signal; without an `answer` nobody wants to know what comes of it."""
        sent = self._number is not None and self._link.request(
            self._number, "signal", requests.signal(name), want_reply=answer is not None
        )
        if answer is None:
            return
        if sent:
            self._waiting.append(answer)
        else:
            answer.give(True)  # past taking one: it is over already

    def answered(self, granted: bool) -> None:
        if self._waiting:
            self._waiting.popleft().give(granted)

    def finish(self) -> None:
        """The channel is gone, and whatever was to be signalled with it."""
        while self._waiting:
            self._waiting.popleft().give(True)
