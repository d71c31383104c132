"""One thing that was looked at."""

from __future__ import annotations

import enum

from .._value import Value


class State(enum.Enum):
    """How serious it is."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    BAD = "bad"


class Finding(Value):
    """What was found.

    Attributes:
        topic: what was looked at, in a word or two.
        state: see `State`; only BAD means that something will not work.
        what: what was found, a sentence.
        advice: what to do about it; empty when there is nothing to do.
    """

    topic: str
    state: State
    what: str
    advice: str = ""


def ok(topic: str, what: str) -> Finding:
    return Finding(topic, State.OK, what)


def note(topic: str, what: str, advice: str = "") -> Finding:
    return Finding(topic, State.NOTE, what, advice)


def warning(topic: str, what: str, advice: str) -> Finding:
    return Finding(topic, State.WARNING, what, advice)


def bad(topic: str, what: str, advice: str) -> Finding:
    return Finding(topic, State.BAD, what, advice)
