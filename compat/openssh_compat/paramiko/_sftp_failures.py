"""The core's errors about files in paramiko's words: by the server's code, and with no errno where that says little."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import openssh_core
from openssh_core.sftp import SFTPOSError, SFTPTimeout, SFTPUnsupported

from .sftp import SFTP_DESC, SFTP_NO_SUCH_FILE, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED, SFTPError

__all__ = ["in_paramikos_words"]

_WITH_ERRNO = {SFTP_NO_SUCH_FILE: errno.ENOENT, SFTP_PERMISSION_DENIED: errno.EACCES}


@contextmanager
def in_paramikos_words() -> Iterator[None]:
    """Raise what paramiko would, from what the core raises in the block."""
    try:
        yield
    except SFTPOSError as error:
        words = error.words or (SFTP_DESC[error.code] if error.code < len(SFTP_DESC) else error.strerror)
        if error.code in _WITH_ERRNO:
            raise OSError(_WITH_ERRNO[error.code], words) from error
        raise OSError(words) from error
    except SFTPTimeout as error:
        raise TimeoutError from error
    except SFTPUnsupported as error:
        raise OSError(SFTP_DESC[SFTP_OP_UNSUPPORTED]) from error
    except (openssh_core.ConnectionLost, openssh_core.ConnectionClosed, ValueError) as error:
        if isinstance(error, openssh_core.InvalidInput):
            raise
        raise OSError("Socket is closed") from error
    except openssh_core.OpenSSHError as error:
        raise SFTPError(str(error)) from error
