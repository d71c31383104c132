"""A server's public key, from a known_hosts file or from what ssh(1) says of it."""

from __future__ import annotations

from openssh_core import HostKey

from .pkey import PKey, public_key

__all__ = ["FingerprintKey", "from_core", "read_host_key"]


class FingerprintKey(PKey):
    """A key of which nothing is known but its fingerprint, or not even that.

    Args:
        fingerprint: as ssh prints it (`SHA256:...`); empty when it is not known.
    """

    def __init__(self, fingerprint: str = "") -> None:
        super().__init__()
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        return self._fingerprint


def read_host_key(line: str) -> PKey | None:
    """The key of one line of a known_hosts file; None when there is none (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    words = line.split()
    if words and words[0].startswith("@"):
        del words[0]
    if len(words) < 3 or words[0].startswith("#"):
        return None
    return public_key(" ".join(words[1:]))


def from_core(key: HostKey) -> PKey:
    """A key that ssh saw, as an object of its class."""
    return public_key(f"{key.type} {key.base64}") or FingerprintKey(key.fingerprint)
