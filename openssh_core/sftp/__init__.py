"""Files on another machine, as fast as OpenSSH's own tools, in the words of Python's file library.

with openssh_core.connect("web1") as host, host.sftp() as sftp:
    print(sftp.stat("/etc/motd").st_size)
"""

from ..errors import (
    SFTPClosed,
    SFTPError,
    SFTPFileExistsError,
    SFTPFileNotFoundError,
    SFTPIsADirectoryError,
    SFTPNotADirectoryError,
    SFTPOSError,
    SFTPPermissionError,
    SFTPProtocolError,
    SFTPTimeout,
    SFTPUnsupported,
    SuspectName,
)
from .attributes import FileStat, VfsStatistics
from .client import SFTPClient
from .entries import RemoteEntry
from .remote_path import RemotePath

__all__ = [
    "FileStat",
    "RemoteEntry",
    "RemotePath",
    "SFTPClient",
    "SFTPClosed",
    "SFTPError",
    "SFTPFileExistsError",
    "SFTPFileNotFoundError",
    "SFTPIsADirectoryError",
    "SFTPNotADirectoryError",
    "SFTPOSError",
    "SFTPPermissionError",
    "SFTPProtocolError",
    "SFTPTimeout",
    "SFTPUnsupported",
    "SuspectName",
    "VfsStatistics",
]
