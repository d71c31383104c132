"""What must not outlive us is given to a process that notices our end, whichever way it comes.

The watcher is a shell that reads a pipe whose other end only we hold. The kernel closes that end when this process
dies, even by SIGKILL; then the shell becomes the program that ends the server and deletes its files. Neither a signal
at the parent's death (it is bound to the thread that started the child, and only Linux has it) nor a process group
(sshd gives every connection and every command a session of its own) does that. A child that this process forked, and
that never executed another program, holds that end, too: then the last of them counts.
"""

from __future__ import annotations

import os
import subprocess
import sys

from . import _processes

_SCRIPT = 'read -r word; [ "$word" = done ] || exec "$@"'


class Watcher:
    """Cleans up after a server whose owner died.

    Args:
        directory: the server's directory.
    """

    def __init__(self, directory: str) -> None:
        # -I -S: nothing of the user's environment, and no site-packages, may get in the way of the cleaning.
        cleaner = [sys.executable, "-I", "-S", _processes.__file__, directory]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", *cleaner],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is not for it
            cwd="/",
        )

    @property
    def pid(self) -> int:
        """The shell's process number."""
        return self._process.pid

    def dismiss(self) -> None:
        """There is nothing left to watch."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            try:
                os.write(pipe.fileno(), b"done\n")
            except BrokenPipeError:  # somebody ended it before us
                pass
            pipe.close()
        self._process.wait()
