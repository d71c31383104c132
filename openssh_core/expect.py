"""A remote program that is talked with in the words of pexpect.

What `expect` and its kin do is pexpect's own, from its `SpawnBase`; here is how to read, write and end what runs on
the other machine. Everything that `pexpect.spawn` asks the local kernel, this asks the connection.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

import pexpect
from pexpect.spawnbase import SpawnBase

from ._io.deadline import Deadline
from .errors import CommandTimeout, OpenSSHError, SignalNotDelivered
from .options import Pty
from .process import RemoteProcess

__all__ = ["RemoteSpawn"]

# Keys that are no letters, with Ctrl.
_CONTROLS = {"@": 0, "`": 0, "[": 27, "{": 27, "\\": 28, "|": 28, "]": 29, "}": 29, "^": 30, "~": 30, "_": 31, "?": 127}


if TYPE_CHECKING:
    _SpawnBase = SpawnBase[Any]
else:
    _SpawnBase = SpawnBase


class RemoteSpawn(_SpawnBase):
    """A program on a terminal of the other machine. Made by `Connection.expect`; a context manager.

    It has what a `pexpect.spawn` has, but for what would need the other terminal's settings here (`getecho`, `setecho`,
    `waitnoecho`).

    Args:
        process: a command with a terminal, started with stdin=SOCKET and stdout=SOCKET; None: it follows by `attach`.
        pty: its terminal.
        timeout, maxread, searchwindowsize, logfile, encoding, codec_errors: as for `pexpect.spawn`.

    Attributes:
        process: the handle on it.
        exitstatus, signalstatus: how it ended, once `isalive`, `wait` or `close` has noticed.
    """

    STDIN_FILENO = 0
    STDOUT_FILENO = 1

    # What pexpect has for its own kinds of spawn.
    _encoder: Any
    _decoder: Any
    _log: Callable[[Any, str], None]
    _coerce_send_string: Callable[[Any], Any]

    def __init__(
        self,
        process: RemoteProcess | None,
        pty: Pty,
        *,
        timeout: float | None = 30,
        maxread: int = 2000,
        searchwindowsize: int | None = None,
        logfile: IO[Any] | None = None,
        encoding: str | None = None,
        codec_errors: str = "strict",
    ) -> None:
        super().__init__(
            timeout=timeout,
            maxread=maxread,
            searchwindowsize=searchwindowsize,
            logfile=logfile,
            encoding=encoding,
            codec_errors=codec_errors,
        )
        self._pty = pty
        self.closed = True
        self.terminated = True
        if process is not None:
            self.attach(process, pty)

    def attach(self, process: RemoteProcess, pty: Pty) -> None:
        """What it is about from now on. For an object that was made without."""
        assert process.socket is not None
        self.process = process
        self.name = f"<{process!r}>"
        self.args = None
        self.command = process.command
        self.child_fd = process.socket.fileno()
        self.pid = process.pid
        self.closed = False
        self.terminated = False
        self._socket: socket.socket = process.socket
        self._pty = pty

    def __str__(self) -> str:
        shown = {name: getattr(self, name) for name in ("process", "buffer", "before", "after", "match", "exitstatus")}
        return "\n".join([repr(self), *(f"{name}: {value!r}" for name, value in shown.items())])

    def fileno(self) -> int:
        """The descriptor of the socket that its terminal is at the other end of."""
        return self.child_fd

    def isatty(self) -> bool:
        """It always has a terminal."""
        return not self.closed

    # ---- reading and writing

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> Any:
        """At most `size` characters of its output.

        Args:
            timeout: seconds to wait for the first one; None: for ever, -1: the object's own.

        Raises:
            pexpect.TIMEOUT: nothing came.
            pexpect.EOF: nothing more will come.
        """
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        deadline = Deadline.after(self.timeout if timeout == -1 else timeout)
        left = deadline.left()
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(None if left is None else left * 1000):
            raise pexpect.TIMEOUT("Timeout exceeded.")
        data = self._socket.recv(size)
        text = self._decoder.decode(data, final=not data)
        if not data and not text:
            self.flag_eof = True
            raise pexpect.EOF("End Of File (EOF).")
        self._log(text, "read")
        return text

    def eof(self) -> bool:
        """Whether its output has ended."""
        return self.flag_eof

    def send(self, s: str | bytes) -> int:
        """Type something; the number of bytes sent."""
        if self.delaybeforesend is not None:
            time.sleep(self.delaybeforesend)
        s = self._coerce_send_string(s)
        self._log(s, "send")
        data = self._encoder.encode(s, final=False)
        try:
            self._socket.sendall(data)
        except BrokenPipeError:
            raise pexpect.EOF(f"{self.process!r} does not read any more") from None
        return len(data)

    def sendline(self, s: str | bytes = "") -> int:
        """Type a line."""
        return self.send(self._coerce_send_string(s) + self.linesep)

    def write(self, s: str | bytes) -> None:
        """Type something."""
        self.send(s)

    def writelines(self, sequence: Iterable[str | bytes]) -> None:
        """Type several things; nothing is added between them."""
        for s in sequence:
            self.write(s)

    def sendcontrol(self, char: str) -> int:
        """Type a key with Ctrl; 0 when there is no such key."""
        char = char.lower()
        code = ord(char) - ord("a") + 1 if "a" <= char <= "z" else _CONTROLS.get(char)
        return 0 if code is None else self._send_key(code)

    def sendeof(self) -> None:
        """Type what ends the input, at the beginning of a line: Ctrl-D, unless somebody has changed it there."""
        self._send_key(4)

    def sendintr(self) -> None:
        """Type what interrupts: Ctrl-C, unless somebody has changed it there."""
        self._send_key(3)

    def _send_key(self, code: int) -> int:
        key = bytes([code])
        return self.send(key if self.encoding is None else key.decode("ascii"))

    # ---- the size of its window

    def getwinsize(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._pty.rows, self._pty.columns

    def setwinsize(self, rows: int, cols: int) -> None:
        """Give it another size. Nothing comes of it through a master that is somebody else's."""
        self._resize(self._pty.replace(rows=rows, columns=cols))

    def _resize(self, pty: Pty) -> None:
        self._pty = pty
        self.process.resize(pty.columns, pty.rows)

    # ---- how it is, and ending it

    def isalive(self) -> bool:
        """Whether it still runs. What is not known any more, because the connection was lost, does not."""
        try:
            self._notice(self.process.poll())
        except OpenSSHError:
            self.terminated = True
        return not self.terminated

    def wait(self) -> int | None:
        """Wait for its end; the exit status, None when a signal ended it. Read its output first: it may wait for that.

        Raises:
            ConnectionLost, ExitStatusMissing: how it ended will never be known.
        """
        self._notice(self.process.wait())
        return self.exitstatus

    def _notice(self, code: int | None) -> None:
        if code is None or self.terminated:
            return
        self.terminated = True
        if code < 0:
            self.signalstatus = self.status = -code
        else:
            self.exitstatus = code
            self.status = code << 8

    def kill(self, sig: int) -> None:
        """Signal its process group; nothing happens when it has ended.

        Raises:
            SignalNotDelivered: there is no way to.
        """
        self.process.send_signal(sig)

    def terminate(self, force: bool = False) -> bool:
        """End it: hang up, interrupt, and with `force` kill; whether it is gone."""
        signals = [signal.SIGHUP, signal.SIGCONT, signal.SIGINT, *([signal.SIGKILL] if force else [])]
        if self.flag_eof and self.isalive():
            # Its terminal is at its end, so it is about to say how it ended.
            with contextlib.suppress(CommandTimeout, OpenSSHError):
                self._notice(self.process.wait(self._patience()))
        for sig in signals:
            if not self.isalive():
                return True
            try:
                self.kill(sig)
            except SignalNotDelivered:
                break  # no other will be; `close` hangs its terminal up
            with contextlib.suppress(CommandTimeout, OpenSSHError):
                self._notice(self.process.wait(0 if sig == signal.SIGCONT else self._patience()))
        return not self.isalive()

    def _patience(self) -> float:
        # Its output may have to be out before it can end; a round trip at least.
        return max(self.delayafterterminate or 0.0, 0.5)

    def close(self, force: bool = True) -> None:
        """Hang up: end it and let go of it. Idempotent.

        Args:
            force: kill it if it does not care.

        Raises:
            pexpect.ExceptionPexpect: it still runs; only with force=False.
        """
        if self.closed:
            return
        gone = self.terminate(force)
        self.closed = True
        self.child_fd = -1
        self.process.close()
        if not gone and not force:
            raise pexpect.ExceptionPexpect(f"{self.process!r} did not end")

    # ---- a person takes over

    def interact(
        self,
        escape_character: str | None = chr(29),
        input_filter: Callable[[bytes], bytes] | None = None,
        output_filter: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Hand this program's terminal over to it, until it ends or the escape character is typed.

        Args:
            escape_character: ends this, not the program; default: Ctrl-]. None for none.
            input_filter, output_filter: given what was typed or came, as bytes; return what to send or show.
        """
        from . import terminal

        self.write_to_stdout(self.buffer)
        self.stdout.flush()
        self.buffer = self.string_type()
        escape = None if escape_character is None else escape_character.encode("latin-1")

        def keys(typed: bytes) -> bytes:
            typed = input_filter(typed) if input_filter else typed
            if escape is not None and escape in typed:
                before = typed[: typed.rindex(escape)]
                self._socket.settimeout(None)
                self._socket.sendall(before)
                raise terminal.Left
            return typed

        stdin, stdout = self.STDIN_FILENO, self.STDOUT_FILENO
        self._resize(terminal.local_pty(stdin))
        with contextlib.suppress(terminal.Left):
            terminal.hand_over(
                self._socket,
                stdin=stdin,
                stdout=stdout,
                keys=keys,
                output=output_filter or bytes,
                resized=self._resize,
            )
