"""The channel of an SFTP client: what programs ask of it, answered by the core's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openssh_core.sftp import SFTPClient as CoreClient

from .buffered_pipe import BufferedPipe
from .channel import Channel

if TYPE_CHECKING:
    from ._end import Buffer
    from .transport import Transport

__all__ = ["SFTPChannel"]

_NOT_BY_HAND = "this channel is the SFTP client's: what goes over it is the core's business"


class SftpEnd:
    """A session of files as the end of a channel: it can be closed, and nothing else."""

    status = -1

    def __init__(self, core: CoreClient) -> None:
        self.core = core
        self.stdout = BufferedPipe()
        self.stderr = BufferedPipe()

    def read(self, stream: Buffer, nbytes: int | None, timeout: float | None) -> bytes:
        raise OSError(_NOT_BY_HAND)

    def send(self, data: bytes | memoryview, timeout: float | None) -> int:
        raise OSError(_NOT_BY_HAND)

    def send_ready(self) -> bool:
        return not self.finished

    def shutdown_write(self) -> None:
        self.close()

    def fileno(self) -> int:
        raise OSError(_NOT_BY_HAND)

    @property
    def eof(self) -> bool:
        return self.core.closed

    @property
    def finished(self) -> bool:
        return self.core.closed

    def make_room(self, *, unless_read: bool = False) -> None:
        pass

    def over(self) -> bool:
        return self.core.closed

    def wait(self, timeout: float | None) -> bool:
        return self.core.closed

    def close(self) -> None:
        self.core.close()

    def let_go(self) -> None:
        pass  # the core's client is collected by itself


class SFTPChannel(Channel):
    """The channel of a client that was made from a transport.

    Attributes:
        core: the core's client.
    """

    def __init__(self, transport: Transport, core: CoreClient) -> None:
        super().__init__(transport, SftpEnd(core))
        self.core = core

    def settimeout(self, timeout: float | None) -> None:
        """Seconds without any progress after which an operation gives up; None for ever."""
        super().settimeout(timeout)
        self.core.timeout = timeout
