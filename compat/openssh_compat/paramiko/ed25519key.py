"""Ed25519 keys."""

from __future__ import annotations

import io

from .._shim import refused
from . import _keygen
from ._lent import lend
from .pkey import PKey, no_cryptography

__all__ = ["Ed25519Key"]


class Ed25519Key(PKey):
    """An Ed25519 key. Arguments as for `PKey`."""

    name = "ssh-ed25519"
    _types = ("ssh-ed25519",)
    _algorithm = "ED25519"

    def can_verify(self) -> bool:
        """False: see `verify_ssh_sig`."""
        return False

    @classmethod
    def generate(cls) -> Ed25519Key:
        """Make a key pair. (paramiko cannot.)"""
        return cls(file_obj=io.BytesIO(_keygen.new_key("ed25519", None)))

    verifying_key = refused(property(no_cryptography))


lend(__name__)
