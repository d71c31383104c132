"""`stdin=`, `stdout=` and `stderr=`, in subprocess's words, made into streams for a session.

Each descriptor has one owner at each moment. Until the session has taken its ends, a failure closes everything.
"""

from __future__ import annotations

import os
import socket
import stat
from typing import IO, Any

from ._backends.base import KeptOpen, Output, Piped, Streams
from ._io.feed import Feed
from ._io.outlet import Outlet
from ._io.sinks import Collect, Discard, ToFile
from .errors import InvalidInput

__all__ = ["DEVNULL", "KEEP_OPEN", "PIPE", "SOCKET", "STDOUT", "Destination", "Feed", "Redirect"]

# The numbers that subprocess uses, so that its constants work here.
PIPE = -1
STDOUT = -2
DEVNULL = -3
# And two that it does not have: one socket for stdin and stdout, and an input that ends when the command does.
SOCKET = -4
KEEP_OPEN = -5

Redirect = int | IO[Any] | socket.socket | os.PathLike[str] | None
Destination = int | IO[Any] | socket.socket | os.PathLike[str] | Feed | None


class Plumbing:
    """A session's streams and what stays with the caller.

    Attributes:
        streams: for the session, which owns the descriptors in it from its start on.
        stdin, stdout, stderr: the caller's ends of pipes, None where there is no pipe.
        socket: the caller's end of a socket for stdin and stdout, None where there is none.
        collected: what keeps output in memory, by name.
        redirected: whether output goes to descriptors of the caller.
        outlets: what writes output to descriptors of the caller.
        write_errors: what went wrong on the way to a file.
    """

    def __init__(self) -> None:
        self.streams = Streams(None, Discard(), Discard())
        self.stdin: int | None = None
        self.stdout: int | None = None
        self.stderr: int | None = None
        self.socket: socket.socket | None = None
        self.collected: dict[str, Collect] = {}
        self.redirected = False
        self.outlets: list[Outlet] = []
        self.write_errors: list[OSError] = []


class Plumber:
    """Builds a `Plumbing`. A context manager: without `done`, leaving it closes every descriptor made so far.

    Args:
        capture: PIPE means memory instead of a pipe.
    """

    def __init__(self, *, capture: bool) -> None:
        self._capture = capture
        self._plumbing = Plumbing()
        self._ours: set[int] = set()
        self._socket: socket.socket | None = None

    def __enter__(self) -> Plumber:
        return self

    def __exit__(self, *_error: object) -> None:
        while self._ours:
            os.close(self._ours.pop())
        if self._socket is not None:
            self._socket.close()

    def done(self) -> Plumbing:
        """The result; from here on the session and the caller own what is in it."""
        if self._plumbing.socket is not self._socket:
            raise _half_a_socket()
        self._ours.clear()
        self._socket = None
        return self._plumbing

    def stdin(self, where: Redirect, data: bytes | None) -> None:
        """Where input comes from; `data` is sent as it is."""
        if where == KEEP_OPEN:
            self._plumbing.streams.stdin = KeptOpen(data or b"")
        elif data is not None:
            if where not in (None, PIPE):
                raise InvalidInput("stdin= and input= were both given", advice="Give one of them")
            self._plumbing.streams.stdin = data
        elif where == SOCKET:
            self._plumbing.streams.stdin = Piped(self._socket_end())
        elif where == PIPE:
            # Whoever waits for the end has nobody to write into it: an empty input, as subprocess.run makes of it.
            if not self._capture:
                read_end, write_end = self._pipe()
                self._plumbing.stdin = write_end
                self._plumbing.streams.stdin = Piped(read_end)
        elif where is not None and where != DEVNULL:
            self._plumbing.streams.stdin = Piped(self._copy_of(where, "stdin", os.O_RDONLY), shared=True)

    def stdout(self, where: Destination) -> None:
        if where == STDOUT:
            raise InvalidInput("stdout=STDOUT makes no sense", advice="STDOUT is for stderr=")
        if where == SOCKET:
            if self._socket is None:
                raise _half_a_socket()
            self._plumbing.streams.stdout = Piped(self._socket_end())
            self._plumbing.socket = self._socket
        else:
            self._plumbing.streams.stdout = self._output("stdout", where, 1)

    def stderr(self, where: Destination) -> None:
        if where == STDOUT:
            self._plumbing.streams.stderr = self._same_as_stdout()
        else:
            self._plumbing.streams.stderr = self._output("stderr", where, 2)

    def _output(self, name: str, where: Destination, inherited: int) -> Output:
        if isinstance(where, Feed):
            return where
        if where in (SOCKET, KEEP_OPEN):
            raise InvalidInput(f"{name}= cannot be that", advice="SOCKET is for stdin and stdout, KEEP_OPEN for stdin")
        if where == DEVNULL:
            return Discard()
        if where == PIPE and self._capture:
            return self._plumbing.collected.setdefault(name, Collect())
        if where == PIPE:
            read_end, write_end = self._pipe()
            setattr(self._plumbing, name, read_end)
            return Piped(write_end)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return self._onto(self._copy_of(inherited if where is None else where, name, flags))

    def _onto(self, fd: int) -> Output:
        """Output that ends up on a descriptor of the caller; `fd` is our copy of it."""
        self._plumbing.redirected = True
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return ToFile(fd, self._plumbing.write_errors.append)
        outlet = Outlet(fd)
        self._plumbing.outlets.append(outlet)
        return outlet

    def _same_as_stdout(self) -> Output:
        """The remote shell merges the two. What a server itself says on stderr still has to go somewhere."""
        stdout = self._plumbing.streams.stdout
        if isinstance(stdout, Piped):
            return Piped(self._keep(os.dup(stdout.fd)))
        if isinstance(stdout, Feed | Outlet):
            return stdout.beside()
        return stdout

    def _pipe(self) -> tuple[int, int]:
        read_end, write_end = os.pipe()
        return self._keep(read_end), self._keep(write_end)

    def _socket_end(self) -> int:
        """The session's descriptor for the socket; each stream has one of its own."""
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            return self._keep(theirs.detach())
        stdin = self._plumbing.streams.stdin
        assert isinstance(stdin, Piped)
        return self._keep(os.dup(stdin.fd))

    def _copy_of(self, where: int | IO[Any] | socket.socket | os.PathLike[str], name: str, flags: int) -> int:
        if isinstance(where, os.PathLike):
            return self._keep(os.open(where, flags, 0o666))
        try:
            fd = where if isinstance(where, int) else where.fileno()
            return self._keep(os.dup(fd))
        except (AttributeError, OSError, ValueError) as error:
            raise InvalidInput(
                f"{name}={where!r} has no file descriptor ({error})", advice="Use PIPE and copy what comes yourself"
            ) from error

    def _keep(self, fd: int) -> int:
        self._ours.add(fd)
        return fd


def _half_a_socket() -> InvalidInput:
    return InvalidInput("SOCKET is for stdin= and stdout= together", advice="Give it for both, or use PIPE")
