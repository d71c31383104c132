"""The module, bound to a host."""

from __future__ import annotations

import subprocess as _local
from contextvars import Token
from subprocess import DEVNULL, PIPE, STDOUT, CalledProcessError, CompletedProcess, SubprocessError, TimeoutExpired
from types import TracebackType
from typing import Any

import openssh_core

from .._shim import missing_from
from ._binding import current
from ._failures import translated
from ._order import Order
from ._popen import Popen

__all__ = ["Remote"]


class Remote:
    """The module, bound to a host.

    A context manager: within it the functions of the module itself go to this host, in this thread or task. Leaving it
    closes the connection if `on` made it.

    Attributes:
        connection: what it runs commands over.
        Popen: subprocess.Popen for this host.
    """

    PIPE = PIPE
    STDOUT = STDOUT
    DEVNULL = DEVNULL
    SubprocessError = SubprocessError
    CalledProcessError = CalledProcessError
    TimeoutExpired = TimeoutExpired
    CompletedProcess: type[_local.CompletedProcess[Any]] = CompletedProcess
    list2cmdline = staticmethod(_local.list2cmdline)

    def __init__(self, connection: openssh_core.Connection, *, owned: bool, handshake: bool = True) -> None:
        self.connection = connection
        self.Popen: type[Popen] = type("Popen", (Popen,), {"_remote": self, "__doc__": Popen.__doc__})
        self._owned = owned
        self._handshake = handshake
        self._tokens: list[Token[Remote | None]] = []

    def __repr__(self) -> str:
        return f"<subprocess on {self.connection.host}>"

    def __getattr__(self, name: str) -> Any:
        return _look_up(name)

    def __enter__(self) -> Remote:
        self._tokens.append(current.set(self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            current.reset(self._tokens.pop())
        except ValueError:
            pass  # left in another thread or task than it was entered in: there is nothing to undo here
        self.close()

    def close(self) -> None:
        """Close the connection, unless it was given to `on`. Idempotent."""
        if self._owned:
            self.connection.close()

    def order(self, *popenargs: Any, **kwargs: Any) -> Order:
        """Popen's arguments, checked."""
        kwargs.setdefault("handshake", self._handshake)
        return Order(self.connection, *popenargs, **kwargs)

    def run(
        self,
        *popenargs: Any,
        input: Any = None,
        capture_output: bool = False,
        timeout: float | None = None,
        check: bool = False,
        **kwargs: Any,
    ) -> _local.CompletedProcess[Any]:
        """Run a command and wait for it; arguments of subprocess.run.

        Raises:
            TimeoutExpired: it took longer than `timeout` seconds and was killed; carries the output so far, in bytes.
            CalledProcessError: with check=True it ended with another status than 0.
            OSError: it, or its directory, is not there or not allowed.
            ValueError: an argument that cannot be, or is not supported here.
        """
        if input is not None and kwargs.get("stdin") is not None:
            raise ValueError("stdin and input arguments may not both be used.")
        if capture_output:
            if kwargs.get("stdout") is not None or kwargs.get("stderr") is not None:
                raise ValueError("stdout and stderr arguments may not be used with capture_output.")
            kwargs["stdout"] = kwargs["stderr"] = PIPE
        order = self.order(*popenargs, **kwargs)
        data = order.encoded(input)
        if data is not None or order.stdin == PIPE:
            # A pipe that nobody writes to is an empty input.
            order.stdin = DEVNULL
        program = order.program()
        try:
            with translated():
                done = self.connection.run(
                    program, input=data, timeout=None if timeout is None else max(timeout, 0.0), **order.options()
                )
        except openssh_core.CommandTimeout as error:
            raise order.timed_out(timeout, error) from error
        except (openssh_core.ProgramNotStarted, openssh_core.CommandTooLong) as error:
            raise order.not_started(error) from error
        result = CompletedProcess(order.args, done.returncode, order.decoded(done.stdout), order.decoded(done.stderr))
        if check:
            result.check_returncode()
        return result

    def call(self, *popenargs: Any, timeout: float | None = None, **kwargs: Any) -> int:
        """Run a command; its return code."""
        return self.run(*popenargs, timeout=timeout, **kwargs).returncode

    def check_call(self, *popenargs: Any, timeout: float | None = None, **kwargs: Any) -> int:
        """Run a command; 0.

        Raises:
            CalledProcessError: it ended with another status.
        """
        return self.run(*popenargs, timeout=timeout, check=True, **kwargs).returncode

    def check_output(self, *popenargs: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        """What a command puts out on stdout.

        Raises:
            CalledProcessError: it ended with another status than 0.
        """
        for name in ("stdout", "check"):
            if name in kwargs:
                raise ValueError(f"{name} argument not allowed, it will be overridden.")
        if "input" in kwargs and kwargs["input"] is None:
            kwargs["input"] = "" if kwargs.get("universal_newlines") or kwargs.get("text") else b""
        return self.run(*popenargs, stdout=PIPE, timeout=timeout, check=True, **kwargs).stdout

    async def create_subprocess_exec(self, program: Any, *args: Any, limit: int = 2**16, **kwargs: Any) -> Any:
        """asyncio.create_subprocess_exec on this host, for the loop that runs; gives an asyncio.subprocess.Process.

        Raises:
            OSError: the program, or its directory, is not there or not allowed.
            ValueError: an argument that cannot be, or is not supported here.
            ConnectionLost, RequestRefused, OpenRefused: it was not started.
        """
        from . import _aio

        return await _aio.execute(self.order, program, *args, limit=limit, **kwargs)

    async def create_subprocess_shell(self, cmd: str | bytes, *, limit: int = 2**16, **kwargs: Any) -> Any:
        """asyncio.create_subprocess_shell on this host; as `create_subprocess_exec`."""
        from . import _aio

        return await _aio.shell(self.order, cmd, limit=limit, **kwargs)

    def getstatusoutput(
        self, cmd: str | bytes, *, encoding: str | None = None, errors: str | None = None
    ) -> tuple[int, str]:
        """The return code of a command of the shell, and all it puts out, without the last newline."""
        done = self.run(cmd, shell=True, text=True, stdout=PIPE, stderr=STDOUT, encoding=encoding, errors=errors)  # noqa: S604
        return done.returncode, done.stdout.removesuffix("\n")

    def getoutput(self, cmd: str | bytes, *, encoding: str | None = None, errors: str | None = None) -> str:
        """All that a command of the shell puts out, without the last newline."""
        return self.getstatusoutput(cmd, encoding=encoding, errors=errors)[1]


_look_up = missing_from("subprocess", ())
