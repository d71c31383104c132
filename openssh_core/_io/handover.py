"""Handing ssh a socket that is connected to its server already (ProxyUseFdpass in ssh_config(5)).

ssh runs a helper as its ProxyCommand and takes one descriptor from it. The helper is a script in the master's private
directory; it connects back to a socket beside it, is handed the descriptor and hands it on. Then it is done: no process
stands between ssh and its server, and nothing secret is in any argument.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
from collections.abc import Iterator

from ..errors import ConnectError, InsecureControlSocket
from .deadline import Deadline
from .interpreter import find_python
from .reactor import READ, Reactor
from .socket_like import Transport
from .sockets import check_peer, send_descriptor

# Runs as `python -I -S -c ... SOCKET`, its output a socket of ssh's.
_HELPER = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
_, fds, _, _ = socket.recv_fds(s, 1, 1)
if not fds:
    sys.exit(1)
socket.send_fds(socket.socket(fileno=1), [b"\\0"], fds)
"""


# What stands in for a shell where nobody is to have one (nologin(8)).
_NO_SHELLS = ("false", "nologin", "true")


def environment() -> dict[str, str]:
    """What ssh needs to run the helper: it does so by $SHELL, and that of a service's account may be no shell."""
    shell = os.environ.get("SHELL")
    if shell is None or (os.access(shell, os.X_OK) and os.path.basename(shell) not in _NO_SHELLS):
        return {}
    return {"SHELL": "/bin/sh"}


@contextlib.contextmanager
def handed_over(directory: str, transport: Transport | None, deadline: Deadline, reactor: Reactor) -> Iterator[str]:
    """The command by which ssh gets its connection while it logs in; empty when it makes it itself."""
    if transport is None:
        yield ""
        return
    handover = Handover(directory, transport(deadline), reactor)
    try:
        yield handover.command
    finally:
        handover.close()


class Handover:
    """Gives a socket to the first ssh that asks for it.

    Args:
        directory: private; nobody else can reach what is in it.
        sock: becomes this object's own.

    Attributes:
        command: for ProxyCommand.
    """

    def __init__(self, directory: str, sock: socket.socket, reactor: Reactor) -> None:
        self._sock: socket.socket | None = sock
        self._reactor = reactor
        self._path = os.path.join(directory, "p")
        self._script = os.path.join(directory, "proxy")
        # Expanded by ssh, then read by the user's shell, whichever that is.
        self.command = shlex.quote(self._script).replace("%", "%%")
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self._listener.bind(self._path)
            self._listener.listen(1)
            self._listener.setblocking(False)
            self._write_script()
        except BaseException:
            self.close()
            raise
        reactor.submit(lambda: reactor.watch(self._listener.fileno(), READ, self._on_ready))

    def _write_script(self) -> None:
        words = [find_python("to hand ssh its connection"), "-I", "-S", "-c", _HELPER, self._path]
        fd = os.open(self._script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with open(fd, "w", encoding="utf-8", errors="surrogateescape") as script:
            script.write(f"#!/bin/sh\nexec {shlex.join(words)}\n")
        if not os.access(self._script, os.X_OK):
            raise ConnectError(
                f"nothing can be run in {os.path.dirname(self._script)} (mounted noexec), and ssh needs a helper",
                advice="Give a directory on another file system as control_dir=",
            )

    def _on_ready(self, _mask: int) -> None:
        try:
            peer, _ = self._listener.accept()
        except BlockingIOError:
            return
        with peer:
            try:
                check_peer(peer, self._path)
            except InsecureControlSocket:
                return
            sock, self._sock = self._sock, None
            if sock is None:
                return
            with sock:
                try:
                    send_descriptor(peer, sock.fileno())
                except OSError:
                    pass  # the helper is gone, and ssh says so

    def close(self) -> None:
        """The script, the socket beside it, and what was not handed over go. Idempotent."""
        self._reactor.call(self._close)

    def _close(self) -> None:
        if self._listener.fileno() >= 0:
            self._reactor.unwatch(self._listener.fileno())
        self._listener.close()
        if self._sock is not None:
            self._sock.close()
        for path in (self._path, self._script):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
