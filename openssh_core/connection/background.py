"""Commands that go on when the connection is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._cli.quoting import POSIX, Word
from .._value import Value
from ..errors import CommandFailed, InvalidInput
from .commands import Commands

# $1: the log, empty for a new one. $2: the command. A session of its own where there is setsid(1), and no hang-up in
# any case. That a process in the background is no group leader makes setsid keep the process id.
_SCRIPT = (
    'umask 077;_l=$1;[ "$_l" ]||_l=$(mktemp "${TMPDIR:-/tmp}/detached.XXXXXX")||exit;: >>"$_l"||exit;'
    'if command -v setsid >/dev/null;then set -- setsid sh -c "$2";else set -- sh -c "$2";fi;'
    'nohup "$@" </dev/null >>"$_l" 2>&1 & echo "$! $_l"'
)


class Detached(Value):
    """A command that was left alone. Made by `Connection.detach`.

    Attributes:
        pid: its process id there; where the host has setsid(1) it leads a process group of this number.
        log: the file there that has its output.
    """

    pid: int
    log: str


class Background(Commands):
    """The part of a connection that leaves commands alone."""

    def detach(
        self,
        *command: Word | Sequence[Word],
        log: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
    ) -> Detached:
        """Start a command that goes on without us: it survives this connection and this program.

        Nobody learns how it ends, unless it writes that down. Where the host ends all processes of a user who logs out
        (KillUserProcesses of logind), it ends them, too.

        Args:
            command: as for `run`, but run by the `sh` there, whatever the account's shell is. Its input is empty.
            log: a file there that its output is appended to; default: a new one in the directory for temporary files.
            env, cwd: as for `run`.
            timeout: seconds until it has to be started.

        Raises:
            CommandFailed: it could not be started: no such directory, no log to be written. Whether the program was
                found stands in the log.
            ConnectionLost, CommandTimeout, OpenRefused, InvalidInput: as for `run`.
        """
        words = self._words(command)
        if not isinstance(words, str | list):
            raise InvalidInput("a Program cannot be detached", advice="Give words, or one string")
        text = words if isinstance(words, str) else POSIX.join(words)
        # What was expanded once must not be again.
        raw = [_percent_kept(word) if self.defaults.variables is not None else word for word in (log or "", text)]
        done = self.run(
            "sh", "-c", _SCRIPT, "sh", *raw, env=env, cwd=cwd, timeout=timeout, encoding="utf-8", check=True
        )
        pid, _, path = str(done.stdout).rstrip("\n").rpartition("\n")[2].partition(" ")
        if not pid.isdigit() or not path:
            raise CommandFailed(
                "the host did not tell the process id", host=self.host, command=done.command, stdout=done.stdout
            )
        return Detached(int(pid), path)


def _percent_kept(text: str) -> str:
    return text.replace("%", "%%")
