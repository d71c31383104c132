"""How a remote command ended, as values. They do not know how they were obtained."""

from __future__ import annotations

import signal as _signal
from collections.abc import Sequence

from ._value import Value
from .errors import CommandFailed, UndecodableOutput

__all__ = ["CompletedCommand", "Exit"]

Command = str | Sequence[str]

# What `returncode` is for a signal that this system has no number for (RFC 4254 allows vendor names).
UNKNOWN_SIGNAL = 255


class Exit(Value):
    """The end of a remote program (RFC 4254 section 6.10).

    Attributes:
        status: the exit status, None after death by a signal.
        signal: the signal's name without SIG, None after a normal exit.
        core_dumped: whether the server says a core was dumped.
        message: the server's words about the signal.
    """

    status: int | None
    signal: str | None = None
    core_dumped: bool = False
    message: str = ""

    @property
    def returncode(self) -> int:
        """As subprocess has it: the status, or -N for death by signal N of this system."""
        if self.signal is None:
            return self.status or 0
        number = getattr(_signal, f"SIG{self.signal}", None)
        return -int(number) if isinstance(number, int) else UNKNOWN_SIGNAL


class CompletedCommand(Value):
    """A command that has ended.

    Attributes:
        command: as the caller gave it: one string, or a list of words.
        returncode: the exit status; -N for death by signal N.
        stdout, stderr: captured output (text, or bytes with encoding=None); None where it was not captured.
        signal: the signal's name without SIG (`KILL`), None for a normal exit.
        host: the destination as the caller named it.
    """

    command: Command
    returncode: int
    stdout: str | bytes | None = None
    stderr: str | bytes | None = None
    signal: str | None = None
    host: str | None = None

    def check(self) -> CompletedCommand:
        """Itself if the command ended with status 0.

        Raises:
            CommandFailed: it did not.
        """
        if self.returncode != 0:
            raise failure(self)
        return self


def failure(done: CompletedCommand) -> CommandFailed:
    """The error for a command that ended with something else than 0."""
    shown = done.command if isinstance(done.command, str) else " ".join(done.command)
    if len(shown) > 200:
        shown = shown[:200] + "..."
    how = f"was killed by SIG{done.signal}" if done.signal else f"ended with status {done.returncode}"
    return CommandFailed(
        f"the command {shown!r} {how}{_last_line(done.stderr)}",
        host=done.host,
        command=done.command,
        returncode=done.returncode,
        signal=done.signal,
        stdout=done.stdout,
        stderr=done.stderr,
    )


def undecodable(done: CompletedCommand, encoding: str | None, problem: UnicodeDecodeError) -> UndecodableOutput:
    """The error for output (bytes, in `done`) that is no text."""
    assert not isinstance(done.stdout, str)
    assert not isinstance(done.stderr, str)
    return UndecodableOutput(
        f"the command put out what is no text in {encoding} ({problem.reason})",
        host=done.host,
        command=done.command,
        encoding=encoding,
        returncode=done.returncode,
        signal=done.signal,
        stdout=done.stdout,
        stderr=done.stderr,
    )


def _last_line(stderr: str | bytes | None) -> str:
    text = stderr.decode("utf-8", "replace") if isinstance(stderr, bytes) else stderr or ""
    lines = text.strip().splitlines()
    return f" ({lines[-1].strip()[:200]!r})" if lines else ""
