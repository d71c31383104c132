"""What a server of files does, as a name that programs import and subclass."""

from __future__ import annotations

from typing import Any

from ._lent import lend

__all__ = ["SFTPServerInterface"]


class SFTPServerInterface:
    """Never asked here."""

    def __init__(self, server: Any, *args: Any, **kwargs: Any) -> None:
        pass


lend(__name__)
