"""An ssh-agent(1) of our own, with one key, for as long as it takes to sign once.

It cannot outlive this program: the shell in between waits for the end of a pipe that only this program holds, and
takes the agent with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._agent_protocol import signature
from ._programs import run_program
from ._temporary import private_directory
from .ssh_exception import SSHException

if TYPE_CHECKING:
    from .pkey import PrivatePart

__all__ = ["sign"]

# Started by the agent, as its command.
_GUARD = 'echo ready; read -r line; kill "$SSH_AGENT_PID"'


def sign(private: PrivatePart, blob: bytes, data: bytes, algorithm: str | None) -> bytes:
    """A signature, as in RFC 4253 section 6.6.

    Raises:
        SSHException: the key cannot be opened, or the agent refuses.
    """
    if algorithm is None:
        algorithm = "rsa-sha2-512"
    with _agent() as path:
        run_program(
            ["ssh-add", "-q", "-"],
            input=private.text,
            answers=[private.passphrase],
            environment={"SSH_AUTH_SOCK": path},
        )
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            return signature(sock, blob, data, algorithm)


@contextmanager
def _agent() -> Iterator[str]:
    """The path of its socket."""
    with private_directory() as directory:
        path = os.path.join(directory, "agent")
        try:
            agent = subprocess.Popen(
                ["ssh-agent", "-a", path, "sh", "-c", _GUARD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise SSHException("there is no ssh-agent program; install OpenSSH's client") from None
        with agent:
            assert agent.stdout is not None
            # The socket is there before the command runs.
            if agent.stdout.readline() != b"ready\n":
                raise SSHException("ssh-agent did not start")
            yield path
