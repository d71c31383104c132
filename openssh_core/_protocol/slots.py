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
        self.reserve = reserve
        self._most_open = 0
        self._shared = False
        self._cooling: deque[float] = deque()
        self._not_before = 0.0
        self._refusals_in_a_row = 0

    def room(self, now: float, *, urgent: bool = False) -> int:
        """How many sessions may be asked for at this moment."""
        if now < self._not_before:
            return 0
        used = self.open + self.opening
        if self.ceiling is None:
            return self._without_a_ceiling() - used
        limit = self.ceiling if urgent else max(1, self.ceiling - self.reserve)
        return limit - used - self._cooling_down(now)

    def _without_a_ceiling(self) -> int:
        """How far we go while no limit is known."""
        return max(DEFAULT_MAX_SESSIONS, 2 * self._most_open)

    def _cooling_down(self, now: float) -> int:
        """How many slots may not be free yet though their sessions are closed."""
        while self._cooling and self._cooling[0] <= now:
            self._cooling.popleft()
        return len(self._cooling)

    def next_chance(self, now: float) -> float | None:
        """When `room` may have grown by time alone; None: only by an answer or a close."""
        if now < self._not_before:
            return self._not_before
        if self.ceiling is not None and self._cooling_down(now):
            return self._cooling[0]
        return None

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
        cooling = self._cooling_down(now)
        # Slots that may not be free yet count, or a burst after a burst would make the limit too small for good.
        # Most of them are free already, though, so the guess is kept in proportion; further refusals lower it.
        guess = min(self.open + cooling, 2 * self._without_a_ceiling())
        self.ceiling = max(1, self._most_open, guess)
        if now >= self._not_before:
            # What was asked in one go and refused in one go is one refusal.
            delay = FIRST_BACK_OFF * 2 ** min(self._refusals_in_a_row, 10)
            self._not_before = now + min(delay, LONGEST_BACK_OFF)
            self._refusals_in_a_row += 1
        return bool(self.open or self.opening or cooling)

    def stuck(self, now: float, *, given_up: int) -> bool:
        """Whether waiting may be in vain: nothing is open, on its way or only just closed, but for what was given up.

        Args:
            given_up: how many of the open ones nobody wants any more, though the other side keeps them. Like somebody
                else's they may end, or never will.
        """
        return self.open <= given_up and not self.opening and not self._cooling_down(now)

    def full(self, *, giving: int) -> None:
        """Somebody else was refused: there is no more than we have, less what we give."""
        self.ceiling = max(1, self.open - giving)
        self._shared = True

    def no_longer_full(self) -> bool:
        """Somebody else has gone: what was learned meanwhile says little about what is now. Whether anything was."""
        was, self._shared = self._shared, False
        if was:
            self.ceiling = None
        return was

    def given_up(self) -> None:
        """An OPEN that was out will never be answered: the link is gone."""
        self.opening -= 1

    def released(self, now: float) -> None:
        """A session closed."""
        self.open -= 1
        self._cooling.append(now + COOL_DOWN)
        self._cooling_down(now)
