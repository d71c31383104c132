"""What a command is made of: words that arrive as they are, and two kinds that the remote shell may look into.

Text becomes bytes as UTF-8, with bytes that are no UTF-8 carried by "surrogateescape", as file names are in Python.
"""

from __future__ import annotations

from typing import Protocol

from ...errors import InvalidCommand


class PathLike(Protocol):
    """A path object, such as pathlib's, whose path is text."""

    def __fspath__(self) -> str: ...


Word = str | bytes | PathLike


class Raw(str):
    """Shell syntax in a list of words: put in as it is, unquoted.

    Such as `&&`, `|`, `$HOME` or `>>`. It is for the remote shell to read, so never put input of others in it. Whatever
    is made from it (by `+`, `format`) is plain text again, and gets quoted.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Raw({super().__repr__()})"


class Glob(str):
    """A pattern in a list of words, which the remote shell replaces by the names that match it.

    `*`, `?` and `[...]` (with `!` or `^` in front to negate, and ranges) are alive; `{a,b}` makes two patterns of one,
    before it is sent; a `~` or `~name` in front is a home directory. A backslash takes its meaning from the character
    behind it. Everything else stands for itself.

    What happens when nothing matches is up to the shell: POSIX shells pass the pattern itself; zsh, csh and fish run
    nothing and say so.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Glob({super().__repr__()})"


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


def text_of(word: object) -> str:
    """The text of a word.

    Raises:
        InvalidCommand: it is neither text, nor bytes, nor a path.
    """
    if isinstance(word, str):
        return word
    if isinstance(word, bytes):
        return word.decode("utf-8", "surrogateescape")
    path = getattr(type(word), "__fspath__", None)
    text = path(word) if callable(path) else None
    if isinstance(text, str):
        return text
    raise InvalidCommand(f"an argument is {type(word).__name__}, not text, bytes or a path")
