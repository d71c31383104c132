"""Directories that are there for a moment. What makes them takes long to load, so it is loaded when one is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["private_directory"]


@contextmanager
def private_directory(where: str | None = None) -> Iterator[str]:
    """A directory of this user alone, gone at the end of the block.

    Args:
        where: the directory it is made in; None for the system's place for such things.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="openssh-compat-", dir=where) as directory:
        yield directory
