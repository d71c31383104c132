"""subprocess on another machine: `from openssh_compat import subprocess`, then `subprocess.on(host)`.

What `on` gives looks like the standard module, with its own exceptions and results; every command of it runs on that
host. Never run a script that lies in this folder: every `import subprocess` would then find this file.
"""

from __future__ import annotations

import io
import os
import subprocess as _local
import types
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from subprocess import DEVNULL, PIPE, STDOUT, CalledProcessError, CompletedProcess, SubprocessError, TimeoutExpired
from types import TracebackType
from typing import IO, Any, ClassVar

import openssh_core

from ._shim import missing_from, refuse

__all__ = [
    "DEVNULL",
    "PIPE",
    "STDOUT",
    "CalledProcessError",
    "CompletedProcess",
    "Popen",
    "Remote",
    "SubprocessError",
    "TimeoutExpired",
    "on",
]

Word = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Args = Word | Sequence[Word]
Stream = int | IO[Any] | None
Environment = Mapping[str, str] | Mapping[bytes, bytes] | None


def on(target: str | openssh_core.Connection, **connect_options: Any) -> Remote:
    """Log in to a host, and give the module that runs commands there.

    Args:
        target: as for `openssh_core.connect`; or a connection of yours, which is then not closed by the result.
        connect_options: as for `openssh_core.connect`.

    Raises:
        openssh_core.ConnectError: one of its subclasses says why there is no connection.
        ValueError: something that was asked for cannot be.
    """
    if isinstance(target, openssh_core.Connection):
        refuse("on", TypeError, **{name: (value, None) for name, value in connect_options.items()})
        return Remote(target, owned=False)
    return Remote(openssh_core.connect(target, **connect_options), owned=True)


@dataclass
class _Order:
    """Popen's arguments, checked, and in the core's words. Positions and defaults are those of subprocess."""

    host: openssh_core.Connection
    args: Args
    bufsize: int = -1
    executable: Any = None
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
    _: KW_ONLY
    user: Any = None
    group: Any = None
    extra_groups: Any = None
    encoding: str | None = None
    errors: str | None = None
    text: bool | None = None
    umask: int = -1
    pipesize: int = -1
    process_group: int | None = None

    # Not refused because there is nothing to do for them: close_fds and restore_signals (nothing of this process gets
    # there), start_new_session (sshd begins one for each command), pipesize (a wish, here as there).
    _REFUSED: ClassVar[Mapping[str, object]] = {
        "executable": None,
        "preexec_fn": None,
        "startupinfo": None,
        "creationflags": 0,
        "pass_fds": (),
        "user": None,
        "group": None,
        "extra_groups": None,
        "umask": -1,
        "process_group": None,
    }

    def __post_init__(self) -> None:
        given = {name: (getattr(self, name), default) for name, default in self._REFUSED.items()}
        refuse("Popen", ValueError, **given)
        if None not in (self.text, self.universal_newlines) and bool(self.text) != bool(self.universal_newlines):
            raise SubprocessError("Cannot disambiguate when both text and universal_newlines are supplied")

    def options(self) -> dict[str, Any]:
        """What `run` and `popen` of the core take alike."""
        return {
            "stdin": _our_stdin() if self.stdin is None else self.stdin,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "cwd": None if self.cwd is None else os.fsdecode(self.cwd),
            "encoding": None,
        }

    def words(self) -> list[str]:
        """The command."""
        args = self.args
        words = [os.fsdecode(word) for word in ([args] if isinstance(args, str | bytes | os.PathLike) else args)]
        if not words:
            raise IndexError("the list of arguments is empty")
        return _in_environment(["/bin/sh", "-c", *words] if self.shell else words, self.env)

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

    def timed_out(self, timeout: float | None, error: openssh_core.CommandTimeout) -> TimeoutExpired:
        """As subprocess has it: output in bytes whatever was asked for, None when there was none."""
        return TimeoutExpired(self.args, timeout or 0.0, output=error.stdout or None, stderr=error.stderr or None)


