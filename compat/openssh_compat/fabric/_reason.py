"""Why something failed, in a line; in the core's words where it is the core's, for they have advice."""

from __future__ import annotations

from collections.abc import Iterator

from invoke.exceptions import AuthFailure, CommandTimedOut, Failure

import openssh_core

__all__ = ["causes", "reason"]


def reason(error: BaseException) -> str:
    """What happened and what to do; without the host, and without what a command put out."""
    if isinstance(error, CommandTimedOut):
        return f"{error.result.command!r} took longer than {error.timeout:g} s, and was killed"
    if isinstance(error, AuthFailure):
        return "sudo did not accept the password"
    if isinstance(error, Failure) and error.reason is None:
        return f"{error.result.command!r} ended with {error.result.exited}"
    for one in causes(error):
        if isinstance(one, openssh_core.OpenSSHError):
            return " ".join(f"{one.what}. {one.advice}".split()) if one.advice else one.what
    first = next(iter(str(error).splitlines()), "")
    name = type(error).__name__
    return f"{name}: {first}" if first else name


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came of."""
    while error is not None:
        yield error
        error = error.__cause__
