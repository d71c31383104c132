"""The order for a session that starts a `Program`, and what is made of the host's report of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from ._backends.base import SessionRequest
from ._cli.script import PidLine
from ._cli.start import Start, read_report
from .errors import OpenSSHError, ProgramNotStarted
from .options import Pty
from .program import Program

__all__ = ["LoginShell", "program_request"]

_LONG_LINE = PidLine("0" * 25)
_ADVICE = {
    "ENOSYS": "To run as another user or group the host needs setpriv(1)",
    "ENOTSUP": "To run under another name than its own the host needs perl, bash, zsh or ksh",
}


class LoginShell:
    """What has been learnt of an account's login shell.

    Attributes:
        is_posix: whether it is known to run a POSIX script.
    """

    __slots__ = ("is_posix",)

    def __init__(self) -> None:
        self.is_posix = False


def program_request(start: Start, env: Mapping[str, str], pty: Pty | None, shell: LoginShell) -> SessionRequest:
    """The order for a session.

    Args:
        env: variables on top of what the program gets.
        shell: what is known of the account's login shell; learns from the report.

    Raises:
        InvalidCommand, InvalidEnvironment: it can never run.
    """
    program = start.program
    # The longest form it can take.
    start.command(exports=env.items(), line=_LONG_LINE)

    def compose(inline: Mapping[str, str], line: PidLine | None) -> bytes:
        return start.command(exports=inline.items(), line=line, directly=shell.is_posix)

    def report(text: str) -> OpenSSHError | None:
        said = read_report(text)
        shell.is_posix |= said.directly
        return None if said.error is None else _not_started(program, said.error, said.what)

    return SessionRequest("exec", compose, env, pty, report=report if program.report else None)


def _not_started(program: Program, error: str, step: str) -> ProgramNotStarted:
    number = getattr(errno, error, errno.EINVAL)
    filename = {"cwd": program.cwd, "program": program.file}.get(step)
    shown = step if filename is None else f"{step} {filename!r}"
    return ProgramNotStarted(
        f"the program could not be started ({shown}: {os.strerror(number)})",
        errno=number,
        step=step,
        filename=filename,
        advice=_ADVICE.get(error),
    )
