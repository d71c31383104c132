"""`stdin=`, `stdout=` and `stderr=`, in subprocess's words, made into streams for a session.

Each descriptor has one owner at each moment. Until the session has taken its ends, a failure closes everything.
"""

from __future__ import annotations

import os
import stat
from typing import IO, Any

from ._backends.base import Output, Piped, Streams
from ._io.copier import Copier
from ._io.feed import Feed
from ._io.sinks import Collect, Discard, ToFile
from .errors import InvalidInput

__all__ = ["DEVNULL", "PIPE", "STDOUT", "Destination", "Feed", "Redirect"]

# The numbers that subprocess uses, so that its constants work here.
PIPE = -1
STDOUT = -2
DEVNULL = -3

Redirect = int | IO[Any] | None
Destination = int | IO[Any] | Feed | None


class Plumbing:
    """A session's streams and what stays with the caller.

    Attributes:
        streams: for the session, which owns the descriptors in it from its start on.
        stdin, stdout, stderr: the caller's ends of pipes, None where there is no pipe.
        collected: what keeps output in memory, by name.
        redirected: whether output goes to descriptors of the caller.
        copiers: threads that carry output to descriptors of the caller.
        write_errors: what went wrong on the way to a file.
    """

    def __init__(self) -> None:
        self.streams = Streams(None, Discard(), Discard())
        self.stdin: int | None = None
        self.stdout: int | None = None
        self.stderr: int | None = None
        self.collected: dict[str, Collect] = {}
        self.redirected = False
        self.copiers: list[Copier] = []
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

    def __enter__(self) -> Plumber:
        return self

    def __exit__(self, *_error: object) -> None:
        while self._ours:
            os.close(self._ours.pop())

    def done(self) -> Plumbing:
        """The result; from here on the session and the caller own what is in it."""
        self._ours.clear()
        return self._plumbing

    def stdin(self, where: Redirect, data: bytes | None) -> None:
        """Where input comes from; `data` is sent as it is."""
        if data is not None:
            if where not in (None, PIPE):
                raise InvalidInput("stdin= and input= were both given", advice="Give one of them")
            self._plumbing.streams.stdin = data
        elif where == PIPE:
            read_end, write_end = self._pipe()
            self._plumbing.stdin = write_end
            self._plumbing.streams.stdin = Piped(read_end)
        elif where is not None and where != DEVNULL:
            self._plumbing.streams.stdin = Piped(self._copy_of(where, "stdin"), shared=True)

    def stdout(self, where: Destination) -> None:
        if where == STDOUT:
            raise InvalidInput("stdout=STDOUT makes no sense", advice="STDOUT is for stderr=")
        self._plumbing.streams.stdout = self._output("stdout", where, 1)

    def stderr(self, where: Destination) -> None:
        if where == STDOUT:
            self._plumbing.streams.stderr = self._same_as_stdout()
        else:
            self._plumbing.streams.stderr = self._output("stderr", where, 2)

    def _output(self, name: str, where: Destination, inherited: int) -> Output:
        if isinstance(where, Feed):
            return where
        if where == DEVNULL:
            return Discard()
        if where == PIPE and self._capture:
            return self._plumbing.collected.setdefault(name, Collect())
        if where == PIPE:
            read_end, write_end = self._pipe()
            setattr(self._plumbing, name, read_end)
            return Piped(write_end)
        return self._onto(self._copy_of(inherited if where is None else where, name))

    def _onto(self, fd: int) -> Output:
        """Output that ends up on a descriptor of the caller; `fd` is our copy of it."""
        self._plumbing.redirected = True
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return ToFile(fd, self._plumbing.write_errors.append)
        copier = Copier(fd)
        self._ours.discard(fd)
        self._plumbing.copiers.append(copier)
        return Piped(self._keep(copier.write_end))

    def _same_as_stdout(self) -> Output:
        """The remote shell merges the two. What a server itself says on stderr still has to go somewhere."""
        stdout = self._plumbing.streams.stdout
        if isinstance(stdout, Piped):
            return Piped(self._keep(os.dup(stdout.fd)))
        if isinstance(stdout, Feed):
            return stdout.beside()
        return stdout

    def _pipe(self) -> tuple[int, int]:
        read_end, write_end = os.pipe()
        return self._keep(read_end), self._keep(write_end)

    def _copy_of(self, where: int | IO[Any], name: str) -> int:
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
