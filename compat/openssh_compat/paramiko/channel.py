"""Channels, as paramiko shows them: bytes in, bytes out, an exit status."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from openssh_core import Pty

from .._shim import refused
from ._channel_file import ChannelFile, ChannelStderrFile, ChannelStdinFile
from ._end import Buffer, End
from ._lent import lend
from ._sendable import Sendable, as_bytes, as_text, whole_characters
from ._session_end import SessionEnd
from ._socket_end import SocketEnd
from .buffered_pipe import PipeTimeout
from .ssh_exception import SSHException
from .util import ClosingContextManager, log_as

if TYPE_CHECKING:
    from .transport import Transport

__all__ = ["Channel", "ChannelFile", "ChannelStderrFile", "ChannelStdinFile"]

F = TypeVar("F", bound=Callable[..., Any])

_numbers = count()


class Channel(ClosingContextManager):
    """A session on the server, or a tunnel through it. Made by a `Transport`; thread-safe.

    Attributes:
        chanid, remote_chanid: a number for messages; what the protocol calls it is the core's business.
        transport: the connection it belongs to, which lives as long as this does.
        origin_addr: of a connection that came to the server: from where, as (address, port).
        eof_sent: whether the end of input was sent.
        active: True, as in paramiko from the moment it is open.
    """

    active = True

    def __init__(
        self, transport: Transport, end: End | None = None, origin_addr: tuple[str, int] | None = None
    ) -> None:
        self.transport = transport
        self.chanid = self.remote_chanid = next(_numbers)
        self.origin_addr = origin_addr
        self.eof_sent = False
        self.timeout: float | None = None
        self._name = str(self.chanid)
        # Without an end it is one that was never opened: tests of other people's make such.
        self._end = SessionEnd(lambda _process: None) if end is None else end
        self._closed = False

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.Channel {self.chanid} ({'closed' if self.closed else 'open'})>"

    def __del__(self) -> None:
        if hasattr(self, "_end") and not self._closed:
            self._end.let_go()

    # ---- starting something

    def _session(self) -> SessionEnd:
        """The session, as long as nothing runs in it."""
        _check_open(self)
        if not isinstance(self._end, SessionEnd):
            raise SSHException("this channel is no session")
        if self._end.started:
            raise SSHException("Channel closed.")
        return self._end

    def get_pty(
        self, term: str = "vt100", width: int = 80, height: int = 24, width_pixels: int = 0, height_pixels: int = 0
    ) -> None:
        """A terminal for what will run. Before `exec_command` or `invoke_shell`.

        Args:
            width, height: in characters; width_pixels, height_pixels: in pixels.
        """
        term = term.decode() if isinstance(term, bytes) else term
        self._session().pty = Pty(term, int(width), int(height), int(width_pixels), int(height_pixels))

    def update_environment(self, environment: Mapping[str, str]) -> None:
        """Variables for what will run. What the server does not take, the shell sets."""
        self._session().environment.update({as_text(name): as_text(value) for name, value in environment.items()})

    def set_environment_variable(self, name: str, value: str) -> None:
        """One variable; see `update_environment`."""
        self.update_environment({name: value})

    def exec_command(self, command: str | bytes) -> None:
        """Run a command.

        Raises:
            ChannelException: the server opens no session.
            SSHException: something runs on this channel already, or the server does not run it.
        """
        self._session().start(self.transport.starter(as_text(command), None))

    def invoke_shell(self) -> None:
        """Run the account's shell. Raises as `exec_command` does."""
        self._session().start(self.transport.starter(None, None))

    def invoke_subsystem(self, subsystem: str) -> None:
        """Run a subsystem, such as `sftp` or `netconf`. Raises as `exec_command` does."""
        self._session().start(self.transport.starter(None, as_text(subsystem)))

    def request_forward_agent(self, handler: Callable[[Channel], Any]) -> bool:
        """Let what will run here use our agent. ssh must have been told before: see `SSHClient.forward_agent`.

        Args:
            handler: never called; ssh itself takes what is said to and fro.

        Raises:
            NotImplementedError: it was not told.
        """
        if not self.transport.forward_agent:
            raise NotImplementedError(
                "ssh was not told to forward the agent: set client.forward_agent = True before connect()"
            )
        self._session().forward_agent = True
        return True

    def request_x11(
        self,
        screen_number: int = 0,
        auth_protocol: str | None = None,
        auth_cookie: str | bytes | None = None,
        single_connection: bool = False,
        handler: Callable[..., Any] | None = None,
    ) -> str:
        """Let what will run here show its windows on our display. ssh must have been told before: see
        `SSHClient.forward_x11`. Nothing comes to `Transport.accept`.

        Args:
            screen_number: 0; ssh takes the one that DISPLAY names.
            auth_protocol, auth_cookie, single_connection: change nothing; ssh makes up a ticket of its own.
            handler: never called; ssh itself takes what is said to and fro.

        Returns:
            `auth_cookie`, empty without.

        Raises:
            NotImplementedError: it was not told.
            SSHException: there is no display here (DISPLAY).
        """
        if not self.transport.forward_x11:
            raise NotImplementedError(
                "request_x11() needs an ssh that was told so: set client.forward_x11 = True before connect(). "
                "It then shows the windows on this program's DISPLAY, and no handler gets the channels"
            )
        if not os.environ.get("DISPLAY"):
            raise SSHException("there is no display that could be forwarded: DISPLAY is not set")
        self._session().forward_x11 = True
        return as_text(auth_cookie or "")

    # ---- receiving

    @property
    def in_buffer(self) -> Buffer:
        """What has arrived on stdout and was not read; `len()` tells how much."""
        return self._end.stdout

    @property
    def in_stderr_buffer(self) -> Buffer:
        """The same of stderr."""
        return self._end.stderr

    def recv(self, nbytes: int) -> bytes:
        """Up to `nbytes` bytes of stdout; b"" at its end.

        Raises:
            TimeoutError: nothing came in time (`settimeout`). It is socket.timeout.
        """
        return self.receive(self._end.stdout, nbytes)

    def recv_stderr(self, nbytes: int) -> bytes:
        """The same of stderr."""
        return self.receive(self._end.stderr, nbytes)

    def receive(self, stream: Buffer, nbytes: int | None) -> bytes:
        """Up to `nbytes` bytes of a stream, None: all to its end."""
        if nbytes is not None and nbytes < 0:
            raise ValueError("negative buffersize in recv")
        try:
            return self._end.read(stream, nbytes, self.timeout)
        except PipeTimeout:
            raise TimeoutError from None

    def recv_ready(self) -> bool:
        """Whether there is something on stdout."""
        return self._end.stdout.read_ready()

    def recv_stderr_ready(self) -> bool:
        """Whether there is something on stderr."""
        return self._end.stderr.read_ready()

    def set_combine_stderr(self, combine: bool) -> bool:
        """Have stderr come on stdout; whether it did before. What of it is unread moves, too."""
        return isinstance(self._end, SessionEnd) and self._end.output.combine(combine)

    @property
    def combine_stderr(self) -> bool:
        return isinstance(self._end, SessionEnd) and self._end.output.combined

    @property
    def eof_received(self) -> bool:
        """Whether no more output will come; what came may be unread."""
        return self._end.eof

    def fileno(self) -> int:
        """A descriptor for `select`: readable while there is something to read on stdout or stderr, or at the end."""
        return self._end.fileno()

    # ---- sending

    def send(self, s: Sendable) -> int:
        """Send what there is room for; how many bytes that was, of text: how many characters.

        Raises:
            TimeoutError: there was no room in time (`settimeout`).
            OSError: the channel is closed, `shutdown_write` was called, or the command reads no more.
        """
        data = as_bytes(s)
        sent = self._end.send(data, self.timeout)
        return whole_characters(data, sent, lambda rest: self._end.send(rest, None)) if isinstance(s, str) else sent

    def sendall(self, s: Sendable) -> None:
        """Send all of it. Raises as `send` does; how much was sent then is not known."""
        left = memoryview(as_bytes(s))
        while left:
            left = left[self._end.send(left, self.timeout) :]

    def send_ready(self) -> bool:
        """Whether `send` would not wait: it would send something, or raise."""
        return self.closed or self.eof_sent or self._end.send_ready()

    @refused
    def send_stderr(self, s: Sendable) -> NoReturn:
        """For servers. Raises NotImplementedError."""
        raise NotImplementedError("a client sends nothing on stderr; openssh_compat has no server")

    sendall_stderr = send_stderr

    @refused
    def send_exit_status(self, status: int) -> NoReturn:
        """For servers. Raises NotImplementedError."""
        raise NotImplementedError("a client sends no exit status; openssh_compat has no server")

    def shutdown(self, how: int) -> None:
        """0: no more reading, which needs nothing done; 1: `shutdown_write`; 2: both."""
        if how in (1, 2):
            self.shutdown_write()

    def shutdown_read(self) -> None:
        """Nothing more will be read here; what comes is kept all the same."""
        self.shutdown(0)

    def shutdown_write(self) -> None:
        """Send the end of input."""
        self.eof_sent = True
        self._end.shutdown_write()

    # ---- waiting

    def settimeout(self, timeout: float | None) -> None:
        """How many seconds sending and receiving may wait; None for ever, 0 not at all."""
        self.timeout = timeout

    def gettimeout(self) -> float | None:
        return self.timeout

    def setblocking(self, blocking: bool) -> None:
        """`settimeout(None)` or `settimeout(0)`."""
        self.timeout = None if blocking else 0.0

    # ---- the end

    @property
    def closed(self) -> bool:
        """Whether it is over: closed here, or the command has ended and its output is complete."""
        return self._closed or self._end.finished

    @property
    def exit_status(self) -> int:
        """The exit status; -1 while it is not known, after death by a signal, and when it will never be known."""
        return self._end.status

    def exit_status_ready(self) -> bool:
        """Whether `recv_exit_status` would return at once."""
        # Programs ask this again and again until the command ends; for that its output must have somewhere to go.
        self._end.make_room(unless_read=True)
        return self._closed or self._end.over()

    def recv_exit_status(self) -> int:
        """Wait for the end of the command, however much of its output is unread; see `exit_status`."""
        self._end.make_room()
        self._end.wait(None)
        return self._end.status

    @property
    def status_event(self) -> StatusEvent:
        """Waits for the exit status: `channel.status_event.wait(timeout)`."""
        return StatusEvent(self._end)

    def close(self) -> None:
        """Close it. What still runs on the server is not signalled. Idempotent."""
        if not self._closed:
            self._end.close()
            self._closed = True

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
        """Tell the command that its terminal has another size. What was sent before arrives before that.

        Args:
            width, height: in characters; width_pixels, height_pixels: in pixels.

        Raises:
            SSHException: the channel is closed, or the command has ended.
        """
        _check_open(self)
        if isinstance(self._end, SessionEnd):
            self._end.resize(int(width), int(height), int(width_pixels), int(height_pixels))

    def get_transport(self) -> Transport:
        return self.transport

    def get_id(self) -> int:
        return self.chanid

    def set_name(self, name: str) -> None:
        """A name for messages."""
        self._name = name

    def get_name(self) -> str:
        return self._name

    def getpeername(self) -> tuple[Any, ...]:
        """The server's address and port."""
        return self.transport.getpeername()

    def reopener(self) -> Callable[[], socket.socket] | None:
        """What connects to the same once more, for a tunnel that another connection goes over; None for others."""
        return self._end.again if isinstance(self._end, SocketEnd) else None

    def detach(self) -> socket.socket:
        """The socket of a tunnel, for another connection that goes over it. It ends when both have closed it."""
        assert isinstance(self._end, SocketEnd)
        return self._end.copy()

    def _log(self, level: int, msg: str, *args: object) -> None:
        log_as("paramiko.transport", level, f"[chan {self._name}] {msg}", *args)


def _check_open(channel: Channel) -> None:
    if channel.closed or channel.eof_received:
        raise SSHException("Channel is not open")


def open_only(func: F) -> F:
    """Decorator for methods of a channel: SSHException when it is closed, or either side has ended."""

    @functools.wraps(func)
    def check(self: Channel, *args: Any, **named: Any) -> Any:
        _check_open(self)
        if self.eof_sent:
            raise SSHException("Channel is not open")
        return func(self, *args, **named)

    return cast("F", check)


class StatusEvent:
    """What of a threading.Event makes sense for an exit status."""

    def __init__(self, end: End) -> None:
        self._end = end

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the command; False when `timeout` seconds have passed first."""
        self._end.make_room()
        return self._end.wait(timeout)

    def is_set(self) -> bool:
        self._end.make_room(unless_read=True)
        return self._end.over()

    isSet = is_set  # the old name is still used


lend(__name__)
