"""From a status to the exception that Python has for it.

SFTP version 3 says little more than "failure". Where one look at the file tells the reason beyond doubt, it is taken;
where it does not, the errno is EIO and the server's words are all there is.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat

from .._wire import sftp as wire
from .._wire.sftp_extensions import HardLink, PosixRename
from .._wire.sftp_replies import BAD_MESSAGE, FAILURE, NO_SUCH_FILE, OP_UNSUPPORTED, PERMISSION_DENIED, Status
from ..errors import SFTPOSError
from ..errors.files import file_error
from .looking import Looks
from .paths import to_text

_NAME_MAX = 255

_ERRNO = {
    NO_SUCH_FILE: errno.ENOENT,
    PERMISSION_DENIED: errno.EACCES,
    FAILURE: errno.EIO,
    BAD_MESSAGE: errno.EINVAL,
    OP_UNSUPPORTED: errno.EOPNOTSUPP,
}


def known_failure(number: int, filename: str, host: str) -> SFTPOSError:
    """The error for what is known here already, an errno(3): the server was not asked, or need not be."""
    return file_error(number, os.strerror(number), filename=filename, host=host)


def failure(
    status: Status,
    message: wire.Request,
    path: bytes | None,
    second: bytes | None,
    *,
    host: str,
    look: Looks,
    shown: bytes | None = None,
) -> SFTPOSError:
    """The error for a request that did not go well.

    Args:
        path, second: what it was about, for the message.
        look: looks at a file, and its file system.
        shown: what the message names instead: the caller knows nothing of `path`.
    """
    number = _ERRNO.get(status.code, errno.EIO)
    if path is not None:
        number = _looked_up(status.code, message, path, second, look) or number
        if number == errno.EIO and _is_full(message, path, look):
            number = errno.ENOSPC
    if shown is not None:
        path, second = shown, None
    return file_error(
        number,
        os.strerror(number),
        filename=None if path is None else to_text(path),
        filename2=None if second is None else to_text(second),
        host=host,
        code=status.code,
        words=status.words,
    )


def _looked_up(code: int, message: wire.Request, path: bytes, second: bytes | None, look: Looks) -> int | None:
    """The errno that one look tells, None when it does not."""
    if code == BAD_MESSAGE:
        too_long = any(len(part) > _NAME_MAX for one in (path, second or b"") for part in one.split(b"/"))
        return errno.ENAMETOOLONG if too_long else None
    if code == NO_SUCH_FILE:
        # ENOTDIR arrives as this.
        if isinstance(message, wire.OpenDir | wire.RemoveDir):
            mode = look.mode(path, isinstance(message, wire.OpenDir))
            return errno.ENOTDIR if mode is not None and not stat.S_ISDIR(mode) else None
        return None
    if code != FAILURE:
        return None
    return _failed(message, path, second, look)


def _failed(message: wire.Request, path: bytes, second: bytes | None, look: Looks) -> int | None:
    match message:
        case wire.MakeDir():
            return errno.EEXIST if look.mode(path, False) is not None else None
        case wire.RemoveDir():
            return errno.ENOTEMPTY if _is_directory(look.mode(path, False)) else None
        case wire.Remove():
            return errno.EISDIR if _is_directory(look.mode(path, False)) else None
        case wire.Open():
            if message.flags & wire.EXCLUSIVE and look.mode(path, False) is not None:
                return errno.EEXIST
            return errno.EISDIR if _is_directory(look.mode(path, True)) else None
        case wire.Rename() | wire.Symlink() | HardLink() if second is not None:
            return errno.EEXIST if look.mode(second, False) is not None else None
        case PosixRename() if second is not None:
            if _is_directory(look.mode(second, False)):
                return errno.ENOTEMPTY if _is_directory(look.mode(path, False)) else errno.EISDIR
    return None


def _is_full(message: wire.Request, path: bytes, look: Looks) -> bool:
    """Whether there is no room for what was to be written or made."""
    match message:
        case wire.Write():
            left = look.room(path)
            return left is not None and left < len(message.data)
        case wire.Open() if message.flags & wire.CREATE:
            return look.room(posixpath.dirname(path) or b".") == 0
        case wire.MakeDir() | wire.Symlink():
            return look.room(posixpath.dirname(path) or b".") == 0
    return False


def _is_directory(mode: int | None) -> bool:
    return mode is not None and stat.S_ISDIR(mode)
