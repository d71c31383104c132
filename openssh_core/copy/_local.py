"""Names of files on this machine, which are bytes to the system and text to Python."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable

from .._cli.names import Name, Names, name_of, names_of
from ..errors import CopyError


def local_name(given: Name, what: str = "local") -> str:
    """One name, spelled as the command lines of other programs are: UTF-8 with "surrogateescape".

    Raises:
        InvalidInput: it is none.
    """
    return _spelled(name_of(_native(given), what))


def local_names(given: Names, what: str = "local") -> list[str]:
    """One or several.

    Raises:
        InvalidInput: there is none.
    """
    if isinstance(given, str | bytes) or hasattr(given, "__fspath__"):
        return [local_name(given, what)]  # type: ignore[arg-type]
    if isinstance(given, Iterable):
        given = [_native(name) for name in given]
    return [_spelled(name) for name in names_of(given, what)]


def fitting(patterns: list[str], host: str, program: str) -> list[str]:
    """The files that fit patterns, as a shell would give them.

    Raises:
        CopyError: none fits one of them.
    """
    found: list[str] = []
    for pattern in patterns:
        names = sorted(glob.glob(pattern))
        if not names:
            raise CopyError(
                f"no file fits {pattern!r}", host=host, program=program, reason="no file fits", advice="See glob="
            )
        found += names
    return found


def _native(given: Name) -> Name:
    return os.fsdecode(given) if isinstance(given, bytes) else given


def _spelled(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "surrogateescape")
