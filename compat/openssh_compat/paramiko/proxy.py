"""A command whose input and output take the place of a connection (ProxyCommand in ssh_config(5))."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
from time import monotonic

from ._lent import lend
from .ssh_exception import ProxyCommandFailure
from .util import ClosingContextManager

__all__ = ["ProxyCommand"]

# Seconds from SIGTERM to SIGKILL.
_PATIENCE = 1.0


class ProxyCommand(ClosingContextManager):
    """A command that was started, with the face of a socket. Given to `connect(sock=...)`, it is what ssh goes through.

    Args:
        command_line: the command; split as a shell would, but run without one, as paramiko does.

    Attributes:
        cmd: its words.
        process: the running command.
        timeout: seconds `recv` waits; None for ever.
    """

    def __init__(self, command_line: str) -> None:
        self.cmd = shlex.split(command_line)
        self.process = subprocess.Popen(
            self.cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.timeout: float | None = None

    def send(self, content: bytes) -> int:
        """Give it something.

        Raises:
            ProxyCommandFailure: it does not read any more.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(content)
        except (OSError, ValueError) as error:  # ValueError: it was closed here
            raise self._failure(error) from error
        return len(content)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of what it puts out, as many as come before the timeout; fewer at its end.

        Raises:
            TimeoutError: nothing came. It is socket.timeout.
            ProxyCommandFailure: reading failed.
        """
        assert self.process.stdout is not None
        until = None if self.timeout is None else monotonic() + self.timeout
        data = b""
        try:
            while len(data) < size:
                left = None if until is None else max(until - monotonic(), 0)
                if not select.select([self.process.stdout], [], [], left)[0]:
                    if data:
                        break
                    raise TimeoutError
                piece = os.read(self.process.stdout.fileno(), size - len(data))
                if not piece:
                    break
                data += piece
        except TimeoutError:
            if not data:
                raise
        except (OSError, ValueError) as error:
            raise self._failure(error) from error
        return data

    def _failure(self, error: Exception) -> ProxyCommandFailure:
        return ProxyCommandFailure(" ".join(self.cmd), getattr(error, "strerror", None) or str(error))

    def close(self) -> None:
        """End it: SIGTERM, and SIGKILL a second later. Idempotent."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self.process.returncode is not None

    @property
    def _closed(self) -> bool:
        return self.closed

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = timeout


lend(__name__)
