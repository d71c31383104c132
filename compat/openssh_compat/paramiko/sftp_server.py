"""A server of files, as a name that programs import."""

from __future__ import annotations

from .._shim import refused
from ._lent import lend
from .server import SubsystemHandler

__all__ = ["SFTPServer"]


@refused
class SFTPServer(SubsystemHandler):
    """Raises NotImplementedError when it is made: there is no server here."""


lend(__name__)
