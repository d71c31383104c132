"""The numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02), and its own exception."""

from __future__ import annotations

from typing import Any

from .._shim import refused
from ._kin import kin
from ._lent import lend
from .ssh_exception import _Error

CMD_INIT, CMD_VERSION, CMD_OPEN, CMD_CLOSE, CMD_READ, CMD_WRITE, CMD_LSTAT, CMD_FSTAT = range(1, 9)
CMD_SETSTAT, CMD_FSETSTAT, CMD_OPENDIR, CMD_READDIR, CMD_REMOVE, CMD_MKDIR, CMD_RMDIR = range(9, 16)
CMD_REALPATH, CMD_STAT, CMD_RENAME, CMD_READLINK, CMD_SYMLINK = range(16, 21)
CMD_STATUS, CMD_HANDLE, CMD_DATA, CMD_NAME, CMD_ATTRS = range(101, 106)
CMD_EXTENDED, CMD_EXTENDED_REPLY = range(200, 202)

CMD_NAMES = {number: name[4:].lower() for name, number in list(globals().items()) if name.startswith("CMD_")}

SFTP_OK, SFTP_EOF, SFTP_NO_SUCH_FILE, SFTP_PERMISSION_DENIED, SFTP_FAILURE = range(5)
SFTP_BAD_MESSAGE, SFTP_NO_CONNECTION, SFTP_CONNECTION_LOST, SFTP_OP_UNSUPPORTED = range(5, 9)

SFTP_DESC = [
    "Success",
    "End of file",
    "No such file",
    "Permission denied",
    "Failure",
    "Bad message",
    "No connection",
    "Connection lost",
    "Operation unsupported",
]

SFTP_FLAG_READ, SFTP_FLAG_WRITE, SFTP_FLAG_APPEND = 0x1, 0x2, 0x4
SFTP_FLAG_CREATE, SFTP_FLAG_TRUNC, SFTP_FLAG_EXCL = 0x8, 0x10, 0x20


class int64(int):
    """A number of 64 bits."""


@kin("sftp")
class SFTPError(_Error):
    """Something about SFTP that is no error of a file."""


@refused
class BaseSFTP:
    """The original's packets, as a name that programs import. The core makes them."""

    def __init__(self, *_args: Any, **_named: Any) -> None:
        raise NotImplementedError("BaseSFTP is not supported by openssh_compat: use SFTPClient")


lend(__name__)
