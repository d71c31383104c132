"""Running ssh until it has logged in and put itself into the background, within a deadline.

The launcher exits with 0 at the moment authentication is complete. Waiting for that needs no polling: a process
descriptor where the system has them, the end of the launcher's output elsewhere. Meanwhile this thread answers
ssh's questions, so a caller's callback runs in the caller's thread.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

from ..errors import SSHNotFound
from .askpass import AskpassServer
from .deadline import Deadline

# Seconds between the end of the launcher's output and the end of the launcher.
_LAST_STEPS = 5.0


class Launcher:
    """ssh on its way to becoming a master, or another of its programs that may ask questions.

    Args:
        argv: the command line; the program first.
        environment: additions to ours.
        log_path: what ssh says before it has opened its own log goes there too.
        text: its input; less than a pipe holds.
    """

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], log_path: str, text: bytes | None = None
    ) -> None:
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **environment},
                # Ctrl-C in the caller's terminal must not reach the master, and the whole group can be ended.
                start_new_session=True,
                restore_signals=True,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise SSHNotFound(f"{argv[0]!r} cannot be run ({error.strerror})") from error
        finally:
            os.close(log)
        if text is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
                stdin.write(text)

    said = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(
        self, deadline: Deadline, askpass: AskpassServer | None, answer: Callable[[str], str | None]
    ) -> int | None:
        """The launcher's exit status; None when the deadline passed first.

        Whatever `answer` raises ends the wait.
        """
        end, close_end = self._end()
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(end, selectors.EVENT_READ)
                if askpass is not None:
                    selector.register(askpass, selectors.EVENT_READ)
                while True:
                    ready = selector.select(deadline.left())
                    if any(key.fd == end for key, _events in ready):
                        return self._process.wait(_LAST_STEPS)
                    if not ready and deadline.passed:
                        return None
                    if ready and askpass is not None:
                        askpass.serve(answer)
        finally:
            close_end()

    def _end(self) -> tuple[int, Callable[[], None]]:
        """A descriptor that is readable once the launcher has ended, and how to give it back."""
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                fd = os.pidfd_open(self._process.pid)
                return fd, lambda: os.close(fd)
        assert self._process.stdout is not None
        return self._process.stdout.fileno(), lambda: None

    def kill(self) -> None:
        """End it and everything it has started."""
        self.strike()
        self._process.wait()

    def strike(self) -> None:
        """The same from another thread: whoever waits for it sees its end."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()
