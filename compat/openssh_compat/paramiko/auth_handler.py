"""The original's inner life, as names that programs import. ssh(1) does what they did."""

from __future__ import annotations

from typing import Any

from .._shim import refused
from ._lent import lend

__all__ = ["AuthHandler", "AuthOnlyHandler"]


@refused
class AuthHandler:
    """Raises NotImplementedError when it is made: use the methods `auth_...` of `Transport`."""

    def __init__(self, *_args: Any, **_named: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__} is not supported by openssh_compat: use Transport.auth_publickey() and its like"
        )


@refused
class AuthOnlyHandler(AuthHandler):
    """The same."""


lend(__name__)
