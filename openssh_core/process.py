"""The handle on a remote command, in the words of subprocess.Popen."""

from __future__ import annotations

import io
import os
import warnings
import weakref
from types import TracebackType
from typing import IO, Any

from ._backends.base import Session
from ._io import text
from ._io.deadline import Deadline
from ._io.exchange import Exchange
from ._io.reactor import get_reactor
from .callbacks import Callbacks
from .errors import CommandTimeout, InvalidInput
from .options import Pty
from .redirect import Plumbing
from .results import Command, CompletedCommand, undecodable
from .signals import signal_name

__all__ = ["RemoteProcess"]

# Seconds a signal may take to be delivered: a round trip, or a session of its own.
SIGNAL_PATIENCE = 10.0
# Seconds the last output of an ended process is waited for, when it goes to a file of the caller's. A process in
# the background may hold the stream open for ever.
OUTPUT_PATIENCE = 1.0


class RemoteProcess(Callbacks):
    """A command on the other machine.

    Made by `Connection.popen`. A context manager: leaving it closes the pipes and waits for the end.

    Attributes:
        command: as the caller gave it.
        host: the destination as the caller named it.
        forgotten: whether nobody will ask how it ended; it is then collected without a warning.
        stdin, stdout, stderr: files over real pipes (text, or bytes with encoding=None), None where none was asked for.
        socket: one for stdin and stdout, with stdin=SOCKET and stdout=SOCKET; None without.
    """

    def __init__(
        self,
        session: Session,
        plumbing: Plumbing,
        *,
        command: Command,
        host: str,
        encoding: str | None,
        errors: str,
        bufsize: int = -1,
    ) -> None:
        self._session = session
        self._plumbing = plumbing
        self.command = command
        self.host = host
        self._encoding = encoding
        self._errors = errors
        self._exchange: Exchange | None = None
        self.forgotten = False
        self.stdin: IO[Any] | None = self._file(plumbing.stdin, "wb", bufsize)
        self.stdout: IO[Any] | None = self._file(plumbing.stdout, "rb", bufsize)
        self.stderr: IO[Any] | None = self._file(plumbing.stderr, "rb", bufsize)
        self.socket = plumbing.socket
        session.owner = weakref.ref(self)

    def _file(self, fd: int | None, mode: str, bufsize: int) -> IO[Any] | None:
        if fd is None:
            return None
        binary = open(fd, mode, -1 if bufsize == 1 else bufsize)
        if self._encoding is None:
            return binary
        line_buffered = bufsize == 1
        return io.TextIOWrapper(
            binary,
            encoding=self._encoding,
            errors=self._errors,
            line_buffering=line_buffered,
            write_through=mode == "wb" and not line_buffered,
        )

    def __repr__(self) -> str:
        state = "running" if self._session.exit is None else f"returncode {self.returncode}"
        return f"<RemoteProcess {self.command!r} on {self.host}: {state}>"

    def __enter__(self) -> RemoteProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._close_files()
        finally:
            # How it ended is for `wait` and `poll` to say; here nobody has asked.
            if kind is None or not issubclass(kind, KeyboardInterrupt):
                self._session.wait_exited(None)
                self._deliver_output()

    def __del__(self) -> None:
        session = getattr(self, "_session", None)
        if session is not None and session.exit is None and session.error is None and not self.forgotten:
            warnings.warn(f"{self!r} was never waited for", ResourceWarning, stacklevel=2, source=self)

    # ---- how it is

    @property
    def pid(self) -> int | None:
        """The remote process id, where it is known."""
        return self._session.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, -N for death by signal N, None while it runs."""
        end = self._session.exit
        return None if end is None else end.returncode

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended it, without SIG."""
        end = self._session.exit
        return None if end is None else end.signal

    def poll(self) -> int | None:
        """The return code, None while it runs.

        Raises:
            ConnectionLost, ExitStatusMissing: nothing more can be known of it.
        """
        if self.returncode is None:
            self._raise_error()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the command to end.

        Args:
            timeout: seconds; when they have passed the command goes on.

        Raises:
            CommandTimeout: it still runs.
            ConnectionLost, ExitStatusMissing: how it ended will never be known.
        """
        deadline = Deadline.after(timeout)
        if not self._session.wait_exited(deadline.left()):
            raise self._timed_out(timeout)
        self._deliver_output()
        if self._plumbing.write_errors:
            raise self._plumbing.write_errors[0]
        code = self.returncode
        if code is None:
            self._raise_error()
        assert code is not None
        return code

    def _deliver_output(self) -> None:
        """See that output for descriptors of the caller has arrived there, as it would have at home."""
        if self._plumbing.redirected:
            self._session.wait_closed(OUTPUT_PATIENCE)
            for outlet in self._plumbing.outlets:
                outlet.join(OUTPUT_PATIENCE)

    def _raise_error(self) -> None:
        if self._session.error is not None:
            raise self._session.error

    def _timed_out(
        self, timeout: float | None, *, stdout: str | bytes | None = None, stderr: str | bytes | None = None
    ) -> CommandTimeout:
        return CommandTimeout(
            f"the command still runs after {timeout or 0:g} s",
            host=self.host,
            command=self.command,
            limit="wait",
            seconds=timeout or 0.0,
            killed=False,
            stdout=stdout,
            stderr=stderr,
        )

    # ---- talking to it

    def communicate(
        self, input: str | bytes | None = None, timeout: float | None = None
    ) -> tuple[str | bytes | None, str | bytes | None]:
        """Send `input`, read everything, wait for the end.

        Args:
            input: for the command's standard input (needs stdin=PIPE).
            timeout: seconds; when they have passed the command goes on, and communicate may be called again.

        Returns:
            stdout and stderr, None where they are no pipes.

        Raises:
            CommandTimeout: it still runs; carries the output so far.
            UndecodableOutput: with errors="strict"; carries the bytes.
        """
        if input is not None and self.stdin is None:
            raise InvalidInput("input= needs stdin=PIPE", advice="Start the command with stdin=PIPE")
        deadline = Deadline.after(timeout)
        if self._exchange is None:
            data = text.encode(input or b"", self._encoding, self._errors)
            self._exchange = Exchange(self.stdin, self.stdout, self.stderr, data)
        if not self._exchange.go_on(deadline) or not self._session.wait_exited(deadline.left()):
            raise self._timed_out(timeout, stdout=self._output("stdout"), stderr=self._output("stderr"))
        code = self.wait()
        try:
            return self._output("stdout", strict=True), self._output("stderr", strict=True)
        except UnicodeDecodeError as problem:
            out, err = self._exchange.output("stdout"), self._exchange.output("stderr")
            done = CompletedCommand(self.command, code, out, err, self.signal, self.host)
            raise undecodable(done, self._encoding, problem) from problem

    def _output(self, name: str, *, strict: bool = False) -> str | bytes | None:
        """In an error, what cannot be made into text does not hide what else went wrong: only `strict` raises."""
        data = self._exchange.output(name) if self._exchange is not None else None
        try:
            return None if data is None else text.decode(data, self._encoding, self._errors)
        except UnicodeDecodeError:
            if strict:
                raise
            return data

    # ---- ending it

    def send_signal(self, sig: int | str) -> None:
        """Signal the command's process group; nothing happens when it has ended.

        Args:
            sig: a number of this system, or a name with or without SIG.

        Raises:
            SignalNotDelivered: the server refuses signals (RFC 4254 section 6.9), and there is no other way.
            InvalidInput: no such signal.
        """
        self._session.signal(signal_name(sig), SIGNAL_PATIENCE)

    def terminate(self) -> None:
        """SIGTERM to the command's process group."""
        self.send_signal("TERM")

    def kill(self) -> None:
        """SIGKILL to the command's process group."""
        self.send_signal("KILL")

    def resize(self, columns: int, rows: int, width_pixels: int = 0, height_pixels: int = 0) -> None:
        """Tell a command with a pty that its terminal has another size now (RFC 4254 section 6.7).

        It hears of that after what was written to its stdin before, and before what is written afterwards. What is
        still in the buffer of `stdin` was not written yet: flush it.

        Args:
            columns, rows: in characters.
            width_pixels, height_pixels: the same in pixels, where that is known.
        """
        self._session.resize(
            Pty(columns=columns, rows=rows, width_pixels=width_pixels, height_pixels=height_pixels),
        )

    def leave(self) -> None:
        """Nobody is going to wait for it: that is no mistake, and no warning is given."""
        self.forgotten = True

    def close(self) -> None:
        """Give up on it: close pipes and channel. What runs on the other machine is not signalled.

        A command that has not begun yet still begins, and one that goes on keeps its place among the server's
        `MaxSessions` until it ends; when such commands have every place, the next one is refused after 10 seconds.
        Where the server passes no signals the channel is closed as soon as the remote shell has begun, after 30 seconds
        at the latest.
        """
        self.forgotten = True
        # Not the other way round: the end of its input could let the command end as if all were well.
        self._session.close()
        self._close_files()

    def let_go(self) -> None:
        """The same as `close`, for finalisers: they may run anywhere, with any lock held. Its pipes are closed by
        `close`, or when they are collected."""
        self.forgotten = True
        get_reactor().submit(self._session.close)

    def _close_files(self) -> None:
        for file in (self.stdout, self.stderr, self.stdin, self.socket):
            if file is not None:
                try:
                    file.close()
                except BrokenPipeError:
                    pass  # it ended without reading everything

    def abandon(self) -> None:
        """In a forked child: let go of the parent's pipes. A copy held here would keep an end of file from being seen.

        The numbers stay taken, because file objects here still think them theirs.
        """
        nothing = os.open(os.devnull, os.O_RDWR)
        for file in (self.stdin, self.stdout, self.stderr, self.socket):
            # A closed socket has -1 for a number, a closed file has none.
            number = -1 if file is None or getattr(file, "closed", False) else file.fileno()
            if number >= 0:
                os.dup2(nothing, number, inheritable=False)
        os.close(nothing)
