"""ECDSA keys, on the curves of NIST."""

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

__all__ = ["ECDSAKey"]

_SIZES = (256, 384, 521)


class ECDSAKey(PKey):
    """An ECDSA key. Arguments as for `PKey`.

    Args:
        vals: key objects of the `cryptography` package are not taken: write the key down, and load the text.
        validate_point: changes nothing; ssh looks at what it uses.
    """

    _types = tuple(f"ecdsa-sha2-nistp{size}" for size in _SIZES)
    _algorithm = "ECDSA"
    _pem_tag = "EC"

    def __init__(
        self,
        msg: Message | None = None,
        data: bytes | None = None,
        filename: str | os.PathLike[str] | None = None,
        password: str | bytes | None = None,
        vals: Any = None,
        file_obj: IO[Any] | None = None,
        validate_point: bool = True,
    ) -> None:
        if vals is not None:
            raise NotImplementedError(
                "ECDSAKey(vals=...) is not supported by openssh_compat, which does no cryptography: "
                "write the key down with private_bytes() and use ECDSAKey.from_private_key()"
            )
        super().__init__(msg, data, filename, password, file_obj)

    @classmethod
    def supported_key_format_identifiers(cls) -> list[str]:
        """The same as `identifiers`."""
        return cls.identifiers()

    @classmethod
    def generate(
        cls, curve: Any = None, progress_func: Callable[..., Any] | None = None, bits: int | None = None
    ) -> ECDSAKey:
        """Make a key pair.

        Args:
            curve: one that has a `key_size`, such as those of the `cryptography` package; P-256 without it.
            bits: the size of the curve: 256, 384 or 521.
            progress_func: never called.

        Raises:
            ValueError: there is no curve of that size.
        """
        size = getattr(curve, "key_size", 256) if bits is None else bits
        if size not in _SIZES:
            raise ValueError(f"Unsupported key length: {size}")
        return cls(file_obj=io.BytesIO(_keygen.new_key("ecdsa", size)))

    private_key = refused(property(no_cryptography))


lend(__name__)
