"""Output line by line, while the command runs: both streams in the order in which they came.

The lines wait in memory only up to a limit; then the server is made to wait.
"""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._cli.quoting import Word
from .._io.deadline import Deadline
from ..errors import CommandTimeout, InvalidInput, OpenSSHError, SignalNotDelivered
from ..process import RemoteProcess
from ..redirect import STDOUT, Feed, Redirect
from ..results import CompletedCommand
from ..running import Limits
from .commands import ENCODING, Commands, Encoding

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .call_options import LineOptions, StartOptions

# Bytes that may wait to be read before the server is told to wait, and what must be left for it to go on.
_MUCH = 1_048_576
_LITTLE = _MUCH // 2
# A line longer than this comes in pieces: nobody knows whether it will ever end.
_LONGEST = 1_048_576
# Seconds a killed process may take until it is gone.
_END_PATIENCE = 2.0


class Line(NamedTuple):
    """A line of output.

    Attributes:
        stream: `stdout` or `stderr`.
        text: without its newline; bytes with encoding=None.
    """

    stream: str
    text: str | bytes


class _Mailbox:
    """Pieces of output on their way from the thread that serves the connection to the one that reads them."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self._queue: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        # Each has one writer.
        self._come = 0
        self._taken = 0

    def feed(self, name: str) -> Feed:
        feed = self.feeds[name] = Feed(lambda piece: self._put(name, piece))
        return feed

    def _put(self, name: str, piece: bytes) -> None:
        # Paused before it can be taken: whoever takes it resumes, and never too early.
        if self._come + len(piece) - self._taken > _MUCH and (feed := self.feeds.get(name)) is not None:
            feed.pause()
        self._come += len(piece)
        self._queue.put((name, piece))

    def take(self, patience: float | None) -> tuple[str, bytes]:
        """The next piece, empty at a stream's end.

        Raises:
            Empty: none came in time.
        """
        name, piece = self._queue.get(timeout=patience)
        self._taken += len(piece)
        if not piece:
            self.feeds.pop(name, None)
        if self._come - self._taken < _LITTLE:
            for feed in list(self.feeds.values()):
                feed.resume()
        return name, piece


class _Splitter:
    """One stream, cut into lines."""

    def __init__(self, encoding: str | None, errors: str) -> None:
        self._decoder: io.IncrementalNewlineDecoder | None = None
        if encoding is not None:
            # Newlines as Python has them, even where one comes in two pieces.
            self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
        self._rest: Any = b"" if encoding is None else ""
        self._newline: Any = b"\n" if encoding is None else "\n"

    def split(self, piece: bytes) -> list[Any]:
        """The lines that are complete now; after the last piece, which is empty, the rest."""
        new: Any = piece if self._decoder is None else self._decoder.decode(piece, final=not piece)
        lines: list[Any]
        *lines, rest = (self._rest + new).split(self._newline)
        if len(rest) > _LONGEST or (not piece and rest):
            lines.append(rest)
            rest = rest[:0]
        self._rest = rest
        return lines


class LineReader:
    """The lines of a running command; made by `Connection.iter_lines`. An iterator, and a context manager.

    Whoever leaves a `with` block before the end, or calls `close`, ends the command: its process group is killed.

    Attributes:
        process: the command.
    """

    def __init__(
        self, process: RemoteProcess, mailbox: _Mailbox, limits: Limits, check: bool, how: tuple[str | None, str]
    ) -> None:
        self.process = process
        self._mailbox = mailbox
        self._limits = limits
        self._deadline = Deadline.after(limits.timeout)
        self._check = check
        self._splitters = {name: _Splitter(*how) for name in mailbox.feeds}
        self._ready: deque[Line] = deque()

    def __iter__(self) -> LineReader:
        return self

    def __next__(self) -> Line:
        while not self._ready:
            if not self._mailbox.feeds:
                self.wait()
                raise StopIteration
            try:
                name, piece = self._next_piece()
                self._ready.extend(Line(name, line) for line in self._splitters[name].split(piece))
            except BaseException:
                self.close()
                raise
        return self._ready.popleft()

    def _next_piece(self) -> tuple[str, bytes]:
        idle, left = self._limits.idle_timeout, self._deadline.left()
        by_idleness = idle is not None and (left is None or idle < left)
        try:
            return self._mailbox.take(idle if by_idleness else left)
        except Empty:
            pass
        seconds = (idle if by_idleness else self._limits.timeout) or 0.0
        killed = self._kill()
        fate = {True: "was killed", False: "still runs there", None: "may still run there"}[killed]
        raise CommandTimeout(
            f"the command {'put nothing out' if by_idleness else 'did not end'} within {seconds:g} s and {fate}",
            host=self.process.host,
            command=self.process.command,
            limit="idle_timeout" if by_idleness else "timeout",
            seconds=seconds,
            killed=killed,
        )

    def wait(self) -> CompletedCommand:
        """How the command ended. Its output is in the lines: read them first.

        Raises:
            CommandFailed: with check=True, it ended with another status than 0.
            CommandTimeout: it runs longer than its `timeout`; it goes on.
            ConnectionLost, ExitStatusMissing: how it ended is not known.
        """
        process = self.process
        code = process.wait(self._deadline.left())
        done = CompletedCommand(process.command, code, signal=process.signal, host=process.host)
        return done.check() if self._check else done

    def close(self) -> None:
        """End the command, if it has not ended by itself. Idempotent."""
        if self._mailbox.feeds:
            self._mailbox.feeds.clear()
            self._kill()

    def _kill(self) -> bool | None:
        """Whether it is known to be gone."""
        killed: bool | None = None
        try:
            self.process.kill()
            self.process.wait(_END_PATIENCE)
            killed = True
        except SignalNotDelivered:
            killed = False
        except OpenSSHError:
            pass
        self.process.close()
        return killed

    def __enter__(self) -> LineReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        # Somebody broke out of the loop. A finaliser may not wait, so this only lets go: what still writes will notice.
        mailbox = getattr(self, "_mailbox", None)
        if mailbox is not None and mailbox.feeds:
            self.process.close()


class Lines(Commands):
    """The part of a connection that reads output line by line."""

    def iter_lines(
        self,
        *command: Word | Sequence[Word],
        stdin: Redirect = None,
        stderr: int | None = None,
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        check: bool = True,
        **options: Unpack[StartOptions],
    ) -> LineReader:
        """Start a command and read its output line by line.

            with host.iter_lines("journalctl", "-f") as lines:
                for stream, line in lines:
                    ...

        Lines of both streams come in the order in which they arrived; the end of the loop is the end of both streams
        and of the command. A line of more than a mebibyte comes in pieces. While nobody reads, the server is made to
        wait.

        Args:
            command, encoding, errors: as for `run`.
            stdin: as for `popen`, but for PIPE and SOCKET.
            stderr: STDOUT to have one stream of both.
            timeout: seconds for the whole loop.
            idle_timeout: seconds in which some output has to come.
            check: raise at the end when it ended with another status than 0.
            options: env, cwd, pty and what else says how `run` starts a command.

        Raises:
            CommandTimeout: from the loop: a limit passed; the remote process group was killed.
            CommandFailed: from the loop's end, with check=True.
            ConnectionLost, ExitStatusMissing: from the loop's end: how it ended is not known.
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        limits = Limits(timeout, idle_timeout)
        if stderr not in (None, STDOUT):
            raise InvalidInput("stderr= can only be STDOUT here", advice="Use popen for other destinations")
        mailbox = _Mailbox()
        how = self._coding(encoding, errors)
        process = self.popen(
            *command,
            stdin=stdin,
            stdout=mailbox.feed("stdout"),
            stderr=mailbox.feed("stderr") if stderr is None else STDOUT,
            encoding=None,
            **options,
        )
        return LineReader(process, mailbox, limits, check, how)

    def follow(
        self,
        *command: Word | Sequence[Word],
        on_stdout: Callable[[Any], object] | None = None,
        on_stderr: Callable[[Any], object] | None = None,
        check: bool = False,
        **options: Unpack[LineOptions],
    ) -> CompletedCommand:
        """Run a command, and call functions with the lines of its output as they come.

        Args:
            command: as for `run`.
            on_stdout, on_stderr: called with each line, without its newline, in this thread. What they raise ends the
                command (its process group is killed) and comes out here.
            check: raise when it ended with another status than 0.
            options: what else `iter_lines` takes, but for `check`.

        Returns:
            How it ended; `stdout` and `stderr` are None.

        Raises:
            CommandFailed: with check=True; everything else as for `iter_lines`.
        """
        calls = {"stdout": on_stdout, "stderr": on_stderr}
        with self.iter_lines(*command, check=False, **options) as lines:
            for stream, line in lines:
                if (call := calls[stream]) is not None:
                    call(line)
            done = lines.wait()
        return done.check() if check else done
