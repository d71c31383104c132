"""Small things that several of these modules share."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

__all__ = ["ClosingContextManager"]

Self = TypeVar("Self", bound="ClosingContextManager")


class ClosingContextManager:
    """A `with` block closes it at its end."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Idempotent."""
        raise NotImplementedError
