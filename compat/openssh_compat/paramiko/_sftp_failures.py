"""The core's errors about files in paramiko's words: by the server's code, and with no errno where that says little."""

from __future__ import annotations

import errno

import openssh_core
from openssh_core.sftp import SFTPOSError, SFTPTimeout, SFTPUnsupported

from .sftp import SFTP_DESC, SFTP_NO_SUCH_FILE, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED, SFTPError

__all__ = ["in_paramikos_words"]

_WITH_ERRNO = {SFTP_NO_SUCH_FILE: errno.ENOENT, SFTP_PERMISSION_DENIED: errno.EACCES}


class _Translation:
    """A context manager that keeps nothing, so that one is enough for everybody, and costs little around each piece."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        if error is not None and (ours := _in_paramikos_words(error)) is not None:
            raise ours from error


_TRANSLATION = _Translation()


def in_paramikos_words() -> _Translation:
    """Raise what paramiko would, from what the core raises in the block."""
    return _TRANSLATION


def _in_paramikos_words(error: BaseException) -> BaseException | None:
    """What paramiko raises in its place; None: the same."""
    if isinstance(error, SFTPOSError):
        words = error.words or (SFTP_DESC[error.code] if error.code < len(SFTP_DESC) else error.strerror)
        if error.code in _WITH_ERRNO:
            return OSError(_WITH_ERRNO[error.code], words)
        return OSError(words)
    if isinstance(error, SFTPTimeout):
        return TimeoutError()
    if isinstance(error, SFTPUnsupported):
        return OSError(SFTP_DESC[SFTP_OP_UNSUPPORTED])
    if isinstance(error, openssh_core.InvalidInput):
        return None
    if isinstance(error, openssh_core.ConnectionLost | openssh_core.ConnectionClosed | ValueError):
        return OSError("Socket is closed")
    return SFTPError(str(error)) if isinstance(error, openssh_core.OpenSSHError) else None
