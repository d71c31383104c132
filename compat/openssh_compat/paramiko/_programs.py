"""Running OpenSSH's programs for keys, which may ask for a passphrase.

The answer goes through SSH_ASKPASS and a pipe: never into an argument, the environment, or a file.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ._temporary import private_directory
from .ssh_exception import SSHException

__all__ = ["run_program"]

# Seconds; they compute for a moment, or longer where a passphrase has many rounds.
_PATIENCE = 120.0

# The answer is the next line of the pipe beside it.
_ASKPASS = '#!/bin/sh\nIFS= read -r answer < "$0.pipe" && printf \'%s\\n\' "$answer"\n'


def run_program(
    argv: Sequence[str],
    *,
    answers: Sequence[str | None] = (),
    input: bytes = b"",
    fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a program prints.

    Args:
        answers: to what it asks, in order; None is no answer.
        input: for its standard input.
        fds: descriptors it gets.
        environment: variables it gets besides ours.

    Raises:
        SSHException: it failed; with its last words.
    """
    with _answering([answer for answer in answers if answer is not None]) as asking:
        try:
            done = subprocess.run(
                list(argv),
                input=input,
                capture_output=True,
                pass_fds=tuple(fds),
                env={**os.environ, **(environment or {}), **asking},
                # Without a terminal it cannot ask there; before OpenSSH 8.4 that is what makes it use SSH_ASKPASS.
                start_new_session=True,
                timeout=_PATIENCE,
                check=False,
            )
        except FileNotFoundError:
            raise SSHException(f"there is no {argv[0]} program; install OpenSSH's client") from None
        except subprocess.TimeoutExpired:
            raise SSHException(f"{argv[0]} did not end within {_PATIENCE:g} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SSHException(f"{argv[0]}: {said[-1].rpartition(': ')[2] if said else f'status {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace").strip()


@contextmanager
def _answering(answers: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Variables by which a program's questions get these answers."""
    environment = {"SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    if not answers:
        yield environment
        return
    if any("\n" in answer or "\0" in answer for answer in answers):
        raise SSHException("a passphrase with a line's end in it cannot be typed")
    with private_directory() as directory:
        script = os.path.join(directory, "askpass")
        with open(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "w", encoding="ascii") as file:
            file.write(_ASKPASS)
        os.mkfifo(f"{script}.pipe", 0o600)
        # Open for both, so that opening waits for nobody.
        pipe = os.open(f"{script}.pipe", os.O_RDWR | os.O_NONBLOCK)
        try:
            os.write(pipe, "".join(f"{answer}\n" for answer in answers).encode("utf-8", "surrogateescape"))
            environment.update(SSH_ASKPASS=script, SSH_ASKPASS_REQUIRE="force", DISPLAY=os.environ.get("DISPLAY", ":"))
            yield environment
        finally:
            os.close(pipe)
