"""What a quoter is: one family of shells, and how words are written for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import InvalidCommand
from .globs import Home, Set, Text, Wild, parse
from .words import Glob, Raw, Word, check_text, text_of


class Quoter:
    """Writes words so that a shell reads them back as the same words.

    A base for your own: `quote_text` is what has to be written.

    Attributes:
        name: what it is called in messages.
        steps: how commands for this shell can be given a directory, variables, or one stream for both outputs:
            `posix`, in front of the command; `sh`, in a `sh` of their own; None: not at all.
        redirections: what sends stdout, stderr, both, or stderr with stdout away: four pieces of shell text, put
            behind the words of a command. None where the shell has nothing for it.
    """

    name: str = "?"
    steps: str | None = None
    redirections: tuple[str | None, str | None, str | None, str | None] = (None, None, None, None)

    # What needs no quotes.
    _is_safe = re.compile(r"[A-Za-z0-9_./:,@+-]+").fullmatch
    # A program called so is meant, not the shell's own word.
    _reserved: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<quoter for {self.name}>"

    def quote_text(self, text: str) -> str:
        """Text in quotes, whether it needs them or not.

        Raises:
            InvalidCommand: this shell cannot be given it.
        """
        raise NotImplementedError

    def quote(self, word: Word) -> str:
        """One word.

        Args:
            word: text, bytes, or a path whose `__fspath__` is text.

        Raises:
            InvalidCommand: there is a NUL in it, it cannot be encoded, it is something else, or this shell cannot be
                given it.
        """
        text = text_of(word)
        if self._is_safe(text):
            return text
        check_text(text, "an argument")
        return self.quote_text(text)

    def escape(self, text: str) -> str:
        """What a program that this shell starts gets as it is; for the inner one of two quoters in a chain."""
        return self.quote(text)

    def quote_glob(self, pattern: Word) -> str:
        """A pattern as one word, or several where it has braces; see `Glob`.

        Raises:
            InvalidCommand: as for `quote`, or this shell has no such pattern.
        """
        text = text_of(pattern)
        check_text(text, "a Glob()")
        words = []
        for parts in parse(text):
            word = ""
            for part in parts:
                if isinstance(part, Text):
                    word += self._glob_text(part.text)
                elif isinstance(part, Set):
                    word += self._glob_set(part)
                else:
                    word += self._glob_wild(part)
            words.append(word or self.quote_text(""))
        return " ".join(words)

    def _glob_text(self, text: str) -> str:
        return self.quote(text)

    def _glob_wild(self, part: Wild | Home) -> str:
        return part.text

    def _glob_set(self, part: Set) -> str:
        """In an order in which no character gets another meaning: `-` last, `!`, `^` and `]` quoted."""
        ranges = "".join(f"{self.quote(one[0])}-{self.quote(one[2])}" for one in part.ranges)
        singles = "".join(self.quote(char) for char in part.singles if char != "-")
        last = "-" if "-" in part.singles else ""
        return f"[{'!' if part.negated else ''}{ranges}{''.join(part.classes)}{singles}{last}]"

    def join(self, words: Iterable[Word]) -> str:
        """A command line from a program and its arguments, among which there may be `Raw` and `Glob`.

        Raises:
            InvalidCommand: there is nothing to run, or see `quote`.
        """
        if isinstance(words, (str, bytes)):
            raise InvalidCommand("one string is not a list of words")
        words = list(words)
        if not words:
            raise InvalidCommand("there is no command in an empty list")
        written = [self.quote_word(word) for word in words]
        if not isinstance(words[0], Raw) and written[0] in self._reserved:
            written[0] = self.quote_text(written[0])
        return " ".join(written)

    def quote_word(self, word: Word) -> str:
        """A word; `Raw` as it is, `Glob` as a pattern, everything else quoted."""
        if isinstance(word, Raw):
            check_text(word, "a Raw()")
            return word
        return self.quote_glob(word) if isinstance(word, Glob) else self.quote(word)
