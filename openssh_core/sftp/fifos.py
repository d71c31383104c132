"""A server that opens a FIFO waits until somebody opens its other end: so another session does that."""

from __future__ import annotations

from contextlib import closing

from .._io.sftp_session import SftpSession
from .._wire import sftp as wire
from .._wire.sftp_replies import Handle


def open_both_ends(session: SftpSession, path: bytes) -> None:
    """Open it for a moment: to read and write at once, which waits for nobody (fifo(7)). The session is closed.

    Raises:
        OpenSSHError: the server did not answer.
    """
    with closing(session):
        reply = session.call(wire.Open(path, wire.READ | wire.WRITE, wire.NO_ATTRIBUTES))
        if isinstance(reply, Handle):
            session.call(wire.Close(reply.handle))
