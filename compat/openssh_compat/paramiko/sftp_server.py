"""A server of files, as a name that programs import."""

from __future__ import annotations

from .server import SubsystemHandler

__all__ = ["SFTPServer"]


class SFTPServer(SubsystemHandler):
    """Raises NotImplementedError when it is made: there is no server here."""
