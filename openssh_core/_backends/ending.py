"""Ending what still runs when a connection is closed: ask, wait a moment, insist."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Protocol, TypeVar

from .._io.deadline import Deadline
from ..errors import OpenSSHError
from .base import Session

# Seconds a program gets to end in an orderly way, and then to be gone.
_ASKED = 0.5
_INSISTED = 0.5


S = TypeVar("S", bound=Session)


class Ender(Protocol[S]):
    """A back end that can signal several sessions at once."""

    def running(self) -> list[S]:
        """The sessions that have not ended."""

    def signal_all(self, sessions: Iterable[S], name: str, timeout: float) -> None:
        """Signal them, without asking whether that worked."""


def end_all(backend: Ender[S]) -> None:
    """End every remote process of the back end, as far as possible, in a second or so."""
    for name, patience in (("TERM", _ASKED), ("KILL", _INSISTED)):
        sessions = backend.running()
        if not sessions:
            return
        deadline = Deadline.after(patience)
        with contextlib.suppress(OpenSSHError):
            backend.signal_all(sessions, name, patience)
        for session in sessions:
            session.wait_exited(deadline.left())
