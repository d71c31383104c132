"""What is to run, checked before anything is sent, and made into the order for a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ._backends.base import SessionRequest
from ._cli import script
from ._cli.quoting import POSIX, Glob, Quoter, Raw, Word
from ._cli.quoting.words import text_of
from ._cli.start import Start
from ._io.asking import Asking
from ._value import Value
from .errors import InvalidCommand
from .options import Pty, Sudo
from .program import Program
from .program_start import LoginShell, program_request
from .results import Command

__all__ = ["Launch", "command_of"]

_LONG_PID_LINE = script.PidLine("0" * 25, any_shell=True)


class Launch(Value):
    """A command, or the login shell, or a subsystem.

    Attributes:
        kind: `exec`, `shell` or `subsystem`.
        command: one string for the remote shell, or words that are quoted for it; a program; a subsystem's name.
        env: variables for the command.
        login_shell: what is known of the shell that gets it.
        cwd: the directory it runs in, None for the account's own.
        pty: its terminal.
        merge_stderr: whether its stderr goes where its stdout goes.
        discard: which of stdout and stderr nobody wants.
        shell: the quoter for the account's shell, None where that is not known.
        sudo: who runs it instead of the account.
    """

    kind: str
    command: Command | Program
    env: Mapping[str, str]
    login_shell: LoginShell
    cwd: str | None = None
    pty: Pty | None = None
    merge_stderr: bool = False
    discard: tuple[bool, bool] = (False, False)
    shell: Quoter | None = None
    sudo: Sudo | None = None

    def asking(self) -> Asking | None:
        """The talk with sudo that there will be."""
        if self.sudo is None:
            return None
        if self.kind != "exec" or isinstance(self.command, Program) or self.pty is not None:
            raise InvalidCommand(
                "sudo= is for commands without a terminal", advice='Run "sudo ..." with expect, or with pty= yourself'
            )
        return Asking(None if self.sudo.password is None else (self.sudo.password + "\n").encode())

    def request(self, asking: Asking | None = None) -> SessionRequest:
        """The order for a session.

        Args:
            asking: what `asking` has given.

        Raises:
            InvalidCommand, InvalidEnvironment: it can never run.
        """
        if isinstance(self.command, Program):
            if self.cwd is not None:
                raise InvalidCommand("cwd= and a Program were both given", advice="Give the Program its cwd")
            start = Start(self.command, self.merge_stderr, self.discard)
            return program_request(start, self.env, self.pty, self.login_shell)
        if self.sudo is not None and asking is not None:
            return self._behind_sudo(self.sudo, asking).request()
        if self.kind == "exec":
            tells_pid = self.shell is None or self.shell.steps is not None
            return SessionRequest(self.kind, self._composer(), self.env, self.pty, tells_pid=tells_pid)
        if self.env or self.cwd is not None or self.merge_stderr:
            raise InvalidCommand(
                f"env=, cwd= and stderr=STDOUT are for commands, not for a {self.kind}",
                advice="Start a command, or send the shell what it is to do",
            )
        name = str(self.command).encode()
        return SessionRequest(self.kind, lambda _inline, _pid_line: name, self.env, self.pty)

    def _behind_sudo(self, sudo: Sudo, asking: Asking) -> Launch:
        """The same, to be run by sudo. What comes before the command is done there, by a `sh` in any case."""
        assert not isinstance(self.command, Program)
        text = script.Script(
            self.command, shell=POSIX, cwd=self.cwd, merge_stderr=self.merge_stderr, discard=self.discard
        ).line(self.env.items())
        words = ["sudo", "-S", "-p", asking.prompt, "-u", sudo.user, "--", "sh", "-c", f"echo {asking.token}>&2;{text}"]
        return Launch(kind="exec", command=words, env={}, login_shell=self.login_shell, shell=self.shell)

    def _composer(self) -> Callable[[Mapping[str, str], script.PidLine | None], bytes]:
        assert not isinstance(self.command, Program)
        text = script.Script(
            self.command, shell=self.shell, cwd=self.cwd, merge_stderr=self.merge_stderr, discard=self.discard
        )
        script.check_environment(self.env)
        # The longest form it can take: what passes here passes with less in front of it, too.
        if self.shell is None or self.shell.steps is not None:
            text.line(self.env.items(), _LONG_PID_LINE)
        else:
            text.line()

        def compose(inline: Mapping[str, str], pid_line: script.PidLine | None) -> bytes:
            return text.line(inline.items(), pid_line).encode("utf-8", "surrogateescape")

        return compose


def command_of(words: Sequence[Word | Sequence[Word] | Program], encoding: str = "utf-8") -> Command | Program:
    """The command that the arguments of `run` and `popen` mean: one string, a list of words, or a program.

    Args:
        encoding: in which a command that is text is sent.

    Raises:
        InvalidCommand: there is none, or something in it is no text, or none in that encoding.
    """
    if len(words) == 1:
        only = words[0]
        if isinstance(only, Program):
            return only
        if isinstance(only, str | bytes):
            return _recoded(only, encoding)
        words = [only] if hasattr(only, "__fspath__") else list(only)
    if not words:
        raise InvalidCommand("no command was given", advice="Give a string, a list of words, or several words")
    return [_recoded(word, encoding) for word in words]


def _recoded(word: object, encoding: str) -> str:
    """Text that, sent as UTF-8 with surrogate escapes, is the bytes that are meant."""
    if isinstance(word, Program):
        raise InvalidCommand("a Program stands among other words", advice="Give it alone")
    text = text_of(word)
    if isinstance(word, bytes) or text.isascii() or encoding.lower() in ("utf-8", "utf8"):
        return text if isinstance(word, Raw | Glob) else str(text)
    try:
        recoded = text.encode(encoding, "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidCommand(f"an argument cannot be written in {encoding} ({error.reason})") from None
    return type(word)(recoded) if isinstance(word, Raw | Glob) else recoded
