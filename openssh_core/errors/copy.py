"""How copying by another program can fail."""

from __future__ import annotations

import errno
from typing import Any

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


class TransferError(OpenSSHError):
    """A transfer of files did not do all of what it was asked for.

    What could be done is done, and is whole; what failed left the target as it was.

    Attributes:
        report: what was done, skipped and failed (`openssh_core.copy.Report`).
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, report: Any = None) -> None:
        super().__init__(what, host=host, advice=advice)
        self.report = report


class TransferCancelled(TransferError):
    """A transfer was given up because its `cancel` was set."""


class TransferTimeout(TransferError, TimeoutError):
    """A limit passed before a transfer was complete. What the report calls done is there; nothing else was left.

    Attributes:
        limit: which one: `timeout` (all of it) or `idle_timeout` (nothing moved, and the server did not answer).
        seconds: its length.
    """

    advice = "See the report of this error; give a longer limit, or look whether the server and the network work"

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        report: Any = None,
        limit: str = "timeout",
        seconds: float = 0.0,
    ) -> None:
        super().__init__(what, host=host, advice=advice, report=report)
        self.limit = limit
        self.seconds = seconds


class SpecialFile(TransferError, OSError):
    """What a path leads to is no file whose content could be transferred: a FIFO, a socket or a device.

    Attributes:
        errno: EINVAL.
        filename: the path.
        kind: what it is, such as "a FIFO".
    """

    def __init__(
        self,
        what: str,
        *,
        host: str | None = None,
        advice: str | None = None,
        report: Any = None,
        filename: str = "",
        kind: str = "",
    ) -> None:
        super().__init__(what, host=host, advice=advice, report=report)
        self.errno = errno.EINVAL
        self.strerror = f"it is {kind}, not a regular file"
        self.filename = filename
        self.kind = kind


class VerificationFailed(TransferError):
    """What arrived is not what was sent: the digests differ. It was not put in its place."""


class UnsafeName(TransferError):
    """Something on the server has a name, or is a link, that would lead out of the directory it is copied to."""
