"""How invoke runs a command on another machine: its Runner, with the core's process at the other end.

Everything that `run` can be told (hide, warn, echo, watchers, ...) is invoke's; this says where the bytes come from.
"""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from invoke.runners import Result as InvokeResult
from invoke.runners import Runner
from invoke.terminals import character_buffered, pty_size
from invoke.util import ExceptionHandlingThread

from openssh_core import DEVNULL, PIPE, CommandTimeout, OpenSSHError, Pty, RemoteProcess

from ._output import HostLog
from ._pump import Stream

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Remote", "RemoteShell", "Result"]

# Seconds between looks at invoke's threads, which may die of an error while the command goes on.
_LOOK = 0.25
# A hang-up is ignored by what it starts, too. `$0` is the command: no shell but the last one reads it.
_LEAVE = 'trap "" HUP; "${SHELL:-/bin/sh}" -c "$0" </dev/null >/dev/null 2>&1 &'
# Seconds a command gets to end after Ctrl-C.
_INTERRUPT_PATIENCE = 2.0


def left_alone(command: str) -> str:
    """A command line that starts another, by the account's own shell, and ends at once: what it started has no input,
    its output goes nowhere, and it outlives the connection.
    """
    return f"sh -c {shlex.quote(_LEAVE)} {shlex.quote(command)}"


class Result(InvokeResult):
    """How a command ended.

    Attributes:
        connection: where it ran.
    """

    def __init__(self, *, connection: Connection, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection


class Remote(Runner):
    """Runs one command.

    Args:
        context: the connection.
        inline_env: for fabric's sake. Variables are sent as such, and set by the shell where the server takes none.
    """

    context: Connection

    def __init__(self, context: Connection, inline_env: bool | None = None) -> None:
        super().__init__(context)
        self._only_begin = False
        self._process: RemoteProcess | None = None
        self._give_back: Callable[[], object] | None = None
        self._out_of_time = False

    def run(self, command: str, **kwargs: Any) -> Any:
        # Variables of this machine are not for that one.
        kwargs.setdefault("replace_env", True)
        return super().run(command, **kwargs)

    def echo(self, command: str) -> None:
        through = self.context.shown
        stream = sys.stdout if through is None else through.on(sys.stdout)
        stream.write(self.opts["echo_format"].format(command=command) + "\n")
        stream.flush()

    def only_begin(self) -> Remote:
        """Make `run` return a Promise as soon as the command runs; everything else is as if it waited."""
        self._only_begin = True
        return self

    def _setup(self, command: str, kwargs: Any) -> None:
        super()._setup(command, kwargs)
        # Not by asynchronous=True, which would also hide the output.
        self._asynchronous = self._asynchronous or self._only_begin

    @property
    def process(self) -> RemoteProcess:
        """The command, once it was started."""
        assert self._process is not None
        return self._process

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:
        if self.log is not None:
            self.log.command(command)
        if self._disowned:
            variables = {name: str(value) for name, value in env.items()}
            self.context.core.run(left_alone(command), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=variables)
            return
        self._process = self.context.core.popen(
            *self._words(command),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={name: str(value) for name, value in env.items()},
            pty=Pty(columns=pty_size()[0], rows=pty_size()[1]) if self.using_pty else None,
            encoding=None,
            bufsize=0,
        )
        if self.using_pty and threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGWINCH, lambda *_: self.process.resize(*pty_size()))
            self._give_back = lambda: signal.signal(signal.SIGWINCH, before)

    def _words(self, command: str) -> tuple[str, ...]:
        return (command,)

    # ---- its streams

    def create_io_threads(self) -> tuple[dict[Callable[..., Any], Any], list[str], list[str]]:
        """Streams in place of invoke's two threads for output; its thread for input stays."""
        stdout: list[str] = []
        stderr: list[str] = []
        threads: dict[Callable[..., Any], Any] = {
            self.handle_stdout: Stream(self, self.process.stdout, stdout, self._shown("stdout", "out"))
        }
        if self.streams["in"]:
            about = {"input_": self.streams["in"], "output": self.streams["out"], "echo": self.opts["echo_stdin"]}
            threads[self.handle_stdin] = ExceptionHandlingThread(target=self.handle_stdin, kwargs=about)
        elif not self.watchers and not self.using_pty:
            # Nobody is going to write: a command that reads would wait for ever.
            self.close_proc_stdin()
        if not self.using_pty:
            threads[self.handle_stderr] = Stream(self, self.process.stderr, stderr, self._shown("stderr", "err"))
        return threads, stdout, stderr

    def _shown(self, name: str, stream: str) -> IO[str] | None:
        if name in self.opts["hide"]:
            return None
        given: IO[str] = self.streams[stream]
        through = self.context.shown
        # A stream that the caller gave gets what the command puts out, and nothing else.
        return given if through is None or self.opts[f"{stream}_stream"] is not None else through.on(given)

    @property
    def log(self) -> HostLog | None:
        """What takes all output beside where it is shown."""
        return None if self.context.shown is None else self.context.shown.log

    def _write_proc_stdin(self, data: bytes) -> None:
        stdin = self.process.stdin
        try:
            if stdin is not None and not stdin.closed:
                stdin.write(data)
        except BrokenPipeError:
            pass  # the command reads no more: its own affair

    def close_proc_stdin(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()

    def handle_stdin(self, input_: IO[Any], output: IO[Any], echo: bool | None = False) -> None:
        """Copy our input to the command until it has ended. invoke's own looks every 10 ms whether it has."""
        ended = False
        with character_buffered(input_):
            while True:
                data = self.read_our_stdin(input_)
                if data:
                    self.write_proc_stdin(data)
                    if self.should_echo_stdin(input_, output) if echo is None else echo:
                        self.write_our_output(stream=output, string=data)
                elif data is not None and not ended and not self.using_pty:
                    ended = True
                    self.close_proc_stdin()
                if ended:
                    return
                if self.program_finished.wait(self.input_sleep) and not data:
                    return

    # ---- its end

    @property
    def process_is_finished(self) -> bool:
        try:
            return self.process.poll() is not None
        except OpenSSHError:
            return True

    def wait(self) -> None:
        while not self.has_dead_threads:
            try:
                self.process.wait(_LOOK)
            except CommandTimeout:
                continue
            except OpenSSHError:
                pass  # `returncode` will raise it where it can be seen
            return

    def returncode(self) -> int:
        """The exit status; -N for death by signal N.

        Raises:
            openssh_core.ConnectionLost, ExitStatusMissing: how it ended is not known.
        """
        return self.process.wait()

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Ctrl-C: for the command, when it has a terminal; otherwise for both of us."""
        if self.using_pty:
            self.write_proc_stdin("\x03")
            return
        try:
            self.process.send_signal("INT")
            self.process.wait(_INTERRUPT_PATIENCE)
        except OpenSSHError:
            self._end()
        raise interrupt

    def kill(self) -> None:
        """What invoke's timer calls."""
        self._out_of_time = True
        self._end()

    @property
    def timed_out(self) -> bool:
        # invoke asks whether its timer still runs. It may: killing takes a round trip, and the command ends meanwhile.
        return self._out_of_time

    def _end(self) -> None:
        try:
            self.process.kill()
        except OpenSSHError:
            self.process.close()

    def stop(self) -> None:
        super().stop()
        if self._give_back is not None:
            self._give_back()
        if self._process is not None:
            self._process.close()

    def generate_result(self, **kwargs: Any) -> Result:
        return Result(connection=self.context, **kwargs)


class RemoteShell(Remote):
    """Runs the account's login shell on a terminal."""

    def _words(self, command: str) -> tuple[str, ...]:
        return ()
