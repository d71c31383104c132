"""ssh-keygen(1) does with private keys what needs their secrets: opens them, makes them, writes them anew.

A key is shown to it in memory where the system can (memfd_create), else in a private directory for the moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ._programs import run_program
from ._temporary import private_directory

__all__ = ["change_form", "new_key", "public_line"]


def public_line(text: bytes, passphrase: str | None) -> str:
    """The public half of a private key, as in a .pub file.

    Raises:
        SSHException: the passphrase does not open it, or it is no key.
    """
    with _in_memory(text) as (path, fds):
        return run_program(["ssh-keygen", "-y", "-f", path], answers=[passphrase], fds=fds)


def new_key(kind: str, bits: int | None) -> bytes:
    """Make a key pair; the text of the private one, without a passphrase.

    Args:
        kind: as for `ssh-keygen -t`.
        bits: as for `-b`; None for the usual.
    """
    with private_directory(_memory_directory()) as directory:
        path = os.path.join(directory, "key")
        size = [] if bits is None else ["-b", str(bits)]
        run_program(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "", "-f", path])
        with open(path, "rb") as file:
            return file.read()


def change_form(text: bytes, old: str | None, new: str | None, *, pem: bool) -> bytes:
    """A private key under another passphrase, or in another format.

    Args:
        old, new: the passphrases; None for none.
        pem: write it in the format that OpenSSL began; else in OpenSSH's own.

    Raises:
        SSHException: it could not be opened.
    """
    with private_directory(_memory_directory()) as directory:
        path = os.path.join(directory, "key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        # It asks for the old passphrase where there is one, then twice for the new.
        answers = [old, new or "", new or ""]
        run_program(["ssh-keygen", "-q", "-p", *(["-m", "PEM"] if pem else []), "-f", path], answers=answers)
        with open(path, "rb") as file:
            return file.read()


def _memory_directory() -> str | None:
    """Where files lie in memory, if there is such a place."""
    place = "/dev/shm"
    return place if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK) else None


@contextmanager
def _in_memory(text: bytes) -> Iterator[tuple[str, Sequence[int]]]:
    """A path at which a child can read it, and the descriptors the child needs for that."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        with open(os.memfd_create("key"), "w+b") as memory:
            # Like any key that others can read, it would be refused.
            os.fchmod(memory.fileno(), 0o600)
            memory.write(text)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}", (memory.fileno(),)
    else:
        with private_directory() as directory:
            path = os.path.join(directory, "key")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text)
            yield path, ()
