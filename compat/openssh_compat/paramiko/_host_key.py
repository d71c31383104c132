"""A server's public key, as far as the exceptions need it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

__all__ = ["HostKey", "read_host_key"]


@dataclass(frozen=True)
class HostKey:
    """A public key, or its fingerprint where that is all there is.

    Attributes:
        name: its type, such as `ssh-ed25519`; empty when it is not known.
        base64: the key itself; empty when it is not known.
        fingerprint: as OpenSSH prints it (`SHA256:...`).
    """

    name: str = ""
    base64: str = ""
    fingerprint: str = ""

    def get_name(self) -> str:
        return self.name

    def get_base64(self) -> str:
        return self.base64

    def get_fingerprint(self) -> bytes:
        """The MD5 fingerprint, which is what paramiko gives; empty when the key is not known."""
        blob = self.asbytes()
        return hashlib.md5(blob, usedforsecurity=False).digest() if blob else b""

    def asbytes(self) -> bytes:
        return base64.b64decode(self.base64)


def read_host_key(line: str) -> HostKey | None:
    """The key of one line of a known_hosts file; None when there is none (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    words = line.split()
    if words and words[0].startswith("@"):
        del words[0]
    if len(words) < 3 or words[0].startswith("#"):
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except ValueError:
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return HostKey(words[1], words[2], f"SHA256:{digest}")