class Popen:
    """A command on the host. Make one by `on(host).Popen(...)`, with the arguments of subprocess.Popen.

    Attributes:
        args: as given.
        stdin, stdout, stderr: files over real pipes where PIPE was asked for.
    """

    _host: ClassVar[openssh_core.Connection | None] = None

    def __init__(self, *args: Any, **named: Any) -> None:
        if self._host is None:
            raise TypeError("Popen needs a host: use subprocess.on(host).Popen")
        self._order = order = _Order(self._host, *args, **named)
        self.args = order.args
        self._process = process = self._host.popen(order.words(), bufsize=order.bufsize, **order.options())
        self.stdin = order.wrapped(process.stdin, writes=True)
        self.stdout = order.wrapped(process.stdout)
        self.stderr = order.wrapped(process.stderr)
        self._communicates = False

    __class_getitem__: Any = classmethod(types.GenericAlias)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: returncode: {self.returncode} args: {self.args!r}>"

    def __enter__(self) -> Popen:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            for file in (self.stdout, self.stderr, self.stdin):
                if file is not None:
                    _close(file)
        finally:
            self._process.__exit__(kind, error, tb)

    @property
    def pid(self) -> int | None:
        """The process id on the host, None while it is not known."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, -N for death by signal N, None while it runs."""
        return self._process.returncode

    def poll(self) -> int | None:
        """The return code, None while it runs.

        Raises:
            openssh_core.ConnectionLost, ExitStatusMissing: it will never be known.
        """
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            TimeoutExpired: it still runs after `timeout` seconds.
            openssh_core.ConnectionLost, ExitStatusMissing: how it ended will never be known.
        """
        try:
            return self._process.wait(timeout)
        except openssh_core.CommandTimeout as error:
            raise self._order.timed_out(timeout, error) from error

    def communicate(self, input: str | bytes | None = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Send `input`, read everything, wait for the end; stdout and stderr, None where they are no pipes.

        Raises:
            TimeoutExpired: it still runs after `timeout` seconds; call again to go on.
        """
        if self._communicates and input:
            raise ValueError("Cannot send input after starting communication")
        if self.stdin is not None and not self._communicates:
            _flush(self.stdin)
        self._communicates = True
        data = self._order.encoded(input) if self.stdin is not None else None
        try:
            stdout, stderr = self._process.communicate(data, timeout)
        except openssh_core.CommandTimeout as error:
            raise self._order.timed_out(timeout, error) from error
        return self._order.decoded(stdout), self._order.decoded(stderr)

    def send_signal(self, sig: int) -> None:
        """Signal the command's process group; nothing happens when it has ended.

        Raises:
            openssh_core.SignalNotDelivered: there is no way to.
        """
        self._process.send_signal(sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


class Remote:
    """The module, bound to a host. A context manager that closes the connection if `on` made it.

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

    def __init__(self, connection: openssh_core.Connection, *, owned: bool) -> None:
        self.connection = connection
        self.Popen: type[Popen] = type("Popen", (Popen,), {"_host": connection, "__doc__": Popen.__doc__})
        self._owned = owned

    def __repr__(self) -> str:
        return f"<subprocess on {self.connection.host}>"

    def __getattr__(self, name: str) -> Any:
        return _look_up(name)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, unless it was given to `on`. Idempotent."""
        if self._owned:
            self.connection.close()

    def run(
        self,
        *popenargs: Any,
        input: str | bytes | None = None,
        capture_output: bool = False,
        timeout: float | None = None,
        check: bool = False,
        **kwargs: Any,
    ) -> _local.CompletedProcess[Any]:
        """Run a command and wait for it; arguments of subprocess.run.

        Raises:
            TimeoutExpired: it took longer than `timeout` seconds and was killed; carries the output so far, in bytes.
            CalledProcessError: with check=True it ended with another status than 0.
            ValueError: an argument that cannot be, or is not supported here.
        """
        if input is not None and kwargs.get("stdin") is not None:
            raise ValueError("stdin and input arguments may not both be used.")
        if capture_output:
            if kwargs.get("stdout") is not None or kwargs.get("stderr") is not None:
                raise ValueError("stdout and stderr arguments may not be used with capture_output.")
            kwargs["stdout"] = kwargs["stderr"] = PIPE
        order = _Order(self.connection, *popenargs, **kwargs)
        data = order.encoded(input)
        if data is not None or order.stdin == PIPE:
            # A pipe that nobody writes to is an empty input.
            order.stdin = DEVNULL
        try:
            done = self.connection.run(order.words(), input=data, timeout=timeout, **order.options())
        except openssh_core.CommandTimeout as error:
            raise order.timed_out(timeout, error) from error
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
            kwargs["input"] = b""
        return self.run(*popenargs, stdout=PIPE, timeout=timeout, check=True, **kwargs).stdout


def _in_environment(words: list[str], env: Environment) -> list[str]:
    """The command in an environment of its own: as at home, `env` replaces all of it."""
    if env is None:
        return words
    pairs = []
    for key, value in env.items():
        name, text = os.fsdecode(key), os.fsdecode(value)
        if not name or "=" in name:
            raise ValueError("illegal environment variable name")
        pairs.append(f"{name}={text}")
    if "=" in words[0]:
        # env(1) would take it for a variable.
        words = ["/bin/sh", "-c", 'exec "$0" "$@"', *words]
    return ["env", "-i", *pairs, *words]


def _our_stdin() -> int:
    """What a command reads when nobody said: what this program reads, if there is something."""
    try:
        os.fstat(0)
    except OSError:
        return DEVNULL
    return 0


def _flush(file: IO[Any]) -> None:
    try:
        if not file.closed:
            file.flush()
    except BrokenPipeError:
        pass  # the command reads no more: its own affair


def _close(file: IO[Any]) -> None:
    try:
        file.close()
    except BrokenPipeError:
        pass


_look_up = missing_from("subprocess", [name for name in (*_local.__all__, "list2cmdline") if name not in __all__])


def __getattr__(name: str) -> Any:
    if name in ("call", "check_call", "check_output", "run"):
        raise AttributeError(f"subprocess.{name} needs a host: subprocess.on(host).{name}")
    return _look_up(name)
