"""Seeing one command through to its end, within its limits, and never leaving it behind."""

from __future__ import annotations

import contextlib

from ._backends.base import Session
from ._io import text
from ._io.deadline import Deadline, check_seconds
from ._value import Value
from .errors import (
    CommandTimeout,
    ConnectionLost,
    ExitStatusMissing,
    MasterUnresponsive,
    OpenSSHError,
    SignalNotDelivered,
)
from .redirect import Plumbing
from .results import Command, CompletedCommand, undecodable

# Seconds a signal may take on its way, and a killed process until it is gone.
_KILL_PATIENCE = 5.0
_END_PATIENCE = 2.0
# Seconds in which a server has to answer a request. Generous: while keys are renewed nothing is answered.
ANSWER_PATIENCE = 60.0
# The same where the caller has set a limit that is shorter.
_LEAST_ANSWER = 3.0
# Seconds in which an account's start-up files have run and the start of a program is reported. A forced command never
# reports anything.
REPORT_PATIENCE = 30.0
# Seconds the last output is waited for on its way to a descriptor of the caller.
_COPY_PATIENCE = 5.0


class Limits(Value):
    """How long a command may take.

    Attributes:
        timeout: seconds for the whole command.
        idle_timeout: seconds without output.
    """

    timeout: float | None = None
    idle_timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("timeout", "idle_timeout"):
            if (seconds := getattr(self, name)) is not None:
                check_seconds(seconds, name)


class Run(Value):
    """One command that is waited for.

    Attributes:
        command: as the caller gave it.
        host: the destination as the caller named it.
    """

    session: Session
    plumbing: Plumbing
    command: Command
    host: str
    encoding: str | None
    errors: str

    def to_the_end(self, limits: Limits) -> CompletedCommand:
        """Start it and wait for it.

        Raises:
            CommandTimeout: a limit passed; the remote process group was killed, as far as that is possible.
            ConnectionLost, ExitStatusMissing, RequestRefused: how it ended is not known, or it never began.
        """
        deadline = Deadline.after(limits.timeout)
        try:
            self.session.begin()
            limit = self._wait(deadline, limits.idle_timeout)
        except BaseException:
            # Ctrl-C, or whatever an alarm raised: as subprocess.run does, do not leave it running unwatched.
            kill(self.session)
            raise
        if limit is not None:
            killed = kill(self.session)
            if killed and self.plumbing.streams.asking is not None:
                killed = None  # the shell before sudo is gone; what runs as another user took no signal from it
            raise self._timed_out(limit, limits, killed)
        for outlet in self.plumbing.outlets:
            outlet.join(_COPY_PATIENCE)
        if self.plumbing.write_errors:
            raise self.plumbing.write_errors[0]
        return self._completed()

    def _wait(self, deadline: Deadline, idle: float | None) -> str | None:
        """Wait for the end; the name of the limit that passed, None when it ended."""
        session = self.session
        while True:
            step = ANSWER_PATIENCE
            if idle is not None:
                step = min(step, idle - session.quiet_for())
                if step <= 0:
                    return "idle_timeout"
            left = deadline.left()
            if session.wait_closed(step if left is None else min(left, step)):
                return None
            if deadline.passed:
                return "timeout"
            check_answered(session, self.host)

    def _completed(self) -> CompletedCommand:
        end, error = self.session.exit, self.session.error
        if error is not None or end is None:
            raise self._with_output(error)
        try:
            out, err = self._decoded("stdout"), self._decoded("stderr")
        except UnicodeDecodeError as problem:
            out, err = self._bytes("stdout"), self._bytes("stderr")
            done = CompletedCommand(self.command, end.returncode, out, err, end.signal, self.host)
            raise undecodable(done, self.encoding, problem) from problem
        return CompletedCommand(self.command, end.returncode, out, err, end.signal, self.host)

    def _with_output(self, error: OpenSSHError | None) -> OpenSSHError:
        if error is None:
            error = ExitStatusMissing("how the command ended is not known", host=self.host)
        if isinstance(error, ConnectionLost | ExitStatusMissing):
            error.stdout, error.stderr = self._output("stdout"), self._output("stderr")
        return error

    def _timed_out(self, limit: str, limits: Limits, killed: bool | None) -> CommandTimeout:
        seconds = (limits.timeout if limit == "timeout" else limits.idle_timeout) or 0.0
        what = "did not end" if limit == "timeout" else "put nothing out"
        fate = {True: "was killed", False: "still runs there", None: "may still run there"}[killed]
        return CommandTimeout(
            f"the command {what} within {seconds:g} s and {fate}",
            host=self.host,
            command=self.command,
            limit=limit,
            seconds=seconds,
            killed=killed,
            stdout=self._output("stdout"),
            stderr=self._output("stderr"),
        )

    def _output(self, name: str) -> str | bytes | None:
        """For an error: what cannot be made into text does not hide what else went wrong."""
        try:
            return self._decoded(name)
        except UnicodeDecodeError:
            return self._bytes(name)

    def _decoded(self, name: str) -> str | bytes | None:
        data = self._bytes(name)
        return None if data is None else text.decode(data, self.encoding, self.errors)

    def _bytes(self, name: str) -> bytes | None:
        collected = self.plumbing.collected.get(name)
        return None if collected is None else collected.value()


def start(session: Session, host: str, *, wait: bool, limit: float | None = None) -> None:
    """Start it. Whatever an alarm raises meanwhile ends it: nobody would watch it.

    Args:
        wait: return when it runs, or will not; where the remote side says itself what came of the start, when it has.
        limit: seconds the server may take to have a session for it, and to begin; it has failed then.

    Raises:
        MasterUnresponsive: the server does not answer; the session is given up.
    """
    try:
        session.begin()
        if not wait:
            return
        if limit is not None and not session.wait_started(limit) and not session.stop_waiting(limit):
            # It has been asked, and it has a shell to start: that may take a moment on a server that is there.
            patience = max(limit, _LEAST_ANSWER)
            if not session.wait_started(patience - limit):
                what = f"the server did not say within {patience:g} s that the command runs; it may still run it"
                raise MasterUnresponsive(what, host=host)
        if session.reports and session.wait_located(REPORT_PATIENCE):
            return
        while not session.wait_started(ANSWER_PATIENCE):
            check_answered(session, host)
    except MasterUnresponsive:
        session.close()
        raise
    except BaseException:
        kill(session)
        raise


def kill(session: Session) -> bool | None:
    """End the remote process group and the session; whether it is known to be gone."""
    killed: bool | None = True
    with contextlib.suppress(KeyboardInterrupt):
        try:
            session.signal("KILL", _KILL_PATIENCE)
            killed = True if session.wait_exited(_END_PATIENCE) else None
        except SignalNotDelivered:
            killed = False
        except OpenSSHError:
            killed = None
    session.close()
    return killed if session.exit is not None or killed is False else None


def check_answered(session: Session, host: str) -> None:
    """See that the server does not let a session wait for ever.

    Raises:
        MasterUnresponsive: it has not answered for too long.
    """
    seconds = session.unanswered_for()
    if seconds > ANSWER_PATIENCE:
        raise MasterUnresponsive(f"the server has not answered for {seconds:.0f} s", host=host)
