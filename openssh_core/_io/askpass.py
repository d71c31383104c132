"""Answering ssh's questions (SSH_ASKPASS in ssh(1)) from this process, without a terminal.

ssh runs a helper with the question as its argument and reads the answer from its output. The helper is a script in
the master's private directory; it connects back to a socket beside it. Neither its arguments nor its environment
hold a secret.
"""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Callable

from ..errors import ConnectError
from .interpreter import find_python
from .sockets import check_peer

# Runs as `python -I -S -c ... SOCKET QUESTION`. It exits with 1 when there is no answer; ssh then gets none.
_HELPER = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode("utf-8", "surrogateescape"))
s.shutdown(socket.SHUT_WR)
answer = b""
while piece := s.recv(4096):
    answer += piece
if not answer:
    sys.exit(1)
sys.stdout.buffer.write(answer)
"""

# Seconds the helper has to say its question once it has connected.
_PATIENCE = 5.0
_LONGEST_QUESTION = 65_536


class AskpassServer:
    """The listening socket and the script.

    Args:
        directory: private; nobody else can reach what is in it.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, "a")
        self.script = os.path.join(directory, "askpass")
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self._listener.bind(self._path)
            self._listener.listen(8)
            self._listener.setblocking(False)
            self._write_script()
        except BaseException:
            self._listener.close()
            raise

    def _write_script(self) -> None:
        python = find_python("to answer ssh's questions with", ", or log in by key")
        words = [python, "-I", "-S", "-c", _HELPER, self._path]
        fd = os.open(self.script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with open(fd, "w", encoding="utf-8", errors="surrogateescape") as script:
            script.write(f'#!/bin/sh\nexec {shlex.join(words)} "$1"\n')
        if not os.access(self.script, os.X_OK):
            raise ConnectError(
                f"nothing can be run in {os.path.dirname(self.script)} (mounted noexec), so ssh cannot ask",
                advice="Give a directory on another file system as control_dir=",
            )

    def environment(self) -> dict[str, str]:
        """What ssh needs to find it."""
        return {"SSH_ASKPASS": self.script, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": os.environ.get("DISPLAY", ":")}

    def fileno(self) -> int:
        return self._listener.fileno()

    def serve(self, answer: Callable[[str], str | None]) -> None:
        """Take one question and answer it. To be called when the socket is readable; `answer` may raise."""
        try:
            peer, _ = self._listener.accept()
        except BlockingIOError:
            return
        with peer:
            check_peer(peer, self._path)
            peer.settimeout(_PATIENCE)
            try:
                question = _read(peer)
            except OSError as error:
                raise _helper_lost(error) from error
            reply = answer(question)
            try:
                if reply is not None:
                    peer.sendall(reply.encode("utf-8", "surrogateescape") + b"\n")
            except OSError as error:
                # ssh has been told nothing, and goes on as if that were the answer.
                raise _helper_lost(error) from None

    def close(self) -> None:
        """The script and the socket go too. Idempotent."""
        self._listener.close()
        for path in (self._path, self.script):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def _helper_lost(error: OSError) -> ConnectError:
    return ConnectError(
        f"the helper that ssh asks its questions through went away ({error.strerror or 'it says nothing'})"
    )


def _read(peer: socket.socket) -> str:
    question = b""
    while len(question) < _LONGEST_QUESTION and (piece := peer.recv(4096)):
        question += piece
    return question.decode("utf-8", "replace")
