"""Running commands: wait for them, or go on."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

from .._backends.base import Session
from .._cli.quoting import Quoter, Word, quoter
from .._io import text
from .._io.deadline import check_seconds
from ..callbacks import start_error
from ..command import Launch
from ..errors import InvalidInput
from ..options import Pty, Sudo
from ..process import RemoteProcess
from ..program import Program
from ..redirect import DEVNULL, PIPE, STDOUT, Destination, Plumber, Plumbing, Redirect
from ..results import Command, CompletedCommand
from ..running import Limits, Run, start
from .wording import Wording


class _Default(enum.Enum):
    ENCODING = "the connection's own encoding"


ENCODING: Final = _Default.ENCODING
Encoding = str | None | _Default


class Commands(Wording):
    """The part of a connection that runs commands."""

    def run(
        self,
        *command: Word | Sequence[Word] | Program,
        input: str | bytes | None = None,
        stdin: Redirect = DEVNULL,
        stdout: Destination = PIPE,
        stderr: Destination = PIPE,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pty: Pty | bool | None = None,
        remote_shell: str | Quoter | None = None,
        sudo: Sudo | bool = False,
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        forward_agent: bool | None = None,
        forward_x11: bool | None = None,
        check: bool = False,
    ) -> CompletedCommand:
        """Run a command and wait for it.

        Args:
            command: several words, or one list of words: quoted, so that each arrives as it is; `Glob` and `Raw`
                among them are for the remote shell to read. One string: passed to the account's login shell as it is.
                A `Program`: started past that shell.
            input: sent to its standard input.
            stdin: what to read instead: a file, descriptor, socket or path; without either it gets an empty input.
                KEEP_OPEN: no end is sent after `input`, for programs (and servers) that hang up when they see one.
            stdout, stderr: PIPE to capture it, DEVNULL, a file, descriptor or socket, the path of a file to be written
                anew, None for our own; STDOUT (stderr only).
            env: variables for it. Where the server does not take one (AcceptEnv in sshd_config), the command's
                shell sets it, and its value can be seen in the process list there.
            cwd: directory to run it in.
            pty: a terminal for it (True: vt100, 80 by 24); it then puts everything out on stdout.
            remote_shell: the account's login shell (see `Defaults`); default: the connection's.
            sudo: have sudo run it as somebody else, see `Sudo`; True: as root, with no password.
            encoding: of its output and of a str input; None for bytes. Default: the connection's.
            errors: what happens to bytes that are no text (see `codecs`).
            timeout: seconds the whole command may take.
            idle_timeout: seconds it may put nothing out.
            forward_agent, forward_x11: whether it may use our agent and display, where `connect` has allowed that;
                None: as the connection does.
            check: raise when it ends with another status than 0.

        Raises:
            CommandTimeout: a limit passed; the remote process group was killed; carries the output so far.
            CommandFailed: with check=True.
            ConnectionLost: the connection ended meanwhile; carries the output so far.
            ExitStatusMissing: the server did not say how it ended.
            UndecodableOutput: with errors="strict"; carries the bytes.
            SudoRefused: with sudo=; the command was not started.
            OpenRefused, RequestRefused: the server did not run it.
            ProgramNotStarted: a `Program` is not there or not allowed, or its directory is not.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        limits = Limits(timeout, idle_timeout)
        forwards = self._forwards.chosen(forward_agent, forward_x11)
        words = self._words(command)
        launch = self._launch("exec", words, env, cwd, pty, stdout, stderr, remote_shell, sudo)
        how = self._coding(encoding, errors)
        with Plumber(capture=True) as plumber:
            plumber.stdin(None if stdin == DEVNULL else stdin, None if input is None else text.encode(input, *how))
            session, plumbing = self._prepare(launch, plumber, stdout, stderr, forwards)
        done = Run(session, plumbing, _shown(words), self.host, *how).to_the_end(limits)
        return done.check() if check else done

    def capture(
        self,
        *command: Word | Sequence[Word] | Program,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        remote_shell: str | Quoter | None = None,
        sudo: Sudo | bool = False,
        encoding: Encoding = ENCODING,
        timeout: float | None = None,
        idle_timeout: float | None = None,
    ) -> str | bytes:
        """What a command puts out on stdout. Arguments as for `run`.

        Raises:
            CommandFailed: it ended with another status than 0; everything else as for `run`.
        """
        done = self.run(
            *command,
            input=input,
            env=env,
            cwd=cwd,
            remote_shell=remote_shell,
            sudo=sudo,
            encoding=encoding,
            timeout=timeout,
            idle_timeout=idle_timeout,
            check=True,
        )
        assert done.stdout is not None
        return done.stdout

    def popen(
        self,
        *command: Word | Sequence[Word] | Program,
        stdin: Redirect = None,
        stdout: Destination = None,
        stderr: Destination = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pty: Pty | bool | None = None,
        subsystem: str | None = None,
        remote_shell: str | Quoter | None = None,
        sudo: Sudo | bool = False,
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        bufsize: int = -1,
        wait: bool = True,
        open_timeout: float | None = None,
        forward_agent: bool | None = None,
        forward_x11: bool | None = None,
    ) -> RemoteProcess:
        """Start a command and go on. Without a command it is the account's login shell.

        Args:
            command, env, cwd, pty, remote_shell, sudo, encoding, errors, forward_agent, forward_x11: as for `run`.
            stdin: PIPE, DEVNULL, a file, descriptor, socket or path; None: an empty input; KEEP_OPEN: one without end.
            stdout, stderr: PIPE, DEVNULL, a file, descriptor, socket or path, None for our own, a `Feed`; STDOUT
                (stderr only). SOCKET for both stdin and stdout: one socket for the two.
            subsystem: the name of a subsystem to start instead (RFC 4254 section 6.5), such as `sftp`.
            bufsize: buffer size of the pipes' files in bytes, as for `open`.
            wait: False: come back before it is known whether it starts (`add_start_callback`, `check_started`).
            open_timeout: seconds the server may take to have a session for it (`MaxSessions` in sshd_config(5)), and to
                say that it runs (3 at least). None: as long as others of this connection may end, 10 s where it has
                none, and 60 s for it to answer.

        Raises:
            OpenRefused, RequestRefused: the server did not run it.
            OpenTimeout: it had no session within `open_timeout`; nothing has started.
            MasterUnresponsive: it did not answer at all. It may run the command when it comes back.
            ProgramNotStarted: a `Program` is not there or not allowed, or its directory is not.
            ConnectionLost: the connection ended.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        if open_timeout is not None:
            check_seconds(open_timeout, "open_timeout")
            if not wait:
                raise InvalidInput("open_timeout= is for whoever waits for the start, and wait=False does not")
        kind, words = self._kind_of(command, subsystem)
        forwards = self._forwards.chosen(forward_agent, forward_x11)
        default = self.defaults
        stdin = default.stdin if stdin is None else stdin
        stdout = default.stdout if stdout is None else stdout
        stderr = default.stderr if stderr is None else stderr
        launch = self._launch(kind, words, env, cwd, pty, stdout, stderr, remote_shell, sudo)
        how = self._coding(encoding, errors)
        with Plumber(capture=False) as plumber:
            plumber.stdin(stdin, None)
            session, plumbing = self._prepare(launch, plumber, stdout, stderr, forwards)
        encoding_used, errors_used = how
        process: RemoteProcess | None = None
        try:
            process = RemoteProcess(
                session,
                plumbing,
                command=_shown(words),
                host=self.host,
                encoding=encoding_used,
                errors=errors_used,
                bufsize=bufsize,
            )
            start(session, self.host, wait=wait, limit=open_timeout)
            if wait and (error := start_error(session)) is not None:
                raise error
        except BaseException:
            (process or session).close()
            raise
        return process

    def _launch(
        self,
        kind: str,
        words: Command | Program,
        env: Mapping[str, str] | None,
        cwd: str | None,
        pty: Pty | bool | None,
        stdout: Destination,
        stderr: Destination,
        remote_shell: str | Quoter | None,
        sudo: Sudo | bool,
    ) -> Launch:
        terminal = Pty() if pty is True else pty or None
        shell = remote_shell or self.defaults.remote_shell
        return Launch(
            kind=kind,
            command=words,
            env=dict(env or {}),
            login_shell=self._login_shell,
            cwd=cwd,
            pty=terminal,
            # On a terminal both are the same already.
            merge_stderr=stderr == STDOUT and terminal is None,
            discard=(stdout == DEVNULL, stderr == DEVNULL),
            shell=None if shell is None else quoter(shell),
            sudo=Sudo() if sudo is True else sudo or None,
        )

    def _prepare(
        self,
        launch: Launch,
        plumber: Plumber,
        stdout: Destination,
        stderr: Destination,
        forwards: Mapping[str, bool],
    ) -> tuple[Session, Plumbing]:
        """A session that has not begun: whatever an alarm raises before it is watched leaves nothing running."""
        asking = launch.asking()
        request = launch.request(asking).replace(**forwards)
        backend = self._live().backend_for(request)
        plumber.stdout(stdout)
        plumber.stderr(stderr)
        plumbing = plumber.done()
        plumbing.streams.asking = asking
        return backend.new(request, plumbing.streams), plumbing

    def _coding(self, encoding: Encoding, errors: str | None) -> tuple[str | None, str]:
        how = (self.encoding if isinstance(encoding, _Default) else encoding, errors or self.errors)
        text.check_coding(*how)
        return how

    def _kind_of(
        self, words: Sequence[Word | Sequence[Word] | Program], subsystem: str | None
    ) -> tuple[str, Command | Program]:
        if subsystem is None:
            if not words:
                return "shell", ""
            return "exec", self._words(words)
        if words:
            raise InvalidInput("a command and subsystem= were both given", advice="Give one of them")
        return "subsystem", subsystem


def _shown(command: Command | Program) -> Command:
    """As results and errors tell of it."""
    return list(command.words) if isinstance(command, Program) else command
