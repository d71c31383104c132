"""Files over the streams of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .file import BufferedFile

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["ChannelFile", "ChannelStderrFile", "ChannelStdinFile"]


class ChannelFile(BufferedFile):
    """A file over stdout (reading) and stdin (writing) of a channel.

    Attributes:
        channel: the channel, which is not closed with the file.
    """

    def __init__(self, channel: Channel, mode: str = "r", bufsize: int = -1) -> None:
        super().__init__()
        self.channel = channel
        self._set_mode(mode, bufsize)

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.{type(self).__name__} from {self.channel!r}>"

    def _read(self, size: int) -> bytes:
        return self.channel.recv(size)

    def _read_all(self) -> bytes:
        return self.channel.receive(self.channel.in_buffer, None)

    def _write(self, data: bytes) -> None:
        self.channel.sendall(data)


class ChannelStderrFile(ChannelFile):
    """A file over stderr of a channel."""

    def _read(self, size: int) -> bytes:
        return self.channel.recv_stderr(size)

    def _read_all(self) -> bytes:
        return self.channel.receive(self.channel.in_stderr_buffer, None)

    def _write(self, data: bytes) -> None:
        self.channel.sendall_stderr(data)


class ChannelStdinFile(ChannelFile):
    """A file over stdin of a channel. Closing it, or letting go of it, sends the end of input."""

    def close(self) -> None:
        super().close()
        self.channel.shutdown_write()

    def __del__(self) -> None:
        # As in paramiko: after `_, stdout, _ = client.exec_command("cat")` the command sees the end of its input.
        if not self._closed:
            self._closed = True
            self.channel.shutdown_write()


# Where the original has them.
for _kind in (ChannelFile, ChannelStderrFile, ChannelStdinFile):
    _kind.__module__ = f"{__package__}.channel"
