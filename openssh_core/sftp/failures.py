"""From a status to the exception that Python has for it.

SFTP version 3 says little more than "failure". Where one look at the file tells the reason beyond doubt, it is taken;
where it does not, the errno is EIO and the server's words are all there is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from .._wire import sftp as wire
from .._wire.sftp_extensions import HardLink, PosixRename
from .._wire.sftp_replies import BAD_MESSAGE, FAILURE, NO_SUCH_FILE, OP_UNSUPPORTED, PERMISSION_DENIED, Status
from ..errors import SFTPOSError
from ..errors.files import file_error
from .paths import to_text

# The mode of what has a path, not followed (False) or followed (True); None when there is nothing, or nothing is told.
Look = Callable[[bytes, bool], int | None]

_NAME_MAX = 255

_ERRNO = {
    NO_SUCH_FILE: errno.ENOENT,
    PERMISSION_DENIED: errno.EACCES,
    FAILURE: errno.EIO,
    BAD_MESSAGE: errno.EINVAL,
    OP_UNSUPPORTED: errno.EOPNOTSUPP,
}


def failure(
    status: Status, message: wire.Request, path: bytes | None, second: bytes | None, *, host: str, look: Look
) -> SFTPOSError:
    """The error for a request that did not go well.

    Args:
        path, second: what it was about, for the message.
        look: looks at a file.
    """
    number = _ERRNO.get(status.code, errno.EIO)
    if path is not None:
        number = _looked_up(status.code, message, path, second, look) or number
    return file_error(
        number,
        os.strerror(number),
        filename=None if path is None else to_text(path),
        filename2=None if second is None else to_text(second),
        host=host,
        code=status.code,
        words=status.words,
    )


def _looked_up(code: int, message: wire.Request, path: bytes, second: bytes | None, look: Look) -> int | None:
    """The errno that one look tells, None when it does not."""
    if code == BAD_MESSAGE:
        too_long = any(len(part) > _NAME_MAX for one in (path, second or b"") for part in one.split(b"/"))
        return errno.ENAMETOOLONG if too_long else None
    if code == NO_SUCH_FILE:
        # ENOTDIR arrives as this.
        if isinstance(message, wire.OpenDir | wire.RemoveDir):
            mode = look(path, isinstance(message, wire.OpenDir))
            return errno.ENOTDIR if mode is not None and not stat.S_ISDIR(mode) else None
        return None
    if code != FAILURE:
        return None
    return _failed(message, path, second, look)


def _failed(message: wire.Request, path: bytes, second: bytes | None, look: Look) -> int | None:
    match message:
        case wire.MakeDir():
            return errno.EEXIST if look(path, False) is not None else None
        case wire.RemoveDir():
            return errno.ENOTEMPTY if _is_directory(look(path, False)) else None
        case wire.Remove():
            return errno.EISDIR if _is_directory(look(path, False)) else None
        case wire.Open():
            if message.flags & wire.EXCLUSIVE and look(path, False) is not None:
                return errno.EEXIST
            return errno.EISDIR if _is_directory(look(path, True)) else None
        case wire.Rename() | wire.Symlink() | HardLink() if second is not None:
            return errno.EEXIST if look(second, False) is not None else None
        case PosixRename() if second is not None:
            if _is_directory(look(second, False)):
                return errno.ENOTEMPTY if _is_directory(look(path, False)) else errno.EISDIR
    return None


def _is_directory(mode: int | None) -> bool:
    return mode is not None and stat.S_ISDIR(mode)
