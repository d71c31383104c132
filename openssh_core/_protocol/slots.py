"""How many sessions a server lets us have at once, learned from its answers.

sshd refuses sessions past MaxSessions (10 unless set), and for a few milliseconds after a CLOSE the slot is not
free yet. A refusal costs memory in the master for the rest of its life, so we grope upwards instead of asking
for everything, and never ask again for more than was once refused. Decides only; whoever asks does the I/O.
"""

from __future__ import annotations

from collections import deque

# sshd_config(5), MaxSessions: what a server allows unless told otherwise.
DEFAULT_MAX_SESSIONS = 10

# Seconds. Measured: 43 % of opens are refused when a slot is used again at once, none of 800 after 5 ms.
COOL_DOWN = 0.005
FIRST_BACK_OFF = 0.005
LONGEST_BACK_OFF = 0.5


class Slots:
    """Session slots of one connection.

    Args:
        reserve: slots kept back for `urgent` opens once the limit is known (a session that signals another one).

    Attributes:
        opening: asked for, not answered yet.
        open: granted and not closed.
        ceiling: the server's limit, None while unknown.
    """

    def __init__(self, reserve: int = 0) -> None:
        self.opening = 0
        self.open = 0
        self.ceiling: int | None = None
        self._reserve = reserve
        self._most_open = 0
        self._cooling: deque[float] = deque()
        self._not_before = 0.0
        self._refusals_in_a_row = 0

    def room(self, now: float, *, urgent: bool = False) -> int:
        """How many sessions may be asked for at this moment."""
        if now < self._not_before:
            return 0
        used = self.open + self.opening
        if self.ceiling is None:
            return max(DEFAULT_MAX_SESSIONS, 2 * self._most_open) - used
        while self._cooling and self._cooling[0] <= now:
            self._cooling.popleft()
        limit = self.ceiling if urgent else max(1, self.ceiling - self._reserve)
        return limit - used - len(self._cooling)

    def next_chance(self, now: float) -> float | None:
        """When `room` may have grown by time alone; None: only by an answer or a close."""
        times = [self._not_before] if self._not_before > now else []
        if self.ceiling is not None and self._cooling:
            times.append(self._cooling[0])
        return min(times, default=None)

    def asked(self) -> None:
        """An OPEN went out."""
        self.opening += 1

    def confirmed(self) -> None:
        """The server granted one."""
        self.opening -= 1
        self.open += 1
        self._most_open = max(self._most_open, self.open)
        if self.ceiling is not None:
            self.ceiling = max(self.ceiling, self._most_open)
        self._refusals_in_a_row = 0
        self._not_before = 0.0

    def refused(self, now: float) -> bool:
        """The server refused one.

        Returns:
            whether waiting can help: some other session of ours is open, opening or only just closed.
        """
        self.opening -= 1
        busy = bool(self.open or self.opening or self._cooling)
        self.ceiling = max(1, self._most_open)
        self._refusals_in_a_row += 1
        delay = FIRST_BACK_OFF * 2 ** min(self._refusals_in_a_row - 1, 10)
        self._not_before = now + min(delay, LONGEST_BACK_OFF)
        return busy

    def given_up(self) -> None:
        """An OPEN that was out will never be answered: the link is gone."""
        self.opening -= 1

    def released(self, now: float) -> None:
        """A session closed."""
        self.open -= 1
        if self.ceiling is not None:
            self._cooling.append(now + COOL_DOWN)
