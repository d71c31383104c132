"""The connection, as far as this version shows it: what `SSHClient.get_transport()` gives."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Mapping

from openssh_core import PIPE, Connection, InvalidInput, OpenSSHError, Pty, RemoteProcess

from .._shim import not_yet
from ._failures import session_error
from ._output import Output
from .channel import Channel

__all__ = ["Transport"]


class Transport:
    """A connection that is logged in. Thread-safe.

    Attributes:
        connection: the core's own, which can do much more.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._processes: set[RemoteProcess] = set()
        self._abandoned: deque[RemoteProcess] = deque()

    def __repr__(self) -> str:
        return f"<openssh_compat.paramiko.Transport over {self.connection!r}>"

    def is_active(self) -> bool:
        """Whether the master process is there and answers. Costs a question to it."""
        try:
            self.connection.check()
        except OpenSSHError:
            return False
        return True

    @property
    def active(self) -> bool:
        return self.is_active()

    def is_authenticated(self) -> bool:
        """The same as `is_active`: there is no connection before the login."""
        return self.is_active()

    def set_keepalive(self, interval: int) -> None:
        """Nothing to do: ssh(1) looks after 15 seconds of silence whether the server is there, from the start."""

    open_session = not_yet("Transport.open_session", "SSHClient.exec_command()")
    open_channel = not_yet("Transport.open_channel")
    open_sftp_client = not_yet("Transport.open_sftp_client")
    request_port_forward = not_yet("Transport.request_port_forward")
    cancel_port_forward = not_yet("Transport.cancel_port_forward")
    accept = not_yet("Transport.accept")

    def close(self) -> None:
        """End the connection. What still runs on the server is not signalled. Idempotent."""
        left, self._processes = self._processes, set()
        for process in left:
            process.close()
        for process in left:
            # What is still open when the connection is closed would be signalled.
            with contextlib.suppress(OpenSSHError):
                process.wait()
        self.connection.close()

    # ---- for this package

    def start(self, command: str, pty: Pty | None, environment: Mapping[str, str] | None) -> Channel:
        """Start a command.

        Raises:
            SSHException, ChannelException: it could not be.
            ValueError: it never can be.
        """
        self._close_abandoned()
        output = Output()
        try:
            process = self.connection.popen(
                command,
                stdin=PIPE,
                stdout=output.stdout.source(),
                stderr=output.stderr.source(),
                env=environment,
                pty=pty,
                encoding=None,
                bufsize=0,
            )
        except InvalidInput:
            raise
        except OpenSSHError as error:
            raise session_error(error) from error
        # Held here while they run, so that one whose channel is forgotten is closed in order, and not by the collector.
        self._processes.add(process)
        for one in list(self._processes):
            if one.returncode is not None:
                self._processes.discard(one)
        return Channel(self, process, output)

    def abandon(self, process: RemoteProcess) -> None:
        """Close a process a little later; may be called by a finaliser."""
        self._abandoned.append(process)

    def _close_abandoned(self) -> None:
        while self._abandoned:
            process = self._abandoned.popleft()
            process.close()
            self._processes.discard(process)
