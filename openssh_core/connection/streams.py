"""Shapes of a command that people ask for by name: a test, a file that is a command, a local process wired to one."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from .._cli.quoting import Word
from ..errors import InvalidInput
from ..process import RemoteProcess
from ..redirect import DEVNULL, PIPE, Destination
from ..results import CompletedCommand
from .commands import ENCODING, Commands, Encoding

if TYPE_CHECKING:
    import subprocess

    from typing_extensions import Self, Unpack

    from .call_options import PopenOptions, RunOptions, StartOptions


class _CommandFile:
    """What closing a file means that is one end of a pipe to a command. To be mixed into a class of `io`."""

    _process: RemoteProcess | None = None

    def of(self, process: RemoteProcess) -> Self:
        """Itself, belonging to that command."""
        self._process = process
        return self

    def close(self) -> None:
        process, self._process = self._process, None
        try:
            super().close()  # type: ignore[misc]
        except BrokenPipeError:
            pass  # it ended without reading everything: its status says whether that is well
        finally:
            if process is not None:
                code = process.wait()
                CompletedCommand(process.command, code, signal=process.signal, host=process.host).check()

    def __del__(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # A finaliser may not wait: neither for the command nor for somebody to read what is still to be written.
            warnings.warn(f"the file of {process!r} was never closed", ResourceWarning, stacklevel=2, source=self)
            process.close()
            self._raw().close()

    def _raw(self) -> Any:
        raise NotImplementedError


class _TextFile(_CommandFile, io.TextIOWrapper):
    def _raw(self) -> Any:
        return self.buffer.raw  # type: ignore[attr-defined]


class _BytesIn(_CommandFile, io.BufferedWriter):
    def _raw(self) -> Any:
        return self.raw


class _BytesOut(_CommandFile, io.BufferedReader):
    def _raw(self) -> Any:
        return self.raw


class LocalPipe:
    """A local process and a remote command, each with the other's output for its input. Made by `Connection.dpipe`.

    A context manager: leaving it waits for both.

    Attributes:
        remote: the command.
        local: the process.
    """

    def __init__(self, remote: RemoteProcess, local: subprocess.Popen[bytes]) -> None:
        self.remote = remote
        self.local = local

    def wait(self, timeout: float | None = None) -> tuple[int, int]:
        """Wait for both; the return codes of the local process and of the remote command.

        Args:
            timeout: seconds for each.

        Raises:
            CommandTimeout, ConnectionLost, ExitStatusMissing: as for `RemoteProcess.wait`.
            subprocess.TimeoutExpired: the local process still runs.
        """
        remote = self.remote.wait(timeout)
        return self.local.wait(timeout), remote

    def close(self) -> None:
        """End the local process, and let go of the remote command, which notices when it reads or writes."""
        if self.local.poll() is None:
            self.local.kill()
            self.local.wait()
        self.remote.close()

    def __enter__(self) -> LocalPipe:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self.close()


class Shapes(Commands):
    """The part of a connection that has commands in these shapes."""

    def test(self, *command: Word | Sequence[Word], **options: Unpack[RunOptions]) -> bool:
        """Whether a command ends with status 0. Its output is thrown away.

        Args:
            command: as for `run`.
            options: what else `run` takes, but for `check`.

        Raises:
            ConnectionLost, CommandTimeout, OpenRefused and so on: as for `run`.
        """
        options = {"stdout": DEVNULL, "stderr": DEVNULL, **options}
        return self.run(*command, **options).returncode == 0

    def spawn(self, *command: Word | Sequence[Word], **options: Unpack[PopenOptions]) -> RemoteProcess:
        """Start a command that nobody waits for. It still ends with the connection: see `detach` for one that does not.

        Args:
            command: as for `run`.
            options: what else `popen` takes. Output that goes nowhere else is thrown away.

        Returns:
            A handle: it may be waited for, and need not be.

        Raises:
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        default = self.defaults
        options = {"stdout": default.stdout or DEVNULL, "stderr": default.stderr or DEVNULL, **options}
        process = self.popen(*command, **options)
        process.leave()
        return process

    def pipe_in(
        self,
        *command: Word | Sequence[Word],
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        stderr: Destination = None,
        **options: Unpack[StartOptions],
    ) -> IO[Any]:
        """A file to write: what is written is the input of a command, whose output is thrown away.

            with host.pipe_in("cat >notes") as file:
                file.write("...")

        Args:
            command, encoding, errors: as for `run`.
            stderr: as for `popen`.
            options: env, cwd, pty and what else says how `popen` starts a command.

        Returns:
            A file. Closing it waits for the command, and raises `CommandFailed` when that ended with another status
            than 0.

        Raises:
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        how = self._coding(encoding, errors)
        process = self.popen(*command, stdin=PIPE, stdout=DEVNULL, stderr=stderr, encoding=None, bufsize=0, **options)
        raw = _taken(process, "stdin")
        if how[0] is None:
            return _BytesIn(raw).of(process)
        return _TextFile(io.BufferedWriter(raw), *how).of(process)

    def pipe_out(
        self,
        *command: Word | Sequence[Word],
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        stderr: Destination = None,
        **options: Unpack[StartOptions],
    ) -> IO[Any]:
        """A file to read: the output of a command.

        Args:
            command, encoding, errors: as for `run`.
            stderr: as for `popen`.
            options: env, cwd, pty and what else says how `popen` starts a command.

        Returns:
            A file. Closing it waits for the command, and raises `CommandFailed` when that ended with another status
            than 0. One that is closed before its end may have been killed by that (SIGPIPE).

        Raises:
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        how = self._coding(encoding, errors)
        process = self.popen(*command, stdout=PIPE, stderr=stderr, encoding=None, bufsize=0, **options)
        raw = _taken(process, "stdout")
        if how[0] is None:
            return _BytesOut(raw).of(process)
        return _TextFile(io.BufferedReader(raw), *how).of(process)

    def dpipe(
        self,
        local: Sequence[str | os.PathLike[str]],
        *command: Word | Sequence[Word],
        stderr: Destination = None,
        **options: Unpack[StartOptions],
    ) -> LocalPipe:
        """Wire a local process and a command together, each one's output being the other's input.

            with host.dpipe(["tar", "-xf", "-"], "tar", "-cf", "-", "/etc"):
                pass

        Args:
            local: the program here and its arguments; no shell is involved. Its stderr is our own.
            command: as for `run`.
            stderr: the command's, as for `popen`.
            options: env, cwd and what else says how `popen` starts a command.

        Raises:
            OSError: the local program cannot be started; the command is let go of.
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        import subprocess  # only here

        if isinstance(local, str | bytes) or not local:
            raise InvalidInput(
                "the local program has to be a list of words", advice='Give it as in ["tar", "-xf", "-"]'
            )
        remote = self.popen(*command, stdin=PIPE, stdout=PIPE, stderr=stderr, encoding=None, bufsize=0, **options)
        try:
            process = subprocess.Popen([os.fspath(word) for word in local], stdin=remote.stdout, stdout=remote.stdin)
        except BaseException:
            remote.close()
            raise
        # It has them now; a copy here would keep the ends from being seen.
        for name in ("stdin", "stdout"):
            _taken(remote, name).close()
        return LocalPipe(remote, process)


def _taken(process: RemoteProcess, name: str) -> io.FileIO:
    """One of its pipes, which is not its own any more."""
    raw: io.FileIO = getattr(process, name)
    setattr(process, name, None)
    return raw
