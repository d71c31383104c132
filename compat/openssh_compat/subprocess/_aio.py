"""asyncio's create_subprocess_exec and create_subprocess_shell for a host, on the loop that runs.

No thread waits for a process: its pipes are the loop's to watch, and the thread that serves all connections tells the
loop that it has started and that it has ended. `Process` is a asyncio.subprocess.Process by class; what that asks its
transport, it is told here.
"""

from __future__ import annotations

import asyncio
import functools
import signal
import threading
from asyncio.subprocess import Process as _Process
from collections import deque
from collections.abc import Callable
from typing import Any

import openssh_core

from ._failures import translated
from ._order import Order

__all__ = ["Process", "create"]

_STDIN, _STDOUT, _STDERR = range(3)


class Process(_Process):
    """A process on the host, as asyncio has it.

    Attributes:
        stdin: a StreamWriter, stdout and stderr: a StreamReader, where PIPE was asked for.
        pid: the process id on the host.
        returncode: the exit status, -N for a signal, None while it runs.
    """

    def __init__(self, transport: _Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._protocol = None
        self.stdin = transport.stdin
        self.stdout = transport.readers.get(_STDOUT)
        self.stderr = transport.readers.get(_STDERR)
        self.pid = transport.get_pid()


async def create(order: Order, *, limit: int) -> Process:
    """Start a process; arguments of Popen.

    Args:
        limit: how much the streams' buffers take before the host is held back, in bytes.

    Raises:
        OSError: it, or its directory, is not there or not allowed.
        ValueError: an argument that cannot be, or is not supported here.
        ConnectionLost, RequestRefused, OpenRefused: it was not started.
    """
    if order.coding is not None:
        raise ValueError("text, encoding, errors and universal_newlines must be left out: the streams are of bytes")
    if order.bufsize not in (-1, 0):
        raise ValueError("bufsize must be 0")
    loop = asyncio.get_running_loop()
    program = order.program()
    try:
        with translated():
            process = order.host.popen(program, bufsize=0, wait=False, **order.options())
            try:
                await _known(loop, process.add_start_callback)
                process.check_started()
                transport = _Transport(loop, process)
                await transport.connect(limit)
            except BaseException:
                # It may run by now, and killing it takes a round trip: not in the loop, which may be about to end.
                threading.Thread(target=_give_up, args=(process,), name="openssh-compat-give-up").start()
                raise
    except (openssh_core.ProgramNotStarted, openssh_core.CommandTooLong) as error:
        raise order.not_started(error) from error
    return Process(transport, loop)


def _give_up(process: openssh_core.RemoteProcess) -> None:
    try:
        process.kill()
    except openssh_core.OpenSSHError:
        pass  # it has not started, or cannot be reached: nothing more can be done about it
    process.close()


async def _known(loop: asyncio.AbstractEventLoop, add_callback: Callable[[Callable[[Any], object]], None]) -> None:
    """Wait for something that calls back from another thread."""
    known = asyncio.Event()
    add_callback(lambda _process: _call_in(loop, known.set))
    await known.wait()


def _call_in(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        pass  # the loop is closed: nobody waits any more


class _Transport(asyncio.SubprocessTransport):
    """What asyncio's Process asks.

    Attributes:
        stdin: the writer.
        readers: for stdout and stderr, by their numbers.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, process: openssh_core.RemoteProcess) -> None:
        super().__init__()
        self._loop = loop
        self._process = process
        self._pipes: dict[int, asyncio.BaseTransport] = {}
        self._over = asyncio.Event()
        self._lock = threading.Lock()
        self._signals: deque[int] = deque()
        self._is_sending = False
        self.stdin: asyncio.StreamWriter | None = None
        self.readers: dict[int, asyncio.StreamReader] = {}

    async def connect(self, limit: int) -> None:
        """Have the loop watch the pipes and the end."""
        loop, process = self._loop, self._process
        if process.stdin is not None:
            protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=limit, loop=loop), loop=loop)
            pipe, _ = await loop.connect_write_pipe(lambda: protocol, process.stdin)
            self._pipes[_STDIN] = pipe
            self.stdin = asyncio.StreamWriter(pipe, protocol, None, loop)
        for number, file in ((_STDOUT, process.stdout), (_STDERR, process.stderr)):
            if file is not None:
                reader = self.readers[number] = asyncio.StreamReader(limit=limit, loop=loop)
                made = asyncio.StreamReaderProtocol(reader, loop=loop)
                self._pipes[number], _ = await loop.connect_read_pipe(lambda made=made: made, file)  # type: ignore[misc]
        process.add_done_callback(lambda _process: _call_in(loop, self._over.set))

    def get_pid(self) -> Any:
        return self._process.pid

    def get_returncode(self) -> int | None:
        return self._process.returncode

    def get_pipe_transport(self, fd: int) -> Any:
        return self._pipes.get(fd)

    async def _wait(self) -> int:
        """The return code, once there is one.

        Raises:
            ConnectionLost, ExitStatusMissing: there will be none.
        """
        await self._over.wait()
        with translated():
            code = self._process.poll()
        assert code is not None
        return code

    def send_signal(self, signal: int) -> None:
        """Signal its process group, after those that were asked for before.

        Raises:
            ProcessLookupError: it has ended.
        """
        if self._process.returncode is not None:
            raise ProcessLookupError
        with self._lock:
            self._signals.append(signal)
            idle, self._is_sending = not self._is_sending, True
        if idle:
            # It takes a round trip, or a session of its own: not in the loop, which may even end before.
            threading.Thread(target=self._send, name="openssh-compat-signals").start()

    def _send(self) -> None:
        while True:
            with self._lock:
                self._is_sending = bool(self._signals)
                if not self._is_sending:
                    return
                number = self._signals.popleft()
            try:
                with translated():
                    self._process.send_signal(number)
            except openssh_core.OpenSSHError as error:
                context = {"message": f"a signal for {self._process!r} was not delivered", "exception": error}
                _call_in(self._loop, functools.partial(self._loop.call_exception_handler, context))

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def is_closing(self) -> bool:
        return all(pipe.is_closing() for pipe in self._pipes.values())

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()


def checked(named: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments, without what asyncio wants to be false."""
    for name in ("universal_newlines", "text"):
        if named.pop(name, None):
            raise ValueError(f"{name} must be False")
    named.pop("shell", None)
    return named


async def execute(order: Callable[..., Order], program: Any, *args: Any, limit: int = 2**16, **named: Any) -> Process:
    """create_subprocess_exec, of a host that makes orders of Popen's arguments."""
    return await create(order([program, *args], **{"bufsize": 0, **checked(named)}), limit=limit)


async def shell(order: Callable[..., Order], cmd: Any, *, limit: int = 2**16, **named: Any) -> Process:
    """create_subprocess_shell, likewise."""
    if not isinstance(cmd, str | bytes):
        raise ValueError("cmd must be a string")
    return await create(order(cmd, **{"bufsize": 0, **checked(named), "shell": True}), limit=limit)
