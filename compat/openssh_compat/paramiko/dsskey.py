"""DSA keys: a name that programs still import, and no more. OpenSSH has given them up, and paramiko has."""

from __future__ import annotations

from typing import Any, NoReturn

from .pkey import PKey
from .ssh_exception import SSHException

__all__ = ["DSSKey"]

_GIVEN_UP = "DSA keys are not supported by OpenSSH any more: make an Ed25519 key (ssh-keygen -t ed25519)"


class DSSKey(PKey):
    """A DSA key, which cannot be used.

    Loops over the classes of keys go on with the next one: loading raises SSHException, as for any other wrong class.
    """

    name = "ssh-dss"
    _types = ("ssh-dss",)
    _algorithm = "DSS"
    _pem_tag = "DSA"

    def __init__(self, *_args: Any, **_named: Any) -> None:
        raise SSHException(_GIVEN_UP)

    @staticmethod
    def generate(bits: int = 1024, progress_func: Any = None) -> NoReturn:
        raise SSHException(_GIVEN_UP)
