"""Words become text that the remote login shell reads back as the same words, byte for byte.

Only apostrophes and backslashes outside of them are used, because all shells agree on these:

- between apostrophes everything stands for itself in a POSIX shell;
- fish would read a backslash there, and csh an exclamation mark, so those two stand outside, after a backslash,
  as the apostrophe itself has to.

What this is good for: sh, bash, dash, ksh, mksh and zsh with any bytes but NUL. fish and csh too, with limits: csh
refuses a newline ("Unmatched '"), and both read bytes that are no text of their locale in ways of their own. For
cmd.exe and PowerShell nothing here is right.

Text becomes bytes as UTF-8, with bytes that are no UTF-8 carried by "surrogateescape", as file names are in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from ..errors import InvalidCommand


class PathLike(Protocol):
    """A path object, such as pathlib's, whose path is text."""

    def __fspath__(self) -> str: ...


Word = str | bytes | PathLike

_is_safe = re.compile(r"[A-Za-z0-9_./:,@+-]+").fullmatch
_SPECIAL = re.compile(r"[\\'!]+")

# A program called so is meant, not the shell's own word. Quoted, the word means nothing to the shell.
# From POSIX XCU 2.4, and what bash, ksh, zsh, fish and csh have besides.
_RESERVED_WORDS = """
    and begin breaksw case coproc default do done elif else end endif endsw esac fi for foreach function if in
    namespace not onintr or repeat select switch then time until while
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())


def quote(arg: Word) -> str:
    """One word for the remote shell.

    Args:
        arg: text, bytes, or a path whose `__fspath__` is text.

    Raises:
        InvalidCommand: there is a NUL in it, it cannot be encoded, or it is something else.
    """
    if not isinstance(arg, str):
        arg = _as_text(arg)
    return arg if _is_safe(arg) else _quoted(arg)


def join(args: Iterable[Word]) -> str:
    """A command line from a program and its arguments.

    Raises:
        InvalidCommand: there is nothing to run, or see `quote`.
    """
    if isinstance(args, (str, bytes)):
        raise InvalidCommand("one string is not a list of words")
    words = [quote(arg) for arg in args]
    if not words:
        raise InvalidCommand("there is no command in an empty list")
    if words[0] in _RESERVED:
        words[0] = f"'{words[0]}'"
    return " ".join(words)


def check_text(text: str, what: str) -> None:
    """See that it can be part of a command.

    Raises:
        InvalidCommand: there is a NUL in it, or it cannot be encoded. `what` names it in the message.
    """
    if "\0" in text:
        raise InvalidCommand(f"{what} contains a NUL byte")
    if not text.isascii():
        try:
            text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise InvalidCommand(f"{what} contains half of a surrogate pair, which is no text") from None


def _quoted(arg: str) -> str:
    check_text(arg, "an argument")
    return "'" + _SPECIAL.sub(_outside, arg) + "'"


def _outside(match: re.Match[str]) -> str:
    return "'" + "".join("\\" + char for char in match[0]) + "'"


def _as_text(arg: object) -> str:
    if isinstance(arg, bytes):
        return arg.decode("utf-8", "surrogateescape")
    path = getattr(type(arg), "__fspath__", None)
    text = path(arg) if callable(path) else None
    if isinstance(text, str):
        return text
    raise InvalidCommand(f"an argument is {type(arg).__name__}, not text, bytes or a path")
