"""What a person is told of a task that failed: what happened, on which host, where in the task file, what to do."""

from __future__ import annotations

import os
import sys
import traceback

import invoke
from invoke.exceptions import Failure

import openssh_core

from ..paramiko.ssh_exception import SSHException
from ._reason import causes, reason
from .exceptions import GroupException, InvalidV1Env

__all__ = ["is_expected", "mark", "report"]

# Frames of these are no news to who wrote a task.
_LIBRARIES = tuple(
    os.path.dirname(str(module.__file__)) + os.sep for module in (invoke, openssh_core, sys.modules["openssh_compat"])
)
_STANDARD = os.path.dirname(os.__file__) + os.sep

_EXPECTED = (openssh_core.OpenSSHError, SSHException, OSError, Failure, GroupException, InvalidV1Env)


def mark(error: BaseException, host: str) -> None:
    """Note where it happened, unless that was done."""
    if not hasattr(error, "failed_on"):
        error.failed_on = host  # type: ignore[attr-defined]


def is_expected(error: BaseException) -> bool:
    """Whether it may happen to a task that is right."""
    return any(isinstance(one, _EXPECTED) for one in causes(error))


def report(error: BaseException, *, debug: bool = False) -> str:
    """A line or two for what may happen to anybody; of a mistake in a task, the way to it.

    Args:
        debug: the whole traceback in any case.
    """
    if debug:
        return "".join(traceback.format_exception(error)).rstrip()
    host = getattr(error, "failed_on", None)
    head = f"{host}: " if host else ""
    way = _way(error)
    if is_expected(error):
        what = str(error) if isinstance(error, GroupException | InvalidV1Env) else reason(error)
        return f"{head}{what}{_place(way)}"
    lines = [*traceback.format_list(way), *traceback.format_exception_only(error)]
    if not way:
        lines.append("(--debug shows the way there)")
    return f"{head}the task failed\n" * bool(host) + "".join(lines).rstrip()


def _way(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames from the task on, without those of the libraries that run it."""
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*_LIBRARIES, "<"))
    ]


def _place(way: list[traceback.FrameSummary]) -> str:
    """The last line that is somebody's own, as a line."""
    own = [
        frame
        for frame in way
        if not frame.filename.startswith(_STANDARD) or frame.filename.startswith(os.getcwd() + os.sep)
    ]
    return f"\n    {os.path.relpath(own[-1].filename)}:{own[-1].lineno}: {own[-1].line}" if own else ""
