"""What both kinds of session remember, and how threads wait for it to change."""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from .._cli.log import escaped
from .._cli.script import PidLine
from .._io.asking import Asking
from .._io.latch import Latch
from .._io.patience import NO_SLOT
from ..errors import ConnectionLost, OpenSSHError, OpenTimeout, RequestRefused, SudoRefused
from ..results import Exit
from .base import SessionRequest


class Owner(Protocol):
    """Whoever has the other ends of a session's pipes."""

    def abandon(self) -> None:
        """In a forked child: let go of them."""


class SessionState:
    """The part of a `Session` that threads look at.

    Written by the reactor's thread, read by any. The events are set last, so whoever was woken finds the rest done.
    """

    def __init__(self, *, reports: bool = False, asking: Asking | None = None) -> None:
        self.exit: Exit | None = None
        self.error: OpenSSHError | None = None
        self.pid: int | None = None
        self.is_running = False
        self.reports = reports
        self.owner: weakref.ref[Owner] | None = None
        self._started = Latch()
        self._exited = Latch()
        self._closed = Latch()
        self._located = Latch()
        self._last_output = monotonic()
        self._asking = asking

    def wait_started(self, timeout: float | None) -> bool:
        return self._started.wait(timeout)

    def wait_exited(self, timeout: float | None) -> bool:
        return self._exited.wait(timeout)

    def wait_closed(self, timeout: float | None) -> bool:
        return self._closed.wait(timeout)

    def wait_located(self, timeout: float | None) -> bool:
        """Wait until the process id is known, or never will be."""
        return self._located.wait(timeout)

    def when_started(self, call: Callable[[], object]) -> None:
        (self._located if self.reports else self._started).then(call)

    def when_exited(self, call: Callable[[], object]) -> None:
        self._exited.then(call)

    def _unreported(self, request: SessionRequest, host: str) -> OpenSSHError | None:
        """What is wrong with a session that has ended by itself, if there should have been a report and was none."""
        if request.report is None or self._located.is_open() or self.exit is None or self.exit.signal is not None:
            return None
        return RequestRefused(
            "the account's shell ended without starting the program",
            host=host,
            request=request.kind,
            advice="It may have a forced command, or no real login shell. With report=False its output can be seen",
        )

    def quiet_for(self) -> float:
        return monotonic() - self._last_output if self.is_running else 0.0

    def unanswered_for(self) -> float:
        return 0.0

    # ---- for the session itself

    def begin_tracking(self) -> None:
        """From now on a forked child has something to let go of. Not in the main thread, where interrupts are."""
        _live.add(self)

    def heard(self) -> None:
        """It put something out."""
        self._last_output = monotonic()

    def started(self) -> None:
        """The server runs it."""
        self._last_output = monotonic()
        self.is_running = True
        self._started.open()

    def told(self, line: bytes, report: Callable[[str], OpenSSHError | None] | None, host: str) -> None:
        """The remote side told its process id, and what came of the start if it was asked for a report.

        Nothing in it means that it said other things for so long that nobody listens any more.
        """
        number, _, rest = line.partition(b":")
        if report is not None and (error := report(rest.decode("ascii", "replace"))) is not None:
            error.host = host
            self.failed(error)
            self.exit = None  # what may have come by another way is the status of the script
        # 0 and 1 would name our own group, or everybody.
        if number.isdigit() and int(number) > 1:
            self.pid = int(number)
        self._located.open()

    def exited(self, how: Exit) -> None:
        """The program has ended. What was given up before that stays given up."""
        if self._asking is not None and not self._asking.started:
            # What sudo said, or that the command did start, may still be on its way.
            self._asking.end = how
            return
        if self.error is None:
            self.exit = how
        self._exited.open()

    def settle(self, host: str) -> None:
        """All output is here: now it can be said how what sudo was to start has ended."""
        asking = self._asking
        if asking is None or asking.end is None or self.exit is not None:
            return
        if asking.started:
            self.exited(asking.end)
        else:
            self.failed(sudo_refused(asking, host))

    def failed(self, error: OpenSSHError) -> None:
        """Nothing more can be known of it. The first error stays."""
        if self.error is None:
            if isinstance(error, ConnectionLost):
                # One loss hits many sessions; what it means differs from one to the next.
                error = ConnectionLost(
                    error.what,
                    host=error.host,
                    advice=error.advice,
                    started=self.is_running,
                    last_words=error.last_words,
                )
            self.error = error

    def closed(self) -> None:
        """No output will follow; everybody may go on."""
        self._started.open()
        self._located.open()
        self._exited.open()
        self._closed.open()
        _live.discard(self)

    def abandon(self) -> None:
        """In a forked child: this session is the parent's. Whoever waits for it here is told so."""
        if self._closed.is_open():
            return
        self.failed(ConnectionLost("this session belongs to the parent process"))
        # The old ones may have been locked by a thread that does not exist here.
        self._started, self._located = Latch(), Latch()
        self._exited, self._closed = Latch(), Latch()
        self.closed()
        self.abandon_descriptors()
        if self.owner is not None and (owner := self.owner()) is not None:
            owner.abandon()

    def abandon_descriptors(self) -> None:
        """Close this process's copies, and nothing else."""


def sudo_refused(asking: Asking, host: str) -> SudoRefused:
    """The error for a command that sudo did not start."""
    words = escaped(" ".join(asking.said.decode("utf-8", "replace").split()))
    what = "sudo did not take the password" if asking.times else "sudo did not start the command"
    if words:
        what = f"{what} ({words[-300:]})"
    return SudoRefused(what, host=host, said=words, password_refused=asking.times > 0)


def no_session(seconds: float, account: str, host: str) -> OpenTimeout:
    """The error for what has waited long enough.

    Args:
        account: what the server's sessions are used for.
    """
    what = f"the server had no session for it within {seconds:g} s ({account})"
    return OpenTimeout(what, host=host, advice=NO_SLOT)


def new_pid_line(*, any_shell: bool) -> PidLine:
    """The line by which the remote shell's process id is found in the output.

    It must not be guessable: whoever could print it would choose which process we signal.
    """
    return PidLine(_unguessable() + ":", any_shell)


def _unguessable() -> str:
    # A call of urandom gives up the interpreter's lock and has to get it back: many words at once.
    try:
        return _words.pop()
    except IndexError:
        words = os.urandom(12 * 256).hex()
        _words.extend(words[at : at + 24] for at in range(24, len(words), 24))
        return words[:24]


_words: deque[str] = deque()


# Not a WeakSet: the callback by which that forgets an object is Python, and an interrupt that hits it is lost.
_live: set[SessionState] = set()


def _in_forked_child() -> None:
    _words.clear()
    for session in list(_live):
        session.abandon()


os.register_at_fork(after_in_child=_in_forked_child)
