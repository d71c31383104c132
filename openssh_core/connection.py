"""The front door: one host."""

from __future__ import annotations

import atexit
import enum
import os
import pwd
import weakref
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final

from ._backends.base import Session
from ._cli.config import check_options
from ._cli.target import parse_target
from ._io import text
from ._io.deadline import Deadline, check_seconds
from ._io.secrets import Secret, Secrets
from .command import Launch, command_of
from .errors import ConnectionClosed, InvalidInput, OpenSSHError
from .master import Master
from .options import HostKeys, MasterOptions, Pty
from .process import RemoteProcess
from .redirect import DEVNULL, PIPE, STDOUT, Destination, Plumber, Plumbing, Redirect
from .results import Command, CompletedCommand
from .running import Limits, Run, wait_started
from .starting import adopt_master, start_master

__all__ = ["Connection", "connect"]


class _Default(enum.Enum):
    ENCODING = "the connection's own encoding"


_ENCODING: Final = _Default.ENCODING
Encoding = str | None | _Default


class Connection:
    """An authenticated connection to one host. Made by `connect`; a context manager; thread-safe.

    After a fork the child may go on using it: it then goes its own way through the same master, and never ends
    what belongs to the parent.

    Attributes:
        host: the destination as the caller named it, without any password.
        encoding, errors: how output is made into text unless a call says otherwise.
    """

    def __init__(self, master: Master, host: str, *, encoding: str | None, errors: str) -> None:
        self._master: Master | None = master
        self.host = host
        self.encoding = encoding
        self.errors = errors
        _open.add(self)

    def __repr__(self) -> str:
        state = "closed" if self._master is None else f"master {self._master.pid}"
        return f"<Connection {self.host}: {state}>"

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        master = getattr(self, "_master", None)
        if master is not None:
            # A finaliser may run anywhere, with any lock held: it only lets go. The master ends by itself then.
            master.let_go()

    # ---- the connection itself

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._master is None

    @property
    def control_path(self) -> str:
        """The master's control socket, for other programs that use it (`ssh -S`)."""
        return self._live().control_path

    @property
    def master_pid(self) -> int:
        """The master's process id."""
        return self._live().pid

    def check(self) -> None:
        """See that the master is there and answers. Says nothing about the server behind it.

        Raises:
            ConnectionLost: it is gone.
            MasterUnresponsive: it does not answer.
            ConnectionClosed: this connection was closed.
        """
        self._live().check()

    def close(self) -> None:
        """End what runs over it, and the master unless it is somebody else's. Idempotent.

        Commands that still run are sent SIGTERM, and SIGKILL a moment later.
        """
        master, self._master = self._master, None
        if master is not None:
            _open.discard(self)
            master.close()

    def _live(self) -> Master:
        if self._master is None:
            raise ConnectionClosed("this connection was closed", host=self.host)
        return self._master

    # ---- commands

    def run(
        self,
        *command: str | Sequence[str],
        input: str | bytes | None = None,
        stdin: Redirect = DEVNULL,
        stdout: Destination = PIPE,
        stderr: Destination = PIPE,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pty: Pty | bool | None = None,
        encoding: Encoding = _ENCODING,
        errors: str | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        check: bool = False,
    ) -> CompletedCommand:
        """Run a command and wait for it.

        Args:
            command: several words, or one list of words: quoted for a POSIX shell, so that each arrives as it is.
                One string: passed to the account's login shell as it is.
            input: sent to its standard input.
            stdin: a file or descriptor to read instead; without either it gets an empty input.
            stdout, stderr: PIPE to capture it, DEVNULL, a file or descriptor, None for our own; STDOUT (stderr only).
            env: variables for it. Where the server does not take one (AcceptEnv in sshd_config), the command's
                shell sets it, and its value can be seen in the process list there.
            cwd: directory to run it in.
            pty: a terminal for it (True: vt100, 80 by 24); it then puts everything out on stdout.
            encoding: of its output and of a str input; None for bytes. Default: the connection's.
            errors: what happens to bytes that are no text (see `codecs`).
            timeout: seconds the whole command may take.
            idle_timeout: seconds it may put nothing out.
            check: raise when it ends with another status than 0.

        Raises:
            CommandTimeout: a limit passed; the remote process group was killed; carries the output so far.
            CommandFailed: with check=True.
            ConnectionLost: the connection ended meanwhile; carries the output so far.
            ExitStatusMissing: the server did not say how it ended.
            OpenRefused, RequestRefused: the server did not run it.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        limits = Limits(timeout, idle_timeout)
        words = command_of(command)
        launch = self._launch("exec", words, env, cwd, pty, stderr)
        how = self._coding(encoding, errors)
        with Plumber(capture=True) as plumber:
            plumber.stdin(None if stdin == DEVNULL else stdin, None if input is None else text.encode(input, *how))
            session, plumbing = self._start(launch, plumber, stdout, stderr)
        done = Run(session, plumbing, words, self.host, *how).to_the_end(limits)
        return done.check() if check else done

    def capture(
        self,
        *command: str | Sequence[str],
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        encoding: Encoding = _ENCODING,
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
            encoding=encoding,
            timeout=timeout,
            idle_timeout=idle_timeout,
            check=True,
        )
        assert done.stdout is not None
        return done.stdout

    def popen(
        self,
        *command: str | Sequence[str],
        stdin: Redirect = None,
        stdout: Destination = None,
        stderr: Destination = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pty: Pty | bool | None = None,
        subsystem: str | None = None,
        encoding: Encoding = _ENCODING,
        errors: str | None = None,
        bufsize: int = -1,
    ) -> RemoteProcess:
        """Start a command and go on. Without a command it is the account's login shell.

        Args:
            command, env, cwd, pty, encoding, errors: as for `run`.
            stdin: PIPE, DEVNULL, a file or descriptor; None is an empty input.
            stdout, stderr: PIPE, DEVNULL, a file or descriptor, None for our own, a `Feed`; STDOUT (stderr only).
            subsystem: the name of a subsystem to start instead (RFC 4254 section 6.5), such as `sftp`.
            bufsize: buffer size of the pipes' files in bytes, as for `open`.

        Raises:
            OpenRefused, RequestRefused: the server did not run it.
            ConnectionLost: the connection ended.
            InvalidInput: one of its subclasses says what cannot be; nothing was sent.
        """
        kind, words = _kind_of(command, subsystem)
        launch = self._launch(kind, words, env, cwd, pty, stderr)
        how = self._coding(encoding, errors)
        with Plumber(capture=False) as plumber:
            plumber.stdin(stdin, None)
            session, plumbing = self._start(launch, plumber, stdout, stderr)
        encoding_used, errors_used = how
        process = RemoteProcess(
            session,
            plumbing,
            command=words,
            host=self.host,
            encoding=encoding_used,
            errors=errors_used,
            bufsize=bufsize,
        )
        wait_started(session, self.host)
        if session.error is not None and not session.is_running:
            process.close()
            raise session.error
        return process

    def _launch(
        self,
        kind: str,
        words: Command,
        env: Mapping[str, str] | None,
        cwd: str | None,
        pty: Pty | bool | None,
        stderr: Destination,
    ) -> Launch:
        terminal = Pty() if pty is True else pty or None
        return Launch(
            kind=kind,
            command=words,
            env=dict(env or {}),
            cwd=cwd,
            pty=terminal,
            # On a terminal both are the same already.
            merge_stderr=stderr == STDOUT and terminal is None,
        )

    def _start(
        self, launch: Launch, plumber: Plumber, stdout: Destination, stderr: Destination
    ) -> tuple[Session, Plumbing]:
        request = launch.request()
        backend = self._live().backend
        plumber.stdout(stdout)
        plumber.stderr(stderr)
        plumbing = plumber.done()
        return backend.start(request, plumbing.streams), plumbing

    def _coding(self, encoding: Encoding, errors: str | None) -> tuple[str | None, str]:
        return self.encoding if isinstance(encoding, _Default) else encoding, errors or self.errors


def _kind_of(words: Sequence[str | Sequence[str]], subsystem: str | None) -> tuple[str, Command]:
    if subsystem is None:
        return ("exec", command_of(words)) if words else ("shell", "")
    if words:
        raise InvalidInput("a command and subsystem= were both given", advice="Give one of them")
    return "subsystem", subsystem


def connect(
    target: str,
    *,
    user: str | None = None,
    port: int | None = None,
    key: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    password: Secret = None,
    passphrase: Secret = None,
    agent: bool = True,
    host_keys: HostKeys = "strict",
    known_hosts: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    connect_timeout: float | None = 30.0,
    config_file: str | os.PathLike[str] | None = None,
    control_dir: str | os.PathLike[str] | None = None,
    control_path: str | os.PathLike[str] | None = None,
    options: Mapping[str, str | int | bool | Sequence[str]] | None = None,
    ssh: str = "ssh",
    keepalive: int = 15,
    spare: bool = True,
    encoding: str | None = "utf-8",
    errors: str = "surrogateescape",
) -> Connection:
    """Log in to a host.

    Args:
        target: `host`, `user@host:port`, a Host alias of ssh_config, or an ssh:// URL.
        user, port: instead of in the target.
        key: private key file(s); nothing else is offered then, but for what the agent has of them.
        password, passphrase: the secret, or a callable that is given ssh's question and returns the answer (or None).
            Without either ssh asks nothing (BatchMode).
        agent: False to leave the ssh-agent out.
        host_keys: what happens to a host key that is in no known_hosts file: `strict` refuses it, `accept-new`
            records it, `warn` accepts it unrecorded, `config` leaves it to ssh_config. A changed key is never accepted,
            but by `config` where ssh_config says so.
        known_hosts: file(s) to use instead of the usual ones.
        connect_timeout: seconds for all of it, login and questions included; None for no limit.
        config_file: instead of ~/.ssh/config and the system's; `none` for no configuration at all.
        control_dir: an existing directory of yours for the control socket's own private directory.
        control_path: take up the master that listens there, instead of starting one; it will not be ended by us.
        options: further options of ssh_config(5).
        ssh: the ssh program.
        keepalive: seconds of silence after which ssh asks the server whether it is still there; three times
            unanswered ends the connection.
        spare: keep one session open in advance, which saves a round trip for each command.
        encoding, errors: how output is made into text; encoding=None gives bytes.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: one of its subclasses says what cannot be; nothing was started.
    """
    where = parse_target(target, user=user, port=port)
    if connect_timeout is not None:
        check_seconds(connect_timeout, "connect_timeout")
    deadline = Deadline.after(connect_timeout)
    name = str(where)
    if control_path is not None:
        master: Master = adopt_master(os.fspath(control_path), name, deadline)
        return Connection(master, name, encoding=encoding, errors=errors)
    secrets = Secrets(where.password if password is None else password, passphrase)
    master_options = MasterOptions(
        target=where,
        keys=_paths(key),
        agent=agent,
        host_keys=host_keys,
        known_hosts=None if known_hosts is None else _paths(known_hosts),
        connect_timeout=connect_timeout,
        config_file=None if config_file is None else os.fspath(config_file),
        options=check_options(options or {}),
        ssh=ssh,
        keepalive=keepalive,
        askpass=bool(secrets),
        home=_home(),
    )
    directory = None if control_dir is None else os.fspath(control_dir)
    started = start_master(master_options, secrets, deadline, host=name, control_dir=directory, spare=spare)
    return Connection(started, name, encoding=encoding, errors=errors)


def _home() -> str:
    # ssh(1) goes by the password file, not by $HOME.
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def _paths(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str | os.PathLike):
        return (os.path.abspath(os.path.expanduser(given)),)
    return tuple(os.path.abspath(os.path.expanduser(path)) for path in given)


_open: weakref.WeakSet[Connection] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A program that ends without closing leaves nothing behind either."""
    for connection in list(_open):
        try:
            connection.close()
        except OpenSSHError:
            pass  # nobody is left to tell; the master ends by itself
