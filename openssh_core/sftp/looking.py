"""One look at what the server said no to: what it is, and whether there is room."""

from __future__ import annotations

from .._io.sftp_session import SftpSession
from .._wire import sftp as wire
from .._wire.sftp_extensions import StatVfs, VfsStatistics
from .._wire.sftp_replies import Attrs, ExtendedReply, Reply
from ..errors import OpenSSHError


class Looks:
    """Asks a server. It says None where it learns nothing: the failure that is being explained matters more."""

    def __init__(self, session: SftpSession) -> None:
        self._session = session

    def mode(self, path: bytes, follow: bool) -> int | None:
        """The mode of what has a path, not followed or followed; None when there is nothing."""
        reply = self._asked(wire.Stat(path) if follow else wire.LStat(path))
        return reply.attributes.permissions if isinstance(reply, Attrs) else None

    def room(self, path: bytes) -> int | None:
        """Bytes for which there is room where a path leads, 0 when nothing more can be made there."""
        if not self._session.offers(StatVfs):
            return None
        reply = self._asked(StatVfs(path))
        if not isinstance(reply, ExtendedReply):
            return None
        try:
            told = VfsStatistics.decode(reply.payload)
        except OpenSSHError:
            return None
        # Some file systems have no fixed number of files.
        return 0 if told.files and not told.favail else told.bavail * told.frsize

    def _asked(self, message: wire.Request) -> Reply | None:
        try:
            return self._session.call(message)
        except OpenSSHError:
            return None
