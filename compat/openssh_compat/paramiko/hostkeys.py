"""known_hosts files as a mapping: host names to types to keys (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

What a connection trusts is decided by ssh(1). Lines that do not show a host's key (markers such as @cert-authority,
types without a class) are left out of the mapping, not refused: they mean something to ssh.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from ._kin import kin
from ._lent import lend
from .common import INFO
from .pkey import PKey, UnknownKeyType
from .ssh_exception import SSHException, _Error
from .util import constant_time_bytes_eq, log_as

__all__ = ["HostKeyEntry", "HostKeys", "InvalidHostKey"]

_HASHED = "|1|"
_SHA1_SIZE = 20


@kin("hostkeys")
class InvalidHostKey(_Error):
    """A line whose key cannot be read.

    Attributes:
        line, exc: the line, and what was wrong with it.
    """

    def __init__(self, line: str, exc: Exception) -> None:
        Exception.__init__(self, line, exc)
        self.line = line
        self.exc = exc


class HostKeyEntry:
    """One line: host names, and the key they have.

    Attributes:
        valid: whether there are both.
        hostnames: as they stand there, hashed or not.
        key: the key.
    """

    def __init__(self, hostnames: list[str] | None = None, key: PKey | None = None) -> None:
        self.valid = hostnames is not None and key is not None
        self.hostnames = hostnames or []
        self.key = key

    @classmethod
    def from_line(cls, line: str, lineno: int | None = None) -> HostKeyEntry | None:
        """A line of a file; None where there is nothing for us in it.

        Raises:
            InvalidHostKey: what should be the key is no base64.
            SSHException: it is no key of its type.
        """
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith(("#", "@")):
            return None
        try:
            key = PKey.from_type_string(fields[1], base64.b64decode(fields[2]))
        except UnknownKeyType:
            log_as("paramiko.hostkeys", INFO, "Unable to handle key of type %s (line %s)", fields[1], lineno)
            return None
        except binascii.Error as error:
            raise InvalidHostKey(line, error) from error
        return cls(fields[0].split(","), key)

    def to_line(self) -> str | None:
        """The line; None when the entry is not valid."""
        if self.key is None or not self.valid:
            return None
        return f"{','.join(self.hostnames)} {self.key.get_name()} {self.key.get_base64()}\n"

    def __repr__(self) -> str:
        return f"<HostKeyEntry {self.hostnames!r}: {self.key!r}>"


class HostKeys(MutableMapping[str, "MutableMapping[str, PKey]"]):
    """Known hosts. Changes are written nowhere until `save`.

    Args:
        filename: a file to `load`.
    """

    def __init__(self, filename: str | os.PathLike[str] | None = None) -> None:
        self._entries: list[HostKeyEntry] = []
        # Lines that show no key, and mean something to ssh.
        self._others: list[str] = []
        if filename is not None:
            self.load(filename)

    def add(self, hostname: str, keytype: str, key: PKey) -> None:
        """Know a key of a host, in place of any of its type.

        Args:
            hostname: as in the file: `host`, `[host]:port`, or hashed.
        """
        for entry in self._entries:
            if hostname in entry.hostnames and entry.key is not None and entry.key.get_name() == keytype:
                entry.key = key
                return
        self._entries.append(HostKeyEntry([hostname], key))

    def load(self, filename: str | os.PathLike[str]) -> None:
        """Add what is in a file.

        Raises:
            OSError: it cannot be read.
            InvalidHostKey: there is a key in it that is no base64.
        """
        with open(filename, encoding="utf-8", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                line = line.strip()
                if line.startswith("@"):
                    self._others.append(line)
                try:
                    entry = HostKeyEntry.from_line(line, number)
                except SSHException:
                    continue
                if entry is not None:
                    self._add_new(entry)

    def _add_new(self, entry: HostKeyEntry) -> None:
        assert entry.key is not None
        key = entry.key
        entry.hostnames = [name for name in entry.hostnames if not self.check(name, key)]
        if entry.hostnames:
            self._entries.append(entry)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write a file, in the place of what was there."""
        with open(filename, "w", encoding="utf-8", errors="surrogateescape") as file:
            for entry in self._entries:
                file.write(entry.to_line() or "")

    def to_lines(self) -> str:
        """As ssh(1) reads it, with the lines that show no key."""
        return "".join([entry.to_line() or "" for entry in self._entries] + [f"{line}\n" for line in self._others])

    def lookup(self, hostname: str) -> HostKeysOfOne | None:
        """The keys of a host, by type; None when there are none."""
        entries = [entry for entry in self._entries if self._hostname_matches(hostname, entry)]
        return HostKeysOfOne(hostname, entries, self) if entries else None

    def _hostname_matches(self, hostname: str, entry: HostKeyEntry) -> bool:
        return any(
            name == hostname
            or (
                name.startswith(_HASHED)
                and not hostname.startswith(_HASHED)
                and constant_time_bytes_eq(self.hash_host(hostname, name).encode(), name.encode())
            )
            for name in entry.hostnames
        )

    def check(self, hostname: str, key: PKey) -> bool:
        """Whether this is the host's key of that type."""
        known = self.lookup(hostname)
        recorded = None if known is None else known.get(key.get_name())
        return recorded is not None and recorded.asbytes() == key.asbytes()

    def clear(self) -> None:
        """Forget all."""
        self._entries, self._others = [], []

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys(name for entry in self._entries for name in entry.hostnames)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, hostname: object) -> bool:
        return isinstance(hostname, str) and self.lookup(hostname) is not None

    def __getitem__(self, hostname: str) -> HostKeysOfOne:
        known = self.lookup(hostname)
        if known is None:
            raise KeyError(hostname)
        return known

    def __setitem__(self, hostname: str, keys: Mapping[str, PKey]) -> None:
        if not keys:
            self._entries.append(HostKeyEntry([hostname], None))
        for keytype, key in keys.items():
            self.add(hostname, keytype, key)

    def __delitem__(self, hostname: str) -> None:
        for entry in self._entries:
            if self._hostname_matches(hostname, entry):
                self._entries.remove(entry)
                return
        raise KeyError(hostname)

    def keys(self) -> Any:
        """The names, hashed ones as they are."""
        return list(self)

    def values(self) -> Any:
        return [self.lookup(name) for name in self]

    @staticmethod
    def hash_host(hostname: str, salt: str | None = None) -> str:
        """A name as `HashKnownHosts` writes it.

        Args:
            salt: a hashed name, whose salt is taken; a random one without it.
        """
        if salt is None:
            raw = os.urandom(_SHA1_SIZE)
        else:
            raw = base64.b64decode(salt.split("|")[2] if salt.startswith(_HASHED) else salt)
        import hmac  # takes long to load, and many files have no hashed names

        digest = hmac.new(raw, hostname.encode("utf-8"), "sha1").digest()
        return f"{_HASHED}{base64.b64encode(raw).decode()}|{base64.b64encode(digest).decode()}"


