"""What cleans up when this program is killed and cannot do it itself.

A master ends by itself when nobody uses it any more, but a command that still runs is a use, and its directory stays
in any case. So one small shell for the whole program waits for the end of a pipe that only we hold. It then ends the
masters whose directories it was told of and removes these.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading

# Reads directories, a line each, until the other end of its input is gone. `ssh -O exit` ends whatever listens at the
# socket, so no process id that may mean another process by now is needed.
_SCRIPT = """
set --
while IFS= read -r directory; do set -- "$@" "$directory"; done
for directory; do
    [ -f "$directory/ssh" ] || continue
    ssh=$(cat "$directory/ssh")
    [ -S "$directory/c" ] && "$ssh" -F none -S "$directory/c" -O exit -- none
    rm -f -- "$directory"/*
    rmdir -- "$directory"
done
"""


class Watcher:
    """The shell, there while there is a directory to watch."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._directories: set[str] = set()

    def guard(self, directory: str, ssh: str) -> None:
        """Clean up this directory, and end the master in it, should we die.

        Args:
            ssh: the program that can talk to the master.
        """
        with open(os.path.join(directory, "ssh"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(ssh)
        with self._lock:
            self._directories.add(directory)
            if self._process is None:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    bufsize=0,
                    # Ctrl-C in our terminal is not for it.
                    start_new_session=True,
                )
            assert self._process.stdin is not None
            # Without it we are as well off as without a watcher: no reason not to connect.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(os.fsencode(directory) + b"\n")

    def release(self, directory: str) -> None:
        """It has been cleaned up. Idempotent."""
        with self._lock:
            self._directories.discard(directory)
            if not self._directories:
                self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # Before its input ends: there is nothing left for it to do.
            process.kill()
            assert process.stdin is not None
            process.stdin.close()
            process.wait()

    def abandon(self) -> None:
        """In a forked child: let go of the pipe, or the shell would wait for our end, too."""
        self._lock = threading.RLock()
        self._directories.clear()
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            # It is not our child: there is nothing to reap and nothing to warn of.
            process.returncode = 0


watcher = Watcher()

os.register_at_fork(after_in_child=watcher.abandon)
