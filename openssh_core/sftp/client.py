"""All parts of an SFTP client in one object."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

from ..master import Master
from .files import Files
from .names import NamesAndLinks
from .opening import SocketLike, open_over, open_subsystem
from .searching import Searching
from .transfers import Transfers

if TYPE_CHECKING:
    from typing_extensions import Self

# Seconds.
TIMEOUT = 60.0
# The same, for a session that only helps another one.
_ANOTHER = 5.0


class SFTPClient(Files, Searching, NamesAndLinks, Transfers):
    """Files on another machine, over SFTP version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions.

    Made by `Connection.sftp`, or by `over`. A context manager. Thread-safe: any number of threads may share one; each
    waits for its own answers only. After a fork it stays the parent's.

    Paths are `str`, `bytes`, or anything with `__fspath__`. Names that are no UTF-8 are text with surrogates, as
    everywhere in Python (`os.fsencode`).
    """

    @classmethod
    def of_master(cls, master: Master, *, host: str, subsystem: str = "sftp", timeout: float | None = TIMEOUT) -> Self:
        """For `Connection.sftp`, which says what the arguments are."""
        make = partial(open_subsystem, master, host=host, subsystem=subsystem)
        client = cls(make(timeout=timeout))
        client._another = partial(make, timeout=_ANOTHER)
        return client

    @classmethod
    def over(
        cls, carrier: socket.socket | int | SocketLike, *, host: str = "", timeout: float | None = TIMEOUT
    ) -> Self:
        """A client over anything that carries bytes to an SFTP server.

        Args:
            carrier: a stream socket, its descriptor, or an object with `recv`, `send` and `close`. It becomes the
                client's own.
            host: for error messages.
            timeout: as for `Connection.sftp`.

        Raises:
            SFTPProtocolError: whoever is at the other end speaks no SFTP, or another version than 3.
            ConnectionLost: nobody is there.
            SFTPTimeout: no answer.
        """
        return cls(open_over(carrier, host=host, timeout=timeout))
