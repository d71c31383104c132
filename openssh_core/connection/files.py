"""Files on the other machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._io.deadline import check_seconds
from ..errors import ConnectionLost
from .life import ConnectionLife

if TYPE_CHECKING:
    from ..sftp import SFTPClient


class Files(ConnectionLife):
    """The part of a connection that deals with files."""

    def sftp(self, *, timeout: float | None = 60.0, subsystem: str = "sftp") -> SFTPClient:
        """An SFTP client: a session of its own on this connection, without a new login.

        Args:
            timeout: seconds without any progress after which one of its calls gives up; None for ever.
            subsystem: its name on the server (Subsystem in sshd_config).

        Raises:
            OpenRefused, RequestRefused: the server started none.
            SFTPProtocolError: what it started speaks no SFTP version 3.
            SFTPTimeout: it did not begin in time.
            ConnectionLost, ConnectionClosed: the connection has ended.
        """
        from ..sftp import SFTPClient

        if timeout is not None:
            check_seconds(timeout, "timeout")
        master = self._live()
        try:
            return SFTPClient.of_master(master, host=self.host, subsystem=subsystem, timeout=timeout)
        except ConnectionLost as error:
            if error.started or not self._access.can_renew(master):
                raise
        return SFTPClient.of_master(self._live(), host=self.host, subsystem=subsystem, timeout=timeout)
