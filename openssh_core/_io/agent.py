"""An ssh-agent of our own, for keys that exist only in memory: they reach it over a pipe and never touch the disk.

Its life hangs on a pipe that only we hold: a shell waits for its end and then ends the agent, which is its child, so
that no number of a process that may mean another one by now is needed. So it is gone at once when we are killed.
"""

from __future__ import annotations

import os
import select
import subprocess
import weakref

from ..errors import ConnectError, SSHNotFound
from .deadline import Deadline

# $1: the program; $2: its socket. The agent says on its output that it listens; then nobody else holds that output.
_SCRIPT = """
"$1" -D -a "$2" &
exec >/dev/null 2>&1
read -r _
kill -KILL $!
wait $!
rm -f -- "$2"
"""

# Seconds for what needs no network.
_PATIENCE = 10.0


def program_beside(ssh: str, name: str) -> str:
    """Another program of OpenSSH: of the same build as `ssh` where that is given by its path."""
    beside = os.path.join(os.path.dirname(ssh), name)
    return beside if os.path.dirname(ssh) and os.access(beside, os.X_OK) else name


class PrivateAgent:
    """An agent that listens at `path` when this returns, and has no keys.

    Args:
        path: in a directory that is ours alone.
        ssh: the ssh program that will use it.

    Raises:
        SSHNotFound: there is no ssh-agent.
        ConnectError: it does not start.
    """

    def __init__(self, path: str, ssh: str) -> None:
        self.path = path
        self._program = program_beside(ssh, "ssh-agent")
        self._add = program_beside(ssh, "ssh-add")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "agent", self._program, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            # Ctrl-C in our terminal is not for it.
            start_new_session=True,
        )
        _agents.add(self)
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.end()
            raise

    def _wait_until_it_listens(self) -> None:
        deadline = Deadline.after(_PATIENCE)
        output = self._process.stdout
        assert output is not None
        said = b""
        while b"SSH_AUTH_SOCK" not in said:
            left = deadline.left()
            assert left is not None
            poll = select.poll()
            poll.register(output, select.POLLIN)
            piece = os.read(output.fileno(), 4096) if poll.poll(left * 1000) else b""
            said += piece
            if not piece:
                words = said.decode("utf-8", "replace").strip()
                if "not found" in words:
                    raise SSHNotFound(f"there is no {self._program}, which private keys in memory need")
                raise ConnectError(f"{self._program} does not start ({words or 'without a word'})")

    def add_argv(self, lifetime: int) -> list[str]:
        """The command line that adds the key on its input; it may ask for a passphrase.

        Args:
            lifetime: seconds after which the agent forgets it.
        """
        return [self._add, "-q", "-t", str(lifetime), "-"]

    def environment(self) -> dict[str, str]:
        """Where ssh-add finds it."""
        return {"SSH_AUTH_SOCK": self.path}

    def public_keys(self) -> list[str]:
        """The public part of each key it has, as in a file with `.pub`, the oldest first.

        Raises:
            ConnectError: it does not say.
        """
        try:
            done = subprocess.run(
                [self._add, "-L"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                env={**os.environ, **self.environment()},
            )
        except subprocess.TimeoutExpired as error:
            raise ConnectError("the agent for the private key does not answer") from error
        if done.returncode or not done.stdout.strip():
            raise ConnectError(f"the agent for the private key has gone ({done.stderr.strip() or 'it has no keys'})")
        return done.stdout.splitlines()

    def end(self) -> None:
        """It forgets its keys and is gone when this returns. Idempotent; in a forked child it is the parent's."""
        process = self._process
        if process.stdin is None or process.stdin.closed:
            return
        process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def abandon(self) -> None:
        """In a forked child: let go of the pipe, or the shell would wait for our end, too."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        # It is not our child: there is nothing to reap and nothing to warn of.
        process.returncode = 0


_agents: weakref.WeakSet[PrivateAgent] = weakref.WeakSet()


def _abandon_all() -> None:
    for agent in list(_agents):
        agent.abandon()


os.register_at_fork(after_in_child=_abandon_all)
