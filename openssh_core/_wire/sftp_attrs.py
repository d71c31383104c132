"""File attributes and directory entries of SFTP version 3 (draft-ietf-secsh-filexfer-02 sections 5 and 7)."""

from __future__ import annotations

from .._value import Value
from ..errors import Malformed
from .primitives import Reader, string, u32, u64

# Section 5: which fields follow.
HAS_SIZE = 0x00000001
HAS_OWNER = 0x00000002
HAS_PERMISSIONS = 0x00000004
HAS_TIMES = 0x00000008
HAS_EXTENDED = 0x80000000
_KNOWN = HAS_SIZE | HAS_OWNER | HAS_PERMISSIONS | HAS_TIMES | HAS_EXTENDED

# The least a (name, value) pair, and an entry of a directory, take: their empty strings and flags.
_LEAST_PAIR = 8
_LEAST_ENTRY = 12


class Attributes(Value):
    """Section 5. A field that is None was not sent, or shall not be changed.

    Attributes:
        size: bytes.
        uid, gid: the owner; they come and go together.
        permissions: mode bits, the file's type among them (stat(2)).
        atime, mtime: seconds since 1970, without a sign; they come and go together.
        extended: (name, value) pairs.
    """

    size: int | None = None
    uid: int | None = None
    gid: int | None = None
    permissions: int | None = None
    atime: int | None = None
    mtime: int | None = None
    extended: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self) -> bytes:
        flags, body = 0, b""
        if self.size is not None:
            flags, body = flags | HAS_SIZE, body + u64(self.size)
        if self.uid is not None and self.gid is not None:
            flags, body = flags | HAS_OWNER, body + u32(self.uid) + u32(self.gid)
        if self.permissions is not None:
            flags, body = flags | HAS_PERMISSIONS, body + u32(self.permissions)
        if self.atime is not None and self.mtime is not None:
            flags, body = flags | HAS_TIMES, body + u32(self.atime) + u32(self.mtime)
        if self.extended:
            pairs = b"".join(string(name) + string(value) for name, value in self.extended)
            flags, body = flags | HAS_EXTENDED, body + u32(len(self.extended)) + pairs
        return u32(flags) + body

    @classmethod
    def read(cls, body: Reader) -> Attributes:
        """Take one off the front.

        Raises:
            Malformed: short, flags that version 3 does not have, or more pairs announced than can follow.
        """
        flags = body.u32()
        if flags & ~_KNOWN:
            raise Malformed(f"attributes with the flags {flags:#x}, which SFTP version 3 does not have")
        size = body.u64() if flags & HAS_SIZE else None
        uid, gid = (body.u32(), body.u32()) if flags & HAS_OWNER else (None, None)
        permissions = body.u32() if flags & HAS_PERMISSIONS else None
        atime, mtime = (body.u32(), body.u32()) if flags & HAS_TIMES else (None, None)
        extended: tuple[tuple[bytes, bytes], ...] = ()
        if flags & HAS_EXTENDED:
            count = _believable(body, body.u32(), _LEAST_PAIR, "extended attributes")
            extended = tuple((body.string(), body.string()) for _ in range(count))
        return cls(size, uid, gid, permissions, atime, mtime, extended)


class Entry(Value):
    """One name of an SSH_FXP_NAME (section 7).

    Attributes:
        name: as the server sent it. It may be anything; whoever makes a path of it checks it first.
        longname: a line as of `ls -l`, for people.
    """

    name: bytes
    longname: bytes
    attributes: Attributes

    @classmethod
    def read(cls, body: Reader) -> Entry:
        return cls(body.string(), body.string(), Attributes.read(body))

    def encode(self) -> bytes:
        return string(self.name) + string(self.longname) + self.attributes.encode()


def read_entries(body: Reader) -> tuple[Entry, ...]:
    """A count, and that many entries.

    Raises:
        Malformed: short, or more announced than can follow.
    """
    count = _believable(body, body.u32(), _LEAST_ENTRY, "names")
    return tuple(Entry.read(body) for _ in range(count))


def _believable(body: Reader, count: int, least: int, what: str) -> int:
    if count > body.left // least:
        raise Malformed(f"{count} {what} were announced; {body.left} bytes are left")
    return count
