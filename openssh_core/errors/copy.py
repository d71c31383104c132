"""How copying by another program can fail."""

from __future__ import annotations

from .base import OpenSSHError, Output


class CopyError(OpenSSHError):
    """A program that copies files (scp, rsync, sshfs) ended with an error.

    What it had copied until then is there.

    Attributes:
        program: its name.
        returncode: its exit status; -N for death by signal N; None when it did not end by itself, or never ran.
        reason: what the status means.
        stdout, stderr: what it said.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        program: str = "",
        returncode: int | None = None,
        reason: str = "",
        stdout: Output = None,
        stderr: Output = None,
    ) -> None:
        super().__init__(what, host=host, advice=advice)
        self.program = program
        self.returncode = returncode
        self.reason = reason
        self.stdout = stdout
        self.stderr = stderr


class CopyTimeout(CopyError, TimeoutError):
    """A limit passed before the program ended. It was killed, and what it had started with it.

    Attributes:
        seconds: the limit's length.
    """

    seconds: float = 0.0


class ProgramNotFound(CopyError):
    """A program that is needed cannot be run, here or on the server."""


class MountError(CopyError):
    """A file system was not mounted, or not unmounted."""
