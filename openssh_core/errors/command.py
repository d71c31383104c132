"""How a command that did run can fail."""

from __future__ import annotations

from .base import OpenSSHError, Output


class CommandFailed(OpenSSHError):
    """A command run with check=True ended with something else than 0.

    Attributes:
        command: as the caller gave it.
        returncode: the exit status; -N for death by signal N.
        signal: the signal's name without SIG, None for a normal exit.
        stdout, stderr: captured output, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        command: object = None,
        returncode: int = 0,
        signal: str | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.command = command
        self.returncode = returncode
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr


class CommandTimeout(OpenSSHError, TimeoutError):
    """A limit passed before the command ended.

    Attributes:
        command: as the caller gave it.
        limit: which one: `timeout` (the whole command), `idle_timeout` (no output) or `wait`.
        seconds: its length.
        killed: True: the remote process group is known to be gone. False: it still runs. None: not known.
        stdout, stderr: output received until then, None where it was not captured.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        command: object = None,
        limit: str = "timeout",
        seconds: float = 0.0,
        killed: bool | None = None,
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.command = command
        self.limit = limit
        self.seconds = seconds
        self.killed = killed
        self.stdout = stdout
        self.stderr = stderr


class UndecodableOutput(OpenSSHError, UnicodeError):
    """The command ended, but what it put out is no text in the encoding that was asked for.

    Attributes:
        command: as the caller gave it.
        encoding: which one.
        returncode, signal: how it ended, as for `CompletedCommand`.
        stdout, stderr: all of its output, as bytes; None where it was not captured.
    """

    advice = "Take the bytes of this error, ask for another encoding=, or for errors='surrogateescape'"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        command: object = None,
        encoding: str | None = None,
        returncode: int = 0,
        signal: str | None = None,
        stdout: bytes | None = None,
        stderr: bytes | None = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.command = command
        self.encoding = encoding
        self.returncode = returncode
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr


class SudoRefused(OpenSSHError):
    """sudo did not start the command.

    Attributes:
        said: sudo's own words, one line.
        password_refused: whether it asked for a password and did not take the one it was given, or was given none.
    """

    advice = "Look into sudoers(5) there: whether the user may run this, and whether that takes a password"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        said: str = "",
        password_refused: bool = False,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.said = said
        self.password_refused = password_refused
