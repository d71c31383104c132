"""One session, as paramiko's Channel shows it: bytes in, bytes out, an exit status."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from openssh_core import CommandTimeout, OpenSSHError, RemoteProcess

from ._input import Input
from ._output import Output
from .buffered_pipe import BufferedPipe, PipeTimeout
from .file import BufferedFile
from .util import ClosingContextManager

if TYPE_CHECKING:
    from .transport import Transport

__all__ = ["Channel", "ChannelFile", "ChannelStderrFile", "ChannelStdinFile"]

Sendable = str | bytes | bytearray | memoryview

_numbers = count()


class Channel(ClosingContextManager):
    """A session on the server. Made by `SSHClient.exec_command`; thread-safe.

    Attributes:
        chanid: a number for messages; what the protocol calls the session is the core's business.
        transport: the connection it belongs to, which lives as long as this does.
        eof_sent: whether the end of input was sent.
        active: True, as in paramiko from the moment it is open.
    """

    active = True

    def __init__(self, transport: Transport, process: RemoteProcess, output: Output) -> None:
        self.transport = transport
        self.chanid = next(_numbers)
        self.eof_sent = False
        self._process = process
        self._output = output
        assert process.stdin is not None
        self._input = Input(process.stdin)
        self._closed = False
        self._timeout: float | None = None

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.Channel {self.chanid} ({'closed' if self.closed else 'open'})>"

    def __del__(self) -> None:
        if hasattr(self, "_input"):
            self._input.close()
            if not self._finished():
                # A finaliser may run anywhere, with any lock held: somebody else closes it, soon.
                self.transport.abandon(self._process)

    # ---- receiving

    @property
    def in_buffer(self) -> BufferedPipe:
        """What has arrived on stdout and was not read; `len()` tells how much."""
        return self._output.stdout

    @property
    def in_stderr_buffer(self) -> BufferedPipe:
        """The same of stderr."""
        return self._output.stderr

    def recv(self, nbytes: int) -> bytes:
        """Up to `nbytes` bytes of stdout; b"" at its end.

        Raises:
            TimeoutError: nothing came in time (`settimeout`). It is socket.timeout.
        """
        return self.receive(self._output.stdout, nbytes)

    def recv_stderr(self, nbytes: int) -> bytes:
        """The same of stderr."""
        return self.receive(self._output.stderr, nbytes)

    def receive(self, stream: BufferedPipe, nbytes: int | None) -> bytes:
        """Up to `nbytes` bytes of a stream, None: all to its end."""
        try:
            return self._output.read(stream, nbytes, self._timeout)
        except PipeTimeout:
            raise TimeoutError from None

    def recv_ready(self) -> bool:
        """Whether there is something on stdout."""
        return self._output.stdout.read_ready()

    def recv_stderr_ready(self) -> bool:
        """Whether there is something on stderr."""
        return self._output.stderr.read_ready()

    def set_combine_stderr(self, combine: bool) -> bool:
        """Have stderr come on stdout; whether it did before. What of it is unread moves, too."""
        return self._output.combine(combine)

    @property
    def combine_stderr(self) -> bool:
        return self._output.combined

    @property
    def eof_received(self) -> bool:
        """Whether no more output will come; what came may be unread."""
        return self._output.ended

    def fileno(self) -> int:
        """A descriptor for `select`: readable while there is something to read on stdout or stderr, or at the end."""
        return self._output.fileno()

    # ---- sending

    def send(self, s: Sendable) -> int:
        """Send what there is room for; how many bytes that was.

        Raises:
            TimeoutError: there was no room in time (`settimeout`).
            OSError: the channel is closed, `shutdown_write` was called, or the command reads no more.
        """
        return self._input.send(_bytes(s), self._timeout)

    def sendall(self, s: Sendable) -> None:
        """Send all of it. Raises as `send` does; how much was sent then is not known."""
        left = memoryview(_bytes(s))
        while left:
            left = left[self._input.send(left, self._timeout) :]

    def send_ready(self) -> bool:
        """Whether `send` would send something at once."""
        return self._input.ready()

    def shutdown(self, how: int) -> None:
        """0: no more reading, which needs nothing done; 1: `shutdown_write`; 2: both."""
        if how in (1, 2):
            self.shutdown_write()

    def shutdown_write(self) -> None:
        """Send the end of input."""
        self.eof_sent = True
        self._input.close()

    # ---- waiting

    def settimeout(self, timeout: float | None) -> None:
        """How many seconds sending and receiving may wait; None for ever, 0 not at all."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, blocking: bool) -> None:
        """`settimeout(None)` or `settimeout(0)`."""
        self._timeout = None if blocking else 0.0

    # ---- the end

    @property
    def closed(self) -> bool:
        """Whether it is over: closed here, or the command has ended and its output is complete."""
        return self._closed or self._finished()

    @property
    def exit_status(self) -> int:
        """The exit status; -1 while it is not known, after death by a signal, and when it will never be known."""
        code = self._process.returncode
        return -1 if code is None or self._process.signal is not None else code

    def exit_status_ready(self) -> bool:
        """Whether `recv_exit_status` would return at once."""
        # Programs ask this again and again until the command ends; for that its output must have somewhere to go.
        self._output.make_room(unless_read=True)
        return self._closed or self._ended()

    def recv_exit_status(self) -> int:
        """Wait for the end of the command, however much of its output is unread; see `exit_status`."""
        self._output.make_room()
        self.wait_for_exit(None)
        return self.exit_status

    @property
    def status_event(self) -> StatusEvent:
        """Waits for the exit status: `channel.status_event.wait(timeout)`."""
        return StatusEvent(self)

    def wait_for_exit(self, timeout: float | None) -> bool:
        """Wait for the end of the command, or of the channel; False when `timeout` seconds have passed first."""
        try:
            self._process.wait(timeout)
        except CommandTimeout:
            return False
        except OpenSSHError:
            pass  # closed here, or the connection is lost: -1 says so
        return True

    def close(self) -> None:
        """Close it. What still runs on the server is not signalled. Idempotent."""
        if not self._closed:
            self._input.close()
            if not self._finished():
                self._process.close()
            self._output.close()
            self._closed = True

    def _ended(self) -> bool:
        try:
            return self._process.poll() is not None
        except OpenSSHError:
            return True

    def _finished(self) -> bool:
        return self._output.ended and self._ended()

    # ---- the rest

    def makefile(self, mode: str = "r", bufsize: int = -1) -> ChannelFile:
        """A file over stdout and stdin; closing it does not close the channel."""
        return ChannelFile(self, mode, bufsize)

    def makefile_stderr(self, mode: str = "r", bufsize: int = -1) -> ChannelStderrFile:
        """A file over stderr."""
        return ChannelStderrFile(self, mode, bufsize)

    def makefile_stdin(self, mode: str = "r", bufsize: int = -1) -> ChannelStdinFile:
        """A file over stdin; closing it sends the end of input."""
        return ChannelStdinFile(self, mode, bufsize)

    def resize_pty(self, width: int = 80, height: int = 24, width_pixels: int = 0, height_pixels: int = 0) -> None:
        """Tell the command that its terminal has another size, in characters."""
        self._process.resize(width, height)

    def get_transport(self) -> Transport:
        return self.transport

    def get_id(self) -> int:
        return self.chanid


