"""A session of the server as the end of a channel: a command, a shell or a subsystem, once it was started."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from openssh_core import CommandTimeout, OpenSSHError, Pty, RemoteProcess

from ._input import Input
from ._output import Output
from .buffered_pipe import BufferedPipe
from .ssh_exception import SSHException

if TYPE_CHECKING:
    from ._end import Buffer

__all__ = ["SessionEnd"]

# What starts something in a session; gives the process.
Starter = Callable[["SessionEnd"], RemoteProcess]


class SessionEnd:
    """One session.

    Args:
        abandon: is given a process that nobody holds any more, to close it a little later.

    Attributes:
        output: what comes; there before anything was started, as programs make files over it early.
        pty, environment, forward_agent, forward_x11: for what will be started.
        open_timeout: seconds the server may take to have a session for it; None for no limit of its own.
    """

    def __init__(self, abandon: Callable[[RemoteProcess], None], open_timeout: float | None = None) -> None:
        self.output = Output()
        self.pty: Pty | None = None
        self.environment: dict[str, str] = {}
        self.forward_agent = self.forward_x11 = False
        self.open_timeout = open_timeout
        self._abandon = abandon
        self._lock = threading.Lock()
        self._process: RemoteProcess | None = None
        self._input: Input | None = None
        self._input_ended = False
        self._closed = False

    def start(self, starter: Starter) -> None:
        """Start what runs in it.

        Raises:
            SSHException: something runs in it already, or it was closed; and what the starter raises.
        """
        with self._lock:
            if self._process is not None or self._closed:
                raise SSHException("Channel closed.")
            try:
                process = starter(self)
            except SSHException:
                # As in paramiko: what was refused once is closed.
                self._closed = True
                self.output.close()
                raise
            assert process.stdin is not None
            self._process, self._input = process, Input(process.stdin)
        if self._input_ended:
            self._input.close()

    @property
    def started(self) -> bool:
        return self._process is not None

    def resize(self, columns: int, rows: int, width_pixels: int, height_pixels: int) -> None:
        """Tell it another size of its terminal; what was not started yet begins with that."""
        if self._process is not None:
            self._process.resize(columns, rows, width_pixels, height_pixels)
        elif self.pty is not None:
            self.pty = Pty(self.pty.term, columns, rows, width_pixels, height_pixels)

    # ---- as an end

    @property
    def stdout(self) -> BufferedPipe:
        return self.output.stdout

    @property
    def stderr(self) -> BufferedPipe:
        return self.output.stderr

    def read(self, stream: Buffer, nbytes: int | None, timeout: float | None) -> bytes:
        assert isinstance(stream, BufferedPipe)
        return self.output.read(stream, nbytes, timeout)

    def send(self, data: bytes | memoryview, timeout: float | None) -> int:
        if self._input is None:
            if self._closed or self._input_ended:
                raise OSError("Socket is closed")
            raise SSHException("nothing runs on this channel yet: call exec_command() or invoke_shell() first")
        return self._input.send(data, timeout)

    def send_ready(self) -> bool:
        return self._input is not None and self._input.ready()

    def shutdown_write(self) -> None:
        self._input_ended = True
        if self._input is not None:
            self._input.close()

    def fileno(self) -> int:
        return self.output.fileno()

    @property
    def eof(self) -> bool:
        return self.output.ended

    @property
    def finished(self) -> bool:
        return self._closed or (self._process is not None and self.output.ended and self._ended())

    @property
    def status(self) -> int:
        process = self._process
        if process is None or process.signal is not None:
            return -1
        code = process.returncode
        return -1 if code is None else code

    def make_room(self, *, unless_read: bool = False) -> None:
        self.output.make_room(unless_read=unless_read)

    def over(self) -> bool:
        return self._closed or (self._process is not None and self._ended())

    def wait(self, timeout: float | None) -> bool:
        if self._process is None:
            if not self._closed:
                raise SSHException("nothing runs on this channel yet: call exec_command() or invoke_shell() first")
            return True
        try:
            self._process.wait(timeout)
        except CommandTimeout:
            return False
        except OpenSSHError:
            pass  # closed here, or the connection is lost: -1 says so
        return True

    def _ended(self) -> bool:
        assert self._process is not None
        try:
            return self._process.poll() is not None
        except OpenSSHError:
            return True

    def close(self) -> None:
        """What still runs on the server is not signalled."""
        if self._closed:
            return
        was_over = self.finished
        self._closed = True
        if self._input is not None:
            self._input.close()
        if self._process is not None and not was_over:
            self._process.close()
        self.output.close()

    def let_go(self) -> None:
        if self._input is not None:
            self._input.close()
        if self._process is not None and not self.finished:
            self._abandon(self._process)
