"""Popen's arguments, checked, and in the core's words."""

from __future__ import annotations

import errno
import io
import os
import subprocess as _local
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, ClassVar

import openssh_core

from .._shim import refuse

__all__ = ["Args", "Environment", "Order", "Stream", "Word"]

Word = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Args = Word | Sequence[Word]
Stream = int | IO[Any] | None
Environment = Mapping[str, str] | Mapping[bytes, bytes] | None


class Order:
    """What is to run. Positions and defaults are those of subprocess.Popen.

    Attributes:
        host: where.
        handshake: whether a start that fails is an error of the constructor; without, it is the status 127 or 126, and
            the process id is not known.
        extra_env: variables on top of what a login there gets.
    """

    host: openssh_core.Connection
    args: Args
    bufsize: int = -1
    executable: Word | None = None
    stdin: Stream = None
    stdout: Stream = None
    stderr: Stream = None
    preexec_fn: Any = None
    close_fds: bool = True
    shell: bool = False
    cwd: Word | None = None
    env: Environment = None
    universal_newlines: bool | None = None
    startupinfo: Any = None
    creationflags: int = 0
    restore_signals: bool = True
    start_new_session: bool = False
    pass_fds: Sequence[int] = ()
    # Not by position:
    user: str | int | None = None
    group: str | int | None = None
    extra_groups: Iterable[str | int] | None = None
    encoding: str | None = None
    errors: str | None = None
    text: bool | None = None
    umask: int = -1
    pipesize: int = -1
    process_group: int | None = None
    handshake: bool = True
    extra_env: Mapping[str, str] | None = None

    # There is nothing to do for close_fds, because nothing of this process gets there, nor for start_new_session and
    # process_group=0, because sshd begins a session for each command.
    _REFUSED: ClassVar[Mapping[str, object]] = {
        "preexec_fn": None,
        "startupinfo": None,
        "creationflags": 0,
        "pass_fds": (),
    }

    _AT: ClassVar[Sequence[str]] = (
        "bufsize",
        "executable",
        "stdin",
        "stdout",
        "stderr",
        "preexec_fn",
        "close_fds",
        "shell",
        "cwd",
        "env",
        "universal_newlines",
        "startupinfo",
        "creationflags",
        "restore_signals",
        "start_new_session",
        "pass_fds",
    )

    def __init__(self, host: openssh_core.Connection, args: Args, *by_position: Any, **by_name: Any) -> None:
        # What dataclasses would do, but to load them takes as long as half of the core.
        if len(by_position) > len(self._AT):
            raise TypeError(f"Popen takes at most {1 + len(self._AT)} arguments by position")
        given = dict(zip(self._AT, by_position, strict=False))
        for name in by_name:
            if name in given:
                raise TypeError(f"Popen.__init__() got multiple values for argument {name!r}")
            if name not in type(self).__annotations__ or name.startswith("_"):
                raise TypeError(f"Popen.__init__() got an unexpected keyword argument {name!r}")
        self.host, self.args = host, args
        vars(self).update(given, **by_name)
        self._check()

    def _check(self) -> None:
        given = {name: (getattr(self, name), default) for name, default in self._REFUSED.items()}
        refuse("Popen", ValueError, **given)
        if self.process_group is not None:
            refuse("Popen", ValueError, process_group=(self.process_group, 0))
        if self.bufsize is None:
            self.bufsize = -1
        if not isinstance(self.bufsize, int):
            raise TypeError("bufsize must be an integer")
        if None not in (self.text, self.universal_newlines) and bool(self.text) != bool(self.universal_newlines):
            raise _local.SubprocessError("Cannot disambiguate when both text and universal_newlines are supplied")
        for number in (self.user, self.group):
            if isinstance(number, int) and number >= 2**64:
                raise OverflowError("Python int too large to convert to C long")
        if self.stdout == _local.STDOUT:
            raise ValueError("STDOUT can only be used for stderr")
        if self.bufsize == 1 and self.coding is None and _local.PIPE in (self.stdin, self.stdout, self.stderr):
            text = "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used"
            warnings.warn(text, RuntimeWarning, stacklevel=_depth_of_caller())

    # ---- what is run

    def program(self) -> openssh_core.Program:
        """What the core is to start.

        Raises:
            OSError: it is too long for a server to take.
            ValueError: it can never run.
        """
        args, executable = self.args, self.executable
        words = [args] if isinstance(args, str | bytes | os.PathLike) else list(args)
        if self.shell:
            if isinstance(args, os.PathLike):
                raise TypeError("path-like args is not allowed when shell is true")
            words = [executable or "/bin/sh", "-c", *words]
            executable = None
        if not words:
            raise IndexError("list index out of range")
        return openssh_core.Program(
            words,
            executable=executable,
            env=self.env,
            cwd=self.cwd,
            umask=None if self.umask < 0 else self.umask,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
            # What Python itself ignores, and a program at home would then ignore, too.
            ignored_signals=() if self.restore_signals else ("PIPE", "XFSZ"),
            report=self.handshake,
        )

    def options(self) -> dict[str, Any]:
        """What `run` and `popen` of the core take alike."""
        return {
            "stdin": _ours(0) if self.stdin is None else self.stdin,
            "stdout": _ours(1) if self.stdout is None else self.stdout,
            "stderr": _ours(2) if self.stderr is None else self.stderr,
            "env": self.extra_env,
            "encoding": None,
        }

    # ---- text

    @property
    def coding(self) -> tuple[str, str] | None:
        """Encoding and errors of the streams, None for bytes."""
        if not (self.text or self.universal_newlines or self.encoding or self.errors):
            return None
        return self.encoding or self.host.encoding or "utf-8", self.errors or "strict"

    def encoded(self, data: Any) -> Any:
        """Input as bytes."""
        return data.encode(*self.coding) if isinstance(data, str) and self.coding else data

    def decoded(self, data: Any) -> Any:
        """Captured output as it was asked for."""
        if data is None or self.coding is None:
            return data
        return data.decode(*self.coding).replace("\r\n", "\n").replace("\r", "\n")

    def wrapped(self, file: IO[Any] | None, *, writes: bool = False) -> IO[Any] | None:
        """A pipe's file as it was asked for."""
        if file is None or self.coding is None:
            return file
        encoding, errors = self.coding
        lines = writes and self.bufsize == 1
        binary: Any = file
        return io.TextIOWrapper(binary, encoding, errors, write_through=writes and not lines, line_buffering=lines)

    # ---- failures

    def not_started(self, error: openssh_core.ProgramNotStarted | openssh_core.CommandTooLong) -> Exception:
        """What subprocess raises for it."""
        if isinstance(error, openssh_core.CommandTooLong):
            return OSError(errno.E2BIG, os.strerror(errno.E2BIG), self.program().file)
        if error.errno in (errno.ENOSYS, errno.ENOTSUP):
            return ValueError(f"{error.step}= is not possible there: {error.advice}")
        if error.errno == errno.EINVAL:
            function = "getpwnam" if error.step == "user" else "getgrnam"
            return KeyError(f"{function}(): name not found on {error.host}: {getattr(self, error.step)!r}")
        return OSError(error.errno, os.strerror(error.errno or 0), error.filename)

    def timed_out(self, timeout: float | None, error: openssh_core.CommandTimeout) -> _local.TimeoutExpired:
        """As subprocess has it: output in bytes whatever was asked for, None when there was none."""
        return _local.TimeoutExpired(
            self.args, timeout or 0.0, output=error.stdout or None, stderr=error.stderr or None
        )


def _ours(fd: int) -> int:
    """What a stream is when nobody said: this program's own, if it has one."""
    try:
        os.fstat(fd)
    except OSError:
        return _local.DEVNULL
    return fd


def _depth_of_caller() -> int:
    """How far above the function that warns the first frame outside of this package is."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        depth, frame = depth + 1, frame.f_back
    return depth
