"""What a transfer did."""

from __future__ import annotations

from .._value import Value

__all__ = ["Item", "Report"]


class Item(Value):
    """One file, directory or link of a transfer.

    Attributes:
        source: its path where it came from.
        target: its path where it went, or would have gone.
        size: bytes that were transferred; 0 for what is no file.
        why: the reason, for what was skipped.
        error: the exception, for what failed.
    """

    source: str
    target: str
    size: int = 0
    why: str = ""
    error: Exception | None = None


class Report:
    """What a transfer did, skipped and failed to do.

    Attributes:
        done, skipped, failed: lists of `Item`, each in the order in which it became known. Directories that were
            there already are in none of them.
        size: bytes that were transferred, of files that were completed.
        seconds: how long it took.
    """

    def __init__(self) -> None:
        self.done: list[Item] = []
        self.skipped: list[Item] = []
        self.failed: list[Item] = []
        self.size = 0
        self.seconds = 0.0

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {len(self.done)} done, {len(self.skipped)} skipped, {len(self.failed)} failed, "
            f"{self.size} bytes in {self.seconds:.3g} s>"
        )

    def did(self, source: str, target: str, size: int = 0) -> None:
        """Something was completed."""
        self.done.append(Item(source, target, size))
        self.size += size

    def skip(self, source: str, target: str, why: str) -> None:
        """Something was left out."""
        self.skipped.append(Item(source, target, why=why))

    def fail(self, source: str, target: str, error: Exception) -> None:
        """Something went wrong."""
        self.failed.append(Item(source, target, error=error))
