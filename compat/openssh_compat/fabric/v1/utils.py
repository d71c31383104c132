"""Talking to the person at the terminal, and giving up."""

from __future__ import annotations

import sys
import textwrap
from typing import Any, NoReturn

from .state import env, output

__all__ = ["abort", "error", "fastprint", "indent", "puts", "warn"]


def abort(msg: Any) -> NoReturn:
    """Say why, and end the program with status 1 (or raise `env.abort_exception`)."""
    if env.abort_exception is not None:
        raise env.abort_exception(msg)
    if output.aborts:
        sys.stderr.write(f"\nFatal error: {msg}\n\nAborting.\n")
    # The text goes along for whoever runs tasks in threads.
    leave = SystemExit(1)
    leave.fabric_message = str(msg)  # type: ignore[attr-defined]
    raise leave


def warn(msg: Any) -> None:
    """Say it, and go on."""
    if output.warnings:
        sys.stderr.write(f"\nWarning: {msg}\n\n")


def error(message: str, func: Any = None, exception: BaseException | None = None) -> None:
    """What `env.warn_only` makes of a failure: `warn` or `abort`.

    Args:
        func: what to do instead of either.
        exception: why.
    """
    if exception is not None:
        message = f"{message}\n\nUnderlying exception:\n{indent(str(exception))}"
    (func or (warn if env.warn_only else abort))(message)


def puts(text: Any, show_prefix: bool | None = None, end: str = "\n", flush: bool = False) -> None:
    """Print, with the host in front."""
    if output.user:
        show_prefix = env.output_prefix if show_prefix is None else show_prefix
        prefix = f"[{env.host_string}] " if show_prefix and env.host_string else ""
        sys.stdout.write(f"{prefix}{text}{end}")
        if flush:
            sys.stdout.flush()


def fastprint(text: Any, show_prefix: bool = False, end: str = "", flush: bool = True) -> None:
    """Print at once, without a line end."""
    puts(text, show_prefix, end, flush)


def indent(text: str | list[str], spaces: int = 4, strip: bool = False) -> str:
    """The lines, moved to the right."""
    text = "\n".join(text) if isinstance(text, list) else text
    if strip:
        text = textwrap.dedent(text)
    return "\n".join(" " * spaces + line for line in text.splitlines())