class HostKeysOfOne(MutableMapping[str, PKey]):
    """The keys of one host, by type. Changing it changes the `HostKeys` it is of."""

    def __init__(self, hostname: str, entries: list[HostKeyEntry], hostkeys: HostKeys) -> None:
        self._hostname = hostname
        self._entries = entries
        self._hostkeys = hostkeys

    def __iter__(self) -> Iterator[str]:
        yield from self.keys()

    def __len__(self) -> int:
        return len(self.keys())

    def __getitem__(self, keytype: str) -> PKey:
        for entry in self._entries:
            if entry.key is not None and entry.key.get_name() == keytype:
                return entry.key
        raise KeyError(keytype)

    def __setitem__(self, keytype: str, key: PKey) -> None:
        for entry in self._entries:
            if entry.key is None or entry.key.get_name() == keytype:
                entry.key, entry.valid = key, True
                return
        entry = HostKeyEntry([self._hostname], key)
        self._entries.append(entry)
        self._hostkeys._entries.append(entry)

    def __delitem__(self, keytype: str) -> None:
        for entry in list(self._entries):
            if entry.key is not None and entry.key.get_name() == keytype:
                self._entries.remove(entry)
                self._hostkeys._entries.remove(entry)
                return
        raise KeyError(keytype)

    def keys(self) -> Any:
        return [entry.key.get_name() for entry in self._entries if entry.key is not None]


lend(__name__)
