"""What is to run, checked before anything is sent, and made into the order for a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ._backends.base import SessionRequest
from ._cli import script
from ._value import Value
from .errors import InvalidCommand
from .options import Pty
from .results import Command

__all__ = ["Launch"]

_LONG_PID_LINE = script.PidLine("0" * 25, any_shell=True)


class Launch(Value):
    """A command, or the login shell, or a subsystem.

    Attributes:
        kind: `exec`, `shell` or `subsystem`.
        command: one string for the remote shell, or words that are quoted for it; a subsystem's name.
        env: variables for the command.
        cwd: the directory it runs in, None for the account's own.
        pty: its terminal.
        merge_stderr: whether its stderr goes where its stdout goes.
    """

    kind: str
    command: Command
    env: Mapping[str, str]
    cwd: str | None = None
    pty: Pty | None = None
    merge_stderr: bool = False

    def request(self) -> SessionRequest:
        """The order for a session.

        Raises:
            InvalidCommand, InvalidEnvironment: it can never run.
        """
        if self.kind == "exec":
            return SessionRequest(self.kind, self._composer(), self.env, self.pty)
        if self.env or self.cwd is not None or self.merge_stderr:
            raise InvalidCommand(
                f"env=, cwd= and stderr=STDOUT are for commands, not for a {self.kind}",
                advice="Start a command, or send the shell what it is to do",
            )
        name = str(self.command).encode()
        return SessionRequest(self.kind, lambda _inline, _pid_line: name, self.env, self.pty)

    def _composer(self) -> Callable[[Mapping[str, str], script.PidLine | None], bytes]:
        text = script.compose(self.command, cwd=self.cwd, merge_stderr=self.merge_stderr)
        # The longest form it can take: what passes here passes with less in front of it, too.
        script.prefixed(text, exports=self.env.items(), pid_line=_LONG_PID_LINE)

        def compose(inline: Mapping[str, str], pid_line: script.PidLine | None) -> bytes:
            return script.prefixed(text, exports=inline.items(), pid_line=pid_line).encode("utf-8", "surrogateescape")

        return compose


def command_of(words: Sequence[str | Sequence[str]]) -> Command:
    """The command that the arguments of `run` and `popen` mean: one string, or a list of words.

    Raises:
        InvalidCommand: there is none, or something in it is no text.
    """
    if len(words) == 1:
        only = words[0]
        if isinstance(only, str):
            return only
        words = list(only)
    if not words:
        raise InvalidCommand("no command was given", advice="Give a string, a list of words, or several words")
    for word in words:
        if not isinstance(word, str):
            raise InvalidCommand(f"a word of the command is {word!r}", advice="Give words as str")
    return [str(word) for word in words]
