"""The one string that a server hands to the user's login shell: the command, with what has to happen before it.

What comes before stands on the command's own first line, so that the line numbers in the shell's messages stay right.
Every step that fails ends the shell with the step's status: the command never runs in the wrong directory, or without
its variables. A command without such steps is passed to whatever shell there is, untouched.

The steps are POSIX shell. `cwd` does for csh and fish, too, and `exports` for fish; where a step means nothing to one
of these, it refuses aloud and does not get to the command. fish may still end with 0 then: whoever asks for
a `PidLine` that is not for any shell has to see that it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .._value import Value
from ..errors import InvalidCommand, InvalidEnvironment
from .quoting import Word, check_text, join, quote

Command = str | bytes | Sequence[Word]

# Linux takes no longer argument, its NUL included (MAX_ARG_STRLEN, execve(2)), and the whole string is one argument.
LONGEST_COMMAND = 131_072 - 1

# csh goes on after `|| exit`, but not after a variable that it does not know. Elsewhere that is no argument at all, and
# `exit` keeps the status of what failed.
_OR_EXIT = "||exit $needs_a_POSIX_shell"

# csh would write to a file named 1, and fish would show its help: neither can read this, so neither gets further.
_POSIX_ONLY = ": ${needs_a_POSIX_shell-}"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(r"[A-Za-z0-9_:.-]*[A-Za-z0-9_:.]")


class PidLine(Value):
    """A line that the shell prints to stdout before anything else: a word, and behind it its process id.

    Attributes:
        token: of ASCII letters, digits, `_`, `:`, `.` and `-`.
        any_shell: spell it for fish, too, which knows no `$$`: it does not even begin with a command that has one, and
            ends with 0 all the same. That takes a process more, whose parent is the shell.

    Raises:
        InvalidCommand: the token is no such word.
    """

    token: str
    any_shell: bool = False

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise InvalidCommand(f"token={self.token!r} is no plain word")

    def step(self) -> str:
        return f"sh -c 'echo {self.token}$PPID'" if self.any_shell else f"echo {self.token}$$"


def compose(
    command: Command,
    *,
    cwd: Word | None = None,
    exports: Iterable[tuple[str, str]] = (),
    merge_stderr: bool = False,
    pid_line: PidLine | None = None,
) -> str:
    """Build the string for the remote login shell.

    Args:
        command: text or bytes as they are, or words, which are quoted for a POSIX shell.
        cwd: a directory to change to first; relative to where the login starts. Nothing in it is expanded.
        exports: environment variables to set first.
        merge_stderr: whether stderr goes where stdout goes, from the first step on.
        pid_line: what the shell tells first.

    Raises:
        InvalidCommand: a NUL, no words, or 131,072 bytes or more together.
        InvalidEnvironment: a name that is none, or a value that cannot be one.
    """
    text = _command_text(command)
    steps = []
    if merge_stderr:
        steps += [_POSIX_ONLY, "exec 2>&1"]
    if cwd is not None:
        steps.append(f"cd {_directory(cwd)}{_OR_EXIT}")
    return prefixed("".join(f"{step};" for step in steps) + text, exports=exports, pid_line=pid_line)


def prefixed(text: str, *, exports: Iterable[tuple[str, str]] = (), pid_line: PidLine | None = None) -> str:
    """What `compose` has made, with more that comes before it. Arguments and errors as there."""
    first = "" if pid_line is None else f"{pid_line.step()};"
    assignments = [f"{name}={quote(value)}" for name, value in check_environment(exports)]
    if assignments:
        first += f"export {' '.join(assignments)}{_OR_EXIT};"
    return _measured(first + text)


def check_environment(variables: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Pairs of names and values that can be environment variables everywhere.

    Raises:
        InvalidEnvironment: a name is not of letters, digits and underscores (a digit not in front), or a value is not
            text or has a NUL in it. The value is not in the message.
    """
    pairs = tuple(variables.items() if isinstance(variables, Mapping) else variables)
    for name, value in pairs:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidEnvironment(f"{name!r} is no name of an environment variable")
        if not isinstance(value, str):
            raise InvalidEnvironment(f"the value of {name} is {type(value).__name__}, not text")
        try:
            check_text(value, f"the value of {name}")
        except InvalidCommand as error:
            raise InvalidEnvironment(error.what) from None
    return pairs


def _command_text(command: Command) -> str:
    if isinstance(command, bytes):
        command = command.decode("utf-8", "surrogateescape")
    if not isinstance(command, str):
        return join(command)
    check_text(command, "the command")
    return command


def _directory(cwd: Word) -> str:
    """As an operand of cd. In front of a relative path `./` keeps CDPATH and the meanings of -, -P, +1 and ~ out."""
    text = quote(cwd)
    if text == "''":
        raise InvalidCommand("cwd is empty")
    if text.startswith(("/", "'/")):
        return text
    return f"./{text}"


def _measured(text: str) -> str:
    # No character takes more than four bytes, and most commands are short.
    if len(text) * 4 > LONGEST_COMMAND and (size := len(text.encode("utf-8", "surrogateescape"))) > LONGEST_COMMAND:
        raise InvalidCommand(
            f"the command has {size} bytes; a server takes {LONGEST_COMMAND} at most",
            advice="Send the long part through stdin (input=)",
        )
    return text
