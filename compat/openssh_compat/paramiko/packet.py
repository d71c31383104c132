"""The original's packets, as a name that programs import. ssh(1) makes them."""

from __future__ import annotations

from typing import Any

from .._shim import refused
from ._lent import lend

__all__ = ["NeedRekeyException", "Packetizer"]


class NeedRekeyException(Exception):
    """Never raised here."""


@refused
class Packetizer:
    """Raises NotImplementedError when it is made: packets are the business of ssh."""

    def __init__(self, *_args: Any, **_named: Any) -> None:
        raise NotImplementedError("Packetizer is not supported by openssh_compat: packets are the business of ssh")


lend(__name__)
