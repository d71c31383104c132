"""Two or more that read a word one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InvalidCommand
from .quoter import Quoter
from .words import Word


class ChainQuoter(Quoter):
    """For a word that the first quoter's shell reads, then the second's, and so on.

    A pattern is alive for the last of them.

    Raises:
        InvalidCommand: there is none.
    """

    def __init__(self, quoters: Sequence[Quoter]) -> None:
        if not quoters:
            raise InvalidCommand("a chain needs quoters")
        self._outer = list(reversed(quoters[:-1]))
        self._inner = quoters[-1]
        self.name = ",".join(quoter.name for quoter in quoters)
        self.redirections = quoters[0].redirections

    def quote_text(self, text: str) -> str:
        return self._through(self._inner.quote_text(text))

    def quote(self, word: Word) -> str:
        return self._through(self._inner.quote(word))

    def quote_glob(self, pattern: Word) -> str:
        return self._through(self._inner.quote_glob(pattern))

    def _through(self, text: str) -> str:
        for quoter in self._outer:
            text = quoter.escape(text)
        return text
