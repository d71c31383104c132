"""The one string that a server hands to the user's login shell: the command, with what has to happen before it.

What comes before stands on the command's own first line, so that the line numbers in the shell's messages stay right.
Every step that fails ends the shell with the step's status: the command never runs in the wrong directory, or without
its variables. A command without such steps is passed to whatever shell there is, untouched.

The steps are POSIX shell. Where the account is known to have another, they are done by a `sh` that the account's shell
turns into. Where it is not known, `cwd` does for csh and fish, too, and `exports` for fish; a step that means nothing
to one of these refuses aloud and does not get to the command. fish may still end with 0 then: whoever asks for a
`PidLine` that is not for any shell has to see that it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .._value import Value
from ..errors import CommandTooLong, InvalidCommand, InvalidEnvironment
from .quoting import POSIX, Quoter, Raw, Word, check_text, quote

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


class Script:
    """A command for one account's shell, with what has to happen before it.

    Args:
        command: text or bytes as they are, or words, which are quoted.
        shell: the quoter for the account's shell; None where it is not known: everything is written so that a POSIX
            shell does it, and any other does it, too, or says why not.
        cwd: a directory to change to first; relative to where the login starts. Nothing in it is expanded.
        merge_stderr: whether stderr goes where stdout goes, from the first step on.
        discard: which of stdout and stderr nobody wants. They are thrown away there where the shell is known and
            can do that; it saves the way here.

    Raises:
        InvalidCommand: a NUL, no words, or something that this shell has no way to do.
    """

    def __init__(
        self,
        command: Command,
        *,
        shell: Quoter | None = None,
        cwd: Word | None = None,
        merge_stderr: bool = False,
        discard: tuple[bool, bool] = (False, False),
    ) -> None:
        self._shell = shell or POSIX
        self._text = _command_text(command, self._shell)
        # The first step of all is to see to stderr, so that whatever the others say goes there.
        self._steps: list[str] = []
        self._is_one_program = _is_one_program(command)
        if merge_stderr and not self._redirect(3):
            self._steps += [_POSIX_ONLY, "exec 2>&1"]
        if cwd is not None:
            self._steps.append(f"cd {_directory(cwd)}{_OR_EXIT}")
        if shell is not None and any(discard):
            which = 2 if all(discard) else int(discard[1])
            if not self._redirect(which) and shell.steps == "posix":
                self._steps.append(f"exec {POSIX.redirections[which]}")
        if self._steps:
            self._check("cwd= and stderr=STDOUT")

    def _redirect(self, which: int) -> bool:
        """Put a redirection behind the words; whether that can be. POSIX shells do it in front, for any command."""
        fragment = self._shell.redirections[which]
        if not self._is_one_program or fragment is None or self._shell.steps == "posix":
            return False
        self._text += f" {fragment}"
        return True

    def _check(self, what: str) -> None:
        if self._shell.steps is None:
            raise InvalidCommand(
                f"{what} cannot be done for {self._shell.name}", advice="Say it in the command, in that shell's words"
            )

    def line(self, exports: Iterable[tuple[str, str]] = (), pid_line: PidLine | None = None) -> str:
        """The string for the server.

        Args:
            exports: environment variables to set first.
            pid_line: what the shell tells first.

        Raises:
            InvalidCommand: 131,072 bytes or more together, or it is for a shell that cannot be told to do this.
            InvalidEnvironment: a name that is none, or a value that cannot be one.
        """
        steps = [] if pid_line is None else [pid_line.step()]
        assignments = [f"{name}={quote(value)}" for name, value in check_environment(exports)]
        if assignments:
            steps.append(f"export {' '.join(assignments)}{_OR_EXIT}")
        if steps:
            self._check("env=, where the server does not take it itself,")
        return _measured(self._behind([*steps, *self._steps]))

    def _behind(self, steps: list[str]) -> str:
        if not steps:
            return self._text
        text = "".join(f"{step};" for step in steps)
        if self._shell.steps == "posix":
            return text + self._text
        # The same process all the time: sh, and then the account's shell once more.
        quoted = self._shell.quote(text + 'exec "$SHELL" -c "$0"')
        return f"exec sh -c {quoted} {self._shell.quote(self._text)}"


def compose(
    command: Command,
    *,
    shell: Quoter | None = None,
    cwd: Word | None = None,
    exports: Iterable[tuple[str, str]] = (),
    merge_stderr: bool = False,
    discard: tuple[bool, bool] = (False, False),
    pid_line: PidLine | None = None,
) -> str:
    """Build the string for the remote login shell. Arguments and errors as for `Script`."""
    return Script(command, shell=shell, cwd=cwd, merge_stderr=merge_stderr, discard=discard).line(exports, pid_line)


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


def _command_text(command: Command, shell: Quoter) -> str:
    if isinstance(command, bytes):
        command = command.decode("utf-8", "surrogateescape")
    if not isinstance(command, str):
        return shell.join(command)
    check_text(command, "the command")
    return command


def _is_one_program(command: Command) -> bool:
    """Whether it is words for one program. Behind anything else a redirection might be for a part of it."""
    return not isinstance(command, (str, bytes)) and not any(isinstance(word, Raw) for word in command)


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
        raise CommandTooLong(f"the command has {size} bytes; a server takes {LONGEST_COMMAND} at most")
    return text
