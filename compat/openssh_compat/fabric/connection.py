"""A connection to one host, which is a context for tasks."""

from __future__ import annotations

import contextlib
import shlex
from typing import Any

from invoke.exceptions import ResponseNotAccepted
from invoke.watchers import StreamWatcher

from .. import paramiko
from ._files import WithFiles
from ._forwards import forward_local, forward_remote
from .runners import Remote, left_alone
from .transfer import Result, Transfer

__all__ = ["Connection"]


class Connection(WithFiles):
    """A host, connected to when something is first run on it. A context manager that closes it."""

    def run(self, command: str, **kwargs: Any) -> Any:
        """Run a command on the host; see invoke's `Runner.run` for what it can be told.

        Returns:
            a `Result`; a Promise with asynchronous=True.

        Raises:
            invoke.UnexpectedExit: it ended with another status than 0, and `warn` was not given.
            invoke.CommandTimedOut: it took longer than `timeout` seconds, and was killed.

        With disown=True the command is started and left alone: it has no input and no terminal, what it puts out is
        lost, it outlives the connection, and None is returned. shell= counts for `local` only: the host has its own
        login shell.
        """
        return self._run(self._runner(), command, **kwargs)

    def sudo(self, command: str, **kwargs: Any) -> Any:
        """Run a command by sudo, which is given the password when it asks for it; see invoke's `Context.sudo`.

        `cd` and `prefix` come before the command and not before sudo, as they would in fabric: what they do is done as
        the other user, by `sh`.

        Args:
            password, user: instead of those of the configuration (`sudo.password`, `sudo.user`).

        Returns, Raises:
            as `run`, and invoke.AuthFailure: the password is wrong.
        """
        self._watch_sudo(kwargs)
        if kwargs.pop("disown", False):
            # sudo asks before what it runs is left alone.
            self._sudo(self._runner(), _Complete(left_alone(self._prefix_commands(command))), **kwargs)
            return None
        return self._sudo(self._runner(), self._for_sudo(command), **kwargs)

    def begin(self, method: str, command: str, **kwargs: Any) -> Any:
        """Start what `run` or `sudo` would run; a Promise of its end. Unlike asynchronous=True it hides nothing.

        Args:
            method: `run` or `sudo`.
        """
        runner = self._runner().only_begin()
        if method == "sudo":
            self._watch_sudo(kwargs)
            return self._sudo(runner, self._for_sudo(command), **kwargs)
        return self._run(runner, command, **kwargs)

    def _runner(self) -> Remote:
        self.open()
        runner: Remote = self.config.runners.remote(self, inline_env=self.config.inline_ssh_env)
        return runner

    def _watch_sudo(self, kwargs: dict[str, Any]) -> None:
        watchers = kwargs.get("watchers")
        kwargs["watchers"] = [*(self.config.run.watchers if watchers is None else watchers), _Refusal()]

    def _for_sudo(self, command: str) -> str:
        prefixed = self._prefix_commands(command)
        return command if prefixed == command else _Complete(f"sh -c {shlex.quote(prefixed)}")

    def _prefix_commands(self, command: str) -> str:
        if isinstance(command, _Complete):
            return command
        prefixed: str = super()._prefix_commands(command)
        return prefixed

    def local(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command on this machine, as invoke's Context does."""
        return super().run(*args, **kwargs)

    def forward_local(
        self,
        local_port: int,
        remote_port: int | None = None,
        remote_host: str = "localhost",
        local_host: str = "localhost",
    ) -> contextlib.AbstractContextManager[None]:
        """Have a port here lead to a port that the host can reach, for a while. It listens when this returns.

        Args:
            local_port, local_host: where it listens.
            remote_port: the same when left out.
            remote_host: as the host sees it.

        Raises:
            openssh_core.ForwardRefused: it cannot listen there.
        """
        return forward_local(self, local_port, remote_port, remote_host, local_host)

    def forward_remote(
        self,
        remote_port: int,
        local_port: int | None = None,
        remote_host: str = "127.0.0.1",
        local_host: str = "localhost",
    ) -> contextlib.AbstractContextManager[None]:
        """Have a port of the host lead to a port that this machine can reach, for a while.

        Args:
            remote_port, remote_host: where the host listens.
            local_port: the same when left out.
            local_host: as this machine sees it.

        Raises:
            openssh_core.ForwardRefused: it cannot listen there.
        """
        return forward_remote(self, remote_port, local_port, remote_host, local_host)

    def shell(self, **kwargs: Any) -> Any:
        """The account's login shell on a terminal, which is this program's for as long as it runs.

        Args:
            kwargs: encoding, env, in_stream, replace_env, watchers: as for `run`.

        Returns:
            a `Result` whose stdout is everything that was on the terminal. Whatever the status, nothing is raised.
        """
        if wrong := kwargs.keys() - {"encoding", "env", "in_stream", "replace_env", "watchers"}:
            raise TypeError(f"shell() got an unexpected keyword argument {sorted(wrong)[0]!r}")
        self.open()
        runner = self.config.runners.remote_shell(self)
        return runner.run(command=None, pty=True, warn=True, echo=False, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Result:
        """Fetch a file; see `Transfer.get`."""
        return Transfer(self).get(*args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> Result:
        """Send a file; see `Transfer.put`."""
        return Transfer(self).put(*args, **kwargs)

    def rsync(self, source: Any, target: Any, *, get: bool = False, **options: Any) -> Any:
        """Copy by rsync(1) over this connection. A slash at the end of a source means what is in the directory.

        Args:
            source, target: here and there; with `get` there and here.
            options: as for `openssh_core.Connection.rsync_put`: `archive=True`, `delete=True`, `exclude=[...]`.

        Raises:
            openssh_core.CopyError, ProgramNotFound: rsync failed, or is missing here.
        """
        return (self.core.rsync_get if get else self.core.rsync_put)(source, target, **options)

    def create_session(self) -> paramiko.Channel:
        """A session channel of the connection, on which nothing runs yet."""
        self.open()
        assert self.transport is not None
        return self.transport.open_session()


class _Refusal(StreamWatcher):
    """Sees that sudo has not accepted a password, where lines end as on a terminal; invoke sees it elsewhere."""

    def submit(self, stream: str) -> list[str]:
        if "Sorry, try again.\r\n" in stream:
            raise ResponseNotAccepted("sudo did not accept the password")
        return []


class _Complete(str):
    """A command that already has before it what has to come before it."""

    __slots__ = ()
