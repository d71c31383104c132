"""A program and how it is started: what execve(2) and the steps before it are told, as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ._value import Value
from .errors import InvalidCommand, InvalidEnvironment
from .signals import signal_name

__all__ = ["Program"]


class PathLike(Protocol):
    """A path object, such as pathlib's."""

    def __fspath__(self) -> str | bytes: ...


Word = str | bytes | PathLike

# -1 as an unsigned number: to setreuid(2) and its like it means "leave it".
_NOBODY_AT_ALL = 2**32 - 1


class Program(Value):
    """A program to run, for `Connection.run` and `popen` in the place of a command.

    It is started as at home: the words reach it byte for byte whatever the account's login shell is (csh and fish,
    too), and a start that fails is an error (`ProgramNotStarted`) and not a status of the shell. All that is needed on
    the host is `/bin/sh`, and for some arguments what is said there. It leads a process group of its own.

    Args:
        words: its arguments, itself in front (`argv`); the first is looked for in PATH when there is no slash in it.
        executable: what is executed instead of the first word. Where they differ the host needs perl, bash, zsh or ksh.
        env: its whole environment; None for what a login there gets.
        cwd: the directory to start in, from the account's home on.
        umask: the mask for the files it makes.
        user, group: a name or a number; who it runs as. The host needs setpriv(1), and the login must be root's.
        extra_groups: all of its other groups, likewise.
        ignored_signals: numbers of this system, or names; it is started ignoring these.
        report: whether the start is reported: whether it came about, and the process id. Without, a failure is the
            status 127 or 126, and the process id may be unknown.

    Raises:
        InvalidCommand, InvalidEnvironment: it can never run.
    """

    words: tuple[str, ...]
    executable: str | None
    env: Mapping[str, str] | None
    cwd: str | None
    umask: int | None
    user: str | int | None
    group: str | int | None
    extra_groups: tuple[str | int, ...] | None
    ignored_signals: tuple[str, ...]
    report: bool

    # What is in an environment is often a secret.
    _hidden = frozenset({"env"})

    def __init__(
        self,
        words: Iterable[Word],
        *,
        executable: Word | None = None,
        env: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
        cwd: Word | None = None,
        umask: int | None = None,
        user: str | int | None = None,
        group: str | int | None = None,
        extra_groups: Iterable[str | int] | None = None,
        ignored_signals: Iterable[int | str] = (),
        report: bool = True,
    ) -> None:
        if isinstance(words, str | bytes):
            raise InvalidCommand("the words of a program are one string", advice="Give a list")
        super().__init__(
            words=tuple(_text(word, "an argument") for word in words),
            executable=None if executable is None else _text(executable, "executable"),
            env=None if env is None else _environment(env),
            cwd=None if cwd is None else _text(cwd, "cwd"),
            umask=umask,
            user=user,
            group=group,
            extra_groups=None if extra_groups is None else tuple(extra_groups),
            ignored_signals=tuple(signal_name(sig) for sig in ignored_signals),
            report=report,
        )

    def __post_init__(self) -> None:
        if not self.words:
            raise InvalidCommand("there is no program in an empty list")
        if self.umask is not None and not 0 <= self.umask <= 0o7777:
            raise InvalidCommand(f"umask={self.umask!r} is no mask")
        for who in (self.user, self.group, *(self.extra_groups or ())):
            if isinstance(who, int) and not 0 <= who < _NOBODY_AT_ALL:
                raise InvalidCommand(f"{who!r} is no number of a user or group")

    @property
    def file(self) -> str:
        """What is executed."""
        return self.words[0] if self.executable is None else self.executable


def _environment(variables: Mapping[str, str] | Mapping[bytes, bytes]) -> dict[str, str]:
    result = {}
    for key, value in variables.items():
        try:
            name, text = _text(key, "a variable's name"), _text(value, "a variable's value")
        except InvalidCommand as error:
            raise InvalidEnvironment(error.what) from None
        if not name or "=" in name:
            raise InvalidEnvironment("illegal environment variable name")
        result[name] = text
    return result


def _text(word: Word, what: str) -> str:
    """A word as text, in which bytes that are no UTF-8 are carried by surrogates.

    Raises:
        TypeError: it is neither text, bytes nor a path.
        InvalidCommand: there is a NUL in it.
    """
    if not isinstance(word, str | bytes):
        path = getattr(type(word), "__fspath__", None)
        if path is None:
            raise TypeError(f"{what} is {type(word).__name__}, not text, bytes or a path")
        return _text(path(word), what)
    text = word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word
    if "\0" in text:
        raise InvalidCommand(f"{what} has an embedded null byte")
    return text
