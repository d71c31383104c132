"""Durations become moments once, at the public door; below it only moments are passed on."""

from __future__ import annotations

from math import isfinite
from time import monotonic

from .._value import Value
from ..errors import InvalidInput


class Deadline(Value):
    """A moment of the monotonic clock, or none."""

    at: float | None

    @classmethod
    def after(cls, seconds: float | None, what: str = "timeout") -> Deadline:
        """That many seconds from now; None: never; 0: at once.

        Raises:
            InvalidInput: not a finite number, or negative.
        """
        if seconds is None:
            return cls(None)
        check_seconds(seconds, what)
        return cls(monotonic() + seconds)

    def left(self) -> float | None:
        """Seconds until then, 0 when it has passed, None when there is no limit."""
        return None if self.at is None else max(0.0, self.at - monotonic())

    @property
    def passed(self) -> bool:
        return self.at is not None and monotonic() >= self.at


def sooner(*limits: float | None) -> float | None:
    """The shortest of some lengths of time; None is for ever."""
    return min((seconds for seconds in limits if seconds is not None), default=None)


def check_seconds(seconds: object, what: str) -> None:
    """Refuse what is no length of time.

    Raises:
        InvalidInput: not a finite number, or negative.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds) or seconds < 0:
        raise InvalidInput(f"{what}={seconds!r} is no number of seconds", advice="Give a number from 0 up, or None")
