"""Paths as callers give them, and as they travel: bytes that are no UTF-8 are surrogates in text, and come back so."""

from __future__ import annotations

import os
import posixpath

from ..errors import InvalidInput, SuspectName

# What a caller may name a file with.
RemotePathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

# Far more than PATH_MAX of any system, and far less than a packet.
_LONGEST = 65_535


def to_wire(path: RemotePathLike) -> bytes:
    """The bytes of a path.

    Raises:
        InvalidInput: NUL in it, longer than any path, or text that is no Unicode.
    """
    given = os.fspath(path)
    if isinstance(given, str):
        try:
            data = given.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise InvalidInput(f"the path {given!r} is no text ({error.reason})") from None
    else:
        data = given
    if b"\0" in data:
        raise InvalidInput(f"NUL in the path {given!r}")
    if len(data) > _LONGEST:
        raise InvalidInput(f"a path of {len(data)} bytes; no system has any over {_LONGEST}")
    return data


def to_text(path: bytes) -> str:
    """A path as text, from which `to_wire` makes the same bytes."""
    return path.decode("utf-8", "surrogateescape")


def checked_name(name: bytes, directory: bytes) -> str:
    """The name of an entry as the server gave it, as text.

    Raises:
        SuspectName: no file in a directory can be called that.
    """
    if not name or b"/" in name or b"\0" in name or name in (b".", b".."):
        raise SuspectName(f"the server says that {to_text(directory)!r} contains something named {name!r}")
    return to_text(name)


def join(directory: str, name: str) -> str:
    """A path below a directory; `.` itself is left out."""
    return name if directory in ("", ".") else posixpath.join(directory, name)
