"""A login on a terminal of its own, talked through by the caller's function in the words of pexpect.

For servers and devices whose questions no list of secrets answers, and for an ssh before 8.4, which cannot be told to
ask a helper. The terminal never echoes, and what passes over it is kept in memory only.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pexpect

from ..errors import SSHNotFound
from .askpass import AskpassServer
from .deadline import Deadline

LoginHandler = Callable[[Any], object]

# Seconds for each wait of the handler when the login has no limit.
_PATIENCE = 3600.0
_LAST_STEPS = 5.0


class PtyLauncher:
    """ssh on its way to becoming a master, on a terminal. Used like a `Launcher`.

    Args:
        argv: the command line; the program first.
        environment: additions to ours.
        handler: is given the `pexpect.spawn` object of the login; when it returns, the dialogue is over.

    Attributes:
        pid: of ssh.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], handler: LoginHandler) -> None:
        self._handler = handler
        self._heard = io.StringIO()
        try:
            self._child = pexpect.spawn(
                argv[0],
                list(argv[1:]),
                env={**os.environ, **environment, "SSH_ASKPASS_REQUIRE": "never"},
                echo=False,
                # The end of the launcher, which leads the session, is the end of the terminal: not so for the master.
                ignore_sighup=True,
                encoding="utf-8",
                codec_errors="backslashreplace",
            )
        except pexpect.ExceptionPexpect as error:
            raise SSHNotFound(f"{argv[0]!r} cannot be run") from error
        self._child.logfile_read = self._heard
        pid = self._child.pid
        assert pid is not None
        self.pid: int = pid

    @property
    def said(self) -> str:
        """What ssh has written to the terminal."""
        return self._heard.getvalue()

    def wait(
        self, deadline: Deadline, _askpass: AskpassServer | None, _answer: Callable[[str], str | None]
    ) -> int | None:
        """The exit status; None when the deadline passed first. Whatever the handler raises ends the wait."""
        left = deadline.left()
        self._child.timeout = _PATIENCE if left is None else left
        try:
            self._handler(self._child)
        except pexpect.EOF:
            # ssh may be through, or have given up, while the handler still waits for something.
            pass
        except pexpect.TIMEOUT:
            if deadline.passed:
                return None
            raise
        left = deadline.left()
        try:
            if self._child.isalive():
                self._child.expect(pexpect.EOF, timeout=_PATIENCE if left is None else max(left, 0.01))
        except pexpect.TIMEOUT:
            return None
        return self._status()

    def _status(self) -> int:
        child = self._child
        if child.isalive():
            # The terminal is closed, so it is about to end.
            with contextlib.suppress(pexpect.ExceptionPexpect):
                child.wait()
        status: int | None = child.exitstatus
        return -int(child.signalstatus or 0) if status is None else status

    def kill(self) -> None:
        """End it and everything it has started."""
        self.strike()
        if self._child.isalive():
            self._child.wait()

    def strike(self) -> None:
        """The same from another thread: whoever waits for it sees its end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give the terminal back. The master does not have it."""
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self._child.close(force=True)