class StatusEvent:
    """What of a threading.Event makes sense for an exit status."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the command; False when `timeout` seconds have passed first."""
        self._channel.in_buffer.make_room()
        self._channel.in_stderr_buffer.make_room()
        return self._channel.wait_for_exit(timeout)

    def is_set(self) -> bool:
        return self._channel.exit_status_ready()

    isSet = is_set  # the old name is still used


class ChannelFile(BufferedFile):
    """A file over stdout (reading) and stdin (writing) of a channel.

    Attributes:
        channel: the channel, which is not closed with the file.
    """

    def __init__(self, channel: Channel, mode: str = "r", bufsize: int = -1) -> None:
        super().__init__(mode, bufsize)
        self.channel = channel

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.{type(self).__name__} from {self.channel!r}>"

    def _read(self, size: int | None) -> bytes:
        return self.channel.receive(self.channel.in_buffer, size)

    def _write(self, data: bytes) -> None:
        self.channel.sendall(data)


class ChannelStderrFile(ChannelFile):
    """A file over stderr of a channel."""

    def _read(self, size: int | None) -> bytes:
        return self.channel.receive(self.channel.in_stderr_buffer, size)

    def _write(self, data: bytes) -> None:
        raise OSError("a client cannot write to stderr")


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


def _bytes(data: Sendable) -> bytes | memoryview:
    return data.encode("utf-8") if isinstance(data, str) else memoryview(data).cast("B")
