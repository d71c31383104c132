"""Removing the file of a Unix socket that the server has listened on: it leaves it there."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Mapping

from .._backends.base import Backend, SessionRequest, Streams
from .._cli.script import PidLine
from .._io.sinks import Discard
from ..errors import OpenSSHError

# Seconds for a command that takes milliseconds where there is a server that answers.
_PATIENCE = 3.0

_log = logging.getLogger("openssh_core.forward")


def remove_socket(backend: Backend, path: str) -> None:
    """Remove it if it is still a socket. What cannot be removed is logged: nothing but a file is left."""
    word = shlex.quote(path)
    command = os.fsencode(f"test -S {word} && rm -f -- {word}")

    def compose(_inline: Mapping[str, str], _pid_line: PidLine | None) -> bytes:
        return command

    try:
        session = backend.start(SessionRequest("exec", compose, urgent=True), Streams(None, Discard(), Discard()))
        if session.wait_closed(_PATIENCE) and session.exit is not None:
            return
        session.close()
    except OpenSSHError:
        pass
    _log.warning("the socket %s is left on the server", path)
