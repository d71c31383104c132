"""OpenSSH's extensions to SFTP version 3 (PROTOCOL of openssh-portable, section 4), one value each beside its name."""

from __future__ import annotations

from typing import ClassVar

from .._value import Value
from ..errors import Malformed
from .primitives import Reader, string, u32, u64
from .sftp import Request
from .sftp_attrs import Attributes
from .sftp_replies import ExtendedReply, Names, Reply


class Extended(Request):
    """Section 8 of the draft: a request by name.

    Attributes:
        name: the extension's.
        version: the version of it that this is, as servers announce it.
    """

    number: ClassVar[int] = 200
    name: ClassVar[bytes]
    version: ClassVar[bytes] = b"1"

    def arguments(self) -> bytes:
        """What follows the name."""
        raise NotImplementedError

    def body(self) -> bytes:
        return string(self.name) + self.arguments()


class PosixRename(Extended):
    """PROTOCOL section 4.3: rename(2), which replaces what had the new name."""

    name: ClassVar[bytes] = b"posix-rename@openssh.com"
    old: bytes
    new: bytes

    def arguments(self) -> bytes:
        return string(self.old) + string(self.new)


class StatVfs(Extended):
    """PROTOCOL section 4.4."""

    name: ClassVar[bytes] = b"statvfs@openssh.com"
    version: ClassVar[bytes] = b"2"
    answer: ClassVar[type[Reply]] = ExtendedReply
    path: bytes

    def arguments(self) -> bytes:
        return string(self.path)


class FStatVfs(Extended):
    """PROTOCOL section 4.4."""

    name: ClassVar[bytes] = b"fstatvfs@openssh.com"
    version: ClassVar[bytes] = b"2"
    answer: ClassVar[type[Reply]] = ExtendedReply
    handle: bytes

    def arguments(self) -> bytes:
        return string(self.handle)


class VfsStatistics(Value):
    """PROTOCOL section 4.4, the answer; fields as in statvfs(3)."""

    bsize: int
    frsize: int
    blocks: int
    bfree: int
    bavail: int
    files: int
    ffree: int
    favail: int
    fsid: int
    flag: int
    namemax: int

    @classmethod
    def decode(cls, payload: bytes) -> VfsStatistics:
        body = Reader(payload)
        return cls(*(body.u64() for _ in cls._fields))


class HardLink(Extended):
    """PROTOCOL section 4.5."""

    name: ClassVar[bytes] = b"hardlink@openssh.com"
    old: bytes
    new: bytes

    def arguments(self) -> bytes:
        return string(self.old) + string(self.new)


class FSync(Extended):
    """PROTOCOL section 4.6."""

    name: ClassVar[bytes] = b"fsync@openssh.com"
    handle: bytes

    def arguments(self) -> bytes:
        return string(self.handle)


class LSetStat(Extended):
    """PROTOCOL section 4.7: SETSTAT of a symbolic link itself."""

    name: ClassVar[bytes] = b"lsetstat@openssh.com"
    path: bytes
    attributes: Attributes

    def arguments(self) -> bytes:
        return string(self.path) + self.attributes.encode()


class AskLimits(Extended):
    """PROTOCOL section 4.8."""

    name: ClassVar[bytes] = b"limits@openssh.com"
    answer: ClassVar[type[Reply]] = ExtendedReply

    def arguments(self) -> bytes:
        return b""


class LimitsReply(Value):
    """PROTOCOL section 4.8, the answer; 0 means that the server does not say.

    Attributes:
        packet, read, write: bytes.
        handles: how many may be open.
    """

    packet: int
    read: int
    write: int
    handles: int

    @classmethod
    def decode(cls, payload: bytes) -> LimitsReply:
        body = Reader(payload)
        return cls(body.u64(), body.u64(), body.u64(), body.u64())


class ExpandPath(Extended):
    """PROTOCOL section 4.9: REALPATH that knows `~` and `~user`."""

    name: ClassVar[bytes] = b"expand-path@openssh.com"
    answer: ClassVar[type[Reply]] = Names
    path: bytes

    def arguments(self) -> bytes:
        return string(self.path)


class CopyData(Extended):
    """draft-ietf-secsh-filexfer-extensions-00 section 7; a length of 0 means to the end."""

    name: ClassVar[bytes] = b"copy-data"
    source: bytes
    source_offset: int
    length: int
    target: bytes
    target_offset: int

    def arguments(self) -> bytes:
        source = string(self.source) + u64(self.source_offset) + u64(self.length)
        return source + string(self.target) + u64(self.target_offset)


class HomeDirectory(Extended):
    """draft-ietf-secsh-filexfer-extensions-00 section 5."""

    name: ClassVar[bytes] = b"home-directory"
    answer: ClassVar[type[Reply]] = Names
    user: bytes

    def arguments(self) -> bytes:
        return string(self.user)


class UsersGroupsById(Extended):
    """PROTOCOL section 4.11."""

    name: ClassVar[bytes] = b"users-groups-by-id@openssh.com"
    answer: ClassVar[type[Reply]] = ExtendedReply
    uids: tuple[int, ...]
    gids: tuple[int, ...]

    def arguments(self) -> bytes:
        return string(b"".join(map(u32, self.uids))) + string(b"".join(map(u32, self.gids)))


class UsersGroups(Value):
    """PROTOCOL section 4.11, the answer: a name for each number asked, empty for one the server does not know."""

    users: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def decode(cls, payload: bytes) -> UsersGroups:
        body = Reader(payload)
        return cls(_names(body.blob()), _names(body.blob()))


def _names(blob: bytes | memoryview) -> tuple[str, ...]:
    body, names = Reader(blob), []
    while body.left:
        names.append(body.text())
    return tuple(names)


def supported(kind: type[Extended], offered: dict[bytes, bytes]) -> bool:
    """Whether the server announced this extension, in the version known here."""
    return kind.version in offered.get(kind.name, b"").split(b",")


def check_counts(names: UsersGroups, asked: UsersGroupsById) -> UsersGroups:
    """See that there is a name for each number.

    Raises:
        Malformed: there is not.
    """
    if len(names.users) != len(asked.uids) or len(names.groups) != len(asked.gids):
        raise Malformed("the server named another number of users and groups than it was asked for")
    return names
