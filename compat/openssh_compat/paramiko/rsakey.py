"""RSA keys."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import IO, Any

from .._shim import refused
from . import _keygen
from ._lent import lend
from .message import Message
from .pkey import PKey, no_cryptography

__all__ = ["RSAKey"]


class RSAKey(PKey):
    """An RSA key. Arguments as for `PKey`.

    Args:
        key: a key object of the `cryptography` package is not taken: write it down, and load the text.
    """

    name = "ssh-rsa"
    HASHES = {  # noqa: RUF012  # the original has it on the class, too
        "rsa-sha2-256": "sha256",
        "rsa-sha2-256-cert-v01@openssh.com": "sha256",
        "rsa-sha2-512": "sha512",
        "rsa-sha2-512-cert-v01@openssh.com": "sha512",
    }
    _types = ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")
    _algorithm = "RSA"
    _pem_tag = "RSA"

    def __init__(
        self,
        msg: Message | None = None,
        data: bytes | None = None,
        filename: str | os.PathLike[str] | None = None,
        password: str | bytes | None = None,
        key: Any = None,
        file_obj: IO[Any] | None = None,
    ) -> None:
        if key is not None:
            raise NotImplementedError(
                "RSAKey(key=...) is not supported by openssh_compat, which does no cryptography: "
                "write the key down with private_bytes() and use RSAKey.from_private_key()"
            )
        super().__init__(msg, data, filename, password, file_obj)

    @classmethod
    def identifiers(cls) -> list[str]:
        names = [*cls._types, *(f"{name}-cert-v01@openssh.com" for name in cls._types)]
        return sorted(names)

    @staticmethod
    def generate(bits: int, progress_func: Callable[..., Any] | None = None) -> RSAKey:
        """Make a key pair.

        Args:
            bits: its size.
            progress_func: never called.
        """
        return RSAKey(file_obj=io.BytesIO(_keygen.new_key("rsa", bits)))

    private_key = refused(property(no_cryptography))

    public_numbers = refused(property(no_cryptography))


lend(__name__)
