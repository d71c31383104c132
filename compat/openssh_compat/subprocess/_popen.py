"""A process on the host, as subprocess has it.

It is a subprocess.Popen by class, and what that does with pipes (communicate, text, closing) is used as it stands:
these are real pipes. What it does with the process is replaced, all of it.
"""

from __future__ import annotations

import fcntl
import subprocess as _local
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import IO, Any, ClassVar

import openssh_core

from ._binding import bound
from ._failures import ConnectionLost, ExitStatusMissing, translated
from ._order import Order

__all__ = ["Popen"]


class Popen(_local.Popen[Any]):
    """A command on the host. `on(host).Popen(...)`, or `Popen(...)` where a host is bound; arguments of the original.

    Args:
        handshake: False spares the host's report of the start: a program that is not there is the status 127.
        extra_env: variables on top of what a login there gets.

    Attributes:
        args: as given.
        stdin, stdout, stderr: files over real pipes where PIPE was asked for.
        pid: the process id on the host. Nothing for os.kill: that would be a process of this machine.
        returncode: the exit status, -N for a signal, None until `poll` or `wait` has seen the end.
    """

    _remote: ClassVar[Any] = None
    # Numbers, or None.
    pid: Any
    returncode: Any

    def __init__(self, *args: Any, **named: Any) -> None:
        order = self._order = self._which_remote().order(*args, **named)
        self.args = order.args
        self.stdin = self.stdout = self.stderr = None
        self.pid = None  # it stays None without the handshake
        self.returncode = None
        self.encoding, self.errors = order.encoding, order.errors
        self.pipesize = order.pipesize
        self.text_mode = bool(order.coding)
        # The original's other methods look at these.
        self._input: Any = None
        self._communication_started = False
        self._has_told = False
        self._waitpid_lock = threading.Lock()
        # After Ctrl-C the process, which got it, too, has a moment to end.
        self._sigint_wait_secs = 0.25
        self._execute_child(order)

    @classmethod
    def _which_remote(cls) -> Any:
        if cls._remote is not None:
            return cls._remote
        return bound()

    def _execute_child(self, order: Order) -> None:
        program = order.program()
        try:
            with translated():
                process = order.host.popen(program, bufsize=order.bufsize, **order.options())
        except (openssh_core.ProgramNotStarted, openssh_core.CommandTooLong) as error:
            raise order.not_started(error) from error
        self._process = process
        self.pid = process.pid
        files = [process.stdin, process.stdout, process.stderr]
        if order.pipesize > 0:
            _set_size([file for file in files if file is not None], order.pipesize)
        self.stdin = order.wrapped(process.stdin, writes=True)
        self.stdout = order.wrapped(process.stdout)
        self.stderr = order.wrapped(process.stderr)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        nobody_knows = kind is None and not self._has_told
        try:
            super().__exit__(kind, error, tb)
            self._release()
        except (ConnectionLost, ExitStatusMissing):
            # A return code of None could pass for success. But what is known already is not to hide what happened.
            if nobody_knows:
                raise

    def _release(self) -> None:
        """Give the session back. What the command has left running may hold its streams, which nobody reads now."""
        wanted = (self._order.stdout, self._order.stderr)
        if all(where in (_local.PIPE, _local.STDOUT, _local.DEVNULL) for where in wanted):
            self._process.close()

    def __del__(self, *_anything: Any) -> None:
        pass  # the core's process warns by itself when nobody waited for it

    # ---- how it is; the original's public methods call these

    def _internal_poll(self, *_anything: Any, **_more: Any) -> int | None:
        if self.returncode is None:
            with self._telling():
                self.returncode = self._process.poll()
        return self.returncode  # type: ignore[no-any-return]

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            try:
                with self._telling():
                    self.returncode = self._process.wait(None if timeout is None else max(timeout, 0.0))
            except openssh_core.CommandTimeout as error:
                raise _local.TimeoutExpired(self.args, timeout or 0.0) from error
        return self.returncode  # type: ignore[no-any-return]

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except (ConnectionLost, ExitStatusMissing):
            self._has_told = True
            raise

    # ---- talking to it

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Send `input`, read everything, wait for the end; stdout and stderr, None where they are no pipes.

        Raises:
            TimeoutExpired: it still runs after `timeout` seconds; call again to go on.
            ConnectionLost, ExitStatusMissing: how it ended is not known; carries the output so far, in bytes.
        """
        outputs = [file for file in (self.stdout, self.stderr) if file is not None]
        try:
            if self.stdin is not None or len(outputs) != 1 or self._communication_started:
                return super().communicate(input, timeout)
            # The original reads a single pipe in a way from which nothing is left when the connection is lost.
            try:
                end = None if timeout is None else monotonic() + timeout
                result = self._communicate(input, end, timeout)  # type: ignore[attr-defined]
            finally:
                self._communication_started = True
            self.wait(None if end is None else end - monotonic())
            return result  # type: ignore[no-any-return]
        except (ConnectionLost, ExitStatusMissing) as error:
            error.stdout, error.stderr = self._so_far(self.stdout), self._so_far(self.stderr)
            raise

    def _so_far(self, file: IO[Any] | None) -> bytes | None:
        pieces = getattr(self, "_fileobj2output", {}).get(file)
        return None if pieces is None else b"".join(pieces)

    # ---- ending it

    def send_signal(self, sig: int) -> None:
        """Signal the command's process group; nothing happens when it has ended.

        Raises:
            SignalNotDelivered: there is no way to.
        """
        if self.poll() is None and sig != 0:
            with translated():
                self._process.send_signal(sig)

    def terminate(self) -> None:
        """SIGTERM to the command's process group."""
        self.send_signal(15)

    def kill(self) -> None:
        """SIGKILL to the command's process group."""
        self.send_signal(9)


def _set_size(files: list[IO[Any]], size: int) -> None:
    """Make the pipes hold `size` bytes, where the system lets one choose."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        for file in files:
            fcntl.fcntl(file.fileno(), fcntl.F_SETPIPE_SZ, size)
