"""An open file of a server of files, as a name that programs import and subclass."""

from __future__ import annotations

from ._lent import lend
from .util import ClosingContextManager

__all__ = ["SFTPHandle"]


class SFTPHandle(ClosingContextManager):
    """Never used here."""

    def __init__(self, flags: int = 0) -> None:
        self.flags = flags

    def close(self) -> None:
        pass


lend(__name__)
