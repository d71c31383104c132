"""The base of all errors, and what their texts are made of."""

from __future__ import annotations

from typing import Any

Output = str | bytes | None


class OpenSSHError(Exception):
    """Base of everything this library raises on its own account.

    Args:
        what: what happened, a short phrase.
        host: the destination as the caller named it, where there is one.
        advice: what to do about it; a class may have a standing one.
    """

    advice: str = ""

    def __init__(self, what: str, *, host: str | None = None, advice: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.host = host
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        head = f"{self.host}: {self.what}" if self.host else self.what
        return f"{head}. {self.advice}" if self.advice else head

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only facts do not survive the default way of pickling an exception.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[OpenSSHError], args: tuple[Any, ...], facts: dict[str, Any]) -> OpenSSHError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error
