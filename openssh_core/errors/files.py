"""What can go wrong with files on the other machine.

The kinds that the operating system has are its own exceptions too (`FileNotFoundError`...), so that code for local
files handles them as it is.
"""

from __future__ import annotations

import errno as numbers
from typing import Any

from .base import OpenSSHError
from .protocol import RemoteProtocolError


class SFTPError(OpenSSHError):
    """Something about files on the other machine; the connection goes on."""


class SFTPUnsupported(SFTPError, NotImplementedError):
    """The server does not have what this needs.

    Attributes:
        extension: the name of the SFTP extension, empty for something every server should have.
    """

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None, extension: str = "") -> None:
        super().__init__(what, host=host, advice=advice)
        self.extension = extension


class SFTPTimeout(SFTPError, TimeoutError):
    """The server did not answer, and nothing moved, for as long as the client's `timeout`."""

    advice = "The server may be stuck or the network down; close this client and make a new one"


class SFTPClosed(SFTPError, ValueError):
    """The client, or the file, was closed before."""


class SuspectName(SFTPError):
    """The server named a file in a way in which no file can be named (empty, a slash or NUL in it): it was not used."""

    advice = "The server is broken or hostile: take nothing from it that you would not take from a stranger"


class SFTPProtocolError(SFTPError, RemoteProtocolError):
    """What the server sent is no SFTP. The client is of no more use; the connection goes on."""


class SFTPOSError(SFTPError, OSError):
    """The server refused something. The subclasses are those of OSError.

    Attributes:
        errno: as of errno(3). SFTP tells few of them apart: where it says no more than "failure" and nothing more could
            be found out it is EIO.
        strerror: what it means.
        filename, filename2: the path, and the second one where there are two; as text, undecodable bytes escaped.
        code: the server's own, SSH_FX_... (draft-ietf-secsh-filexfer-02 section 7).
        words: what the server said about it.
    """

    def __init__(
        self,
        errno: int,
        strerror: str,
        *,
        filename: str | None = None,
        filename2: str | None = None,
        host: str | None = None,
        code: int = 4,
        words: str = "",
        advice: str | None = None,
    ) -> None:
        where = f"{filename} -> {filename2}" if filename2 is not None else filename
        what = strerror if where is None else f"{where!r}: {strerror}"
        if words and words.casefold() not in (strerror.casefold(), "failure"):
            what += f" (the server says: {words!r})"
        SFTPError.__init__(self, what, host=host, advice=advice)
        self.errno = errno
        self.strerror = strerror
        self.filename = filename
        self.filename2 = filename2
        self.code = code
        self.words = words

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {
            "filename": self.filename,
            "filename2": self.filename2,
            "host": self.host,
            "code": self.code,
            "words": self.words,
        }
        return _rebuild, (type(self), self.errno, self.strerror, facts)


class SFTPFileNotFoundError(SFTPOSError, FileNotFoundError):
    """There is no such file or directory."""


class SFTPPermissionError(SFTPOSError, PermissionError):
    """The account may not do that."""


class SFTPFileExistsError(SFTPOSError, FileExistsError):
    """There is something of that name already."""


class SFTPNotADirectoryError(SFTPOSError, NotADirectoryError):
    """It is no directory."""


class SFTPIsADirectoryError(SFTPOSError, IsADirectoryError):
    """It is a directory."""


_KINDS: dict[int, type[SFTPOSError]] = {
    numbers.ENOENT: SFTPFileNotFoundError,
    numbers.EACCES: SFTPPermissionError,
    numbers.EPERM: SFTPPermissionError,
    numbers.EEXIST: SFTPFileExistsError,
    numbers.ENOTDIR: SFTPNotADirectoryError,
    numbers.EISDIR: SFTPIsADirectoryError,
}


def file_error(errno: int, strerror: str, **facts: Any) -> SFTPOSError:
    """The error for an errno(3), of the class that Python has for it."""
    return _KINDS.get(errno, SFTPOSError)(errno, strerror, **facts)


def _rebuild(kind: type[SFTPOSError], errno: int, strerror: str, facts: dict[str, Any]) -> SFTPOSError:
    return kind(errno, strerror, **facts)
