"""The language of the account's login shell: asked for, and used to quote."""

from __future__ import annotations

from .._cli.quoting import POSIX, Word, quoter
from ..errors import InvalidInput, RequestRefused
from .commands import Commands

_MARK = "the-shell-is:"
# What a shell makes of it tells which one it is: Unix shells know $SHELL, which sshd sets, and only cmd.exe the other.
_QUESTION = f'echo {_MARK} "$SHELL" %COMSPEC%'


class Language(Commands):
    """The part of a connection that knows the account's shell."""

    def detect_shell(self) -> str:
        """Ask which login shell the account has.

            host.defaults = host.defaults.replace(remote_shell=host.detect_shell())

        Returns:
            A name for `remote_shell=`, such as `bash` or `fish`.

        Raises:
            RequestRefused: it is none that there is a quoter for, or it does not say.
            ConnectionLost, OpenRefused and so on: as for `run`.
        """
        question = _QUESTION if self.defaults.variables is None else _QUESTION.replace("%", "%%")
        answer = str(self.run(question, encoding="utf-8", errors="replace").stdout)
        _, found, words = answer.partition(_MARK)
        name = _name_in(words) if found else None
        if name is None:
            raise RequestRefused(
                f"the account's shell does not say which one it is ({answer.strip()[:100]!r})",
                host=self.host,
                request="exec",
                advice="Say it yourself: remote_shell=",
            )
        return name

    def shell_quote(self, *words: Word) -> str:
        """Words as the account's shell (`Defaults.remote_shell`) has to be given them, with blanks between them.

        Args:
            words: text, bytes or paths; `Raw` and `Glob` among them keep their meaning.

        Raises:
            InvalidCommand: a NUL, or what this shell has no way to be given.
        """
        one = quoter(self.defaults.remote_shell or POSIX)
        return " ".join(one.quote_word(word) for word in words)

    def shell_quote_glob(self, *patterns: Word) -> str:
        """Patterns (see `Glob`) for the account's shell, with their wildcards alive. Errors as for `shell_quote`."""
        one = quoter(self.defaults.remote_shell or POSIX)
        return " ".join(one.quote_glob(pattern) for pattern in patterns)


def _name_in(words: str) -> str | None:
    if "%COMSPEC%" not in words:
        return "cmd"
    path = words.partition("%COMSPEC%")[0].strip()
    if not path:
        # PowerShell has no $SHELL, and puts each word on a line of its own. So does no other.
        return "powershell" if words.strip(" ").startswith(("\n", "\r")) else None
    name = path.rpartition("/")[2].lower()
    try:
        quoter(name)
    except InvalidInput:
        return None
    return name
