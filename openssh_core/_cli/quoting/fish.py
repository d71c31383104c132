"""fish: any bytes but NUL arrive.

Between its apostrophes a backslash takes the meaning of an apostrophe and of itself. Bytes that are no text stand
outside, by their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import InvalidCommand
from .globs import Home, Set, Wild
from .posix import PosixQuoter
from .quoter import Quoter
from .words import Raw, Word, text_of

# Bytes that were no UTF-8, as "surrogateescape" carries them.
_NO_TEXT = re.compile("[\udc80-\udcff]+")


class FishQuoter(Quoter):
    """For fish."""

    name = "fish"
    steps = "sh"
    redirections = (">/dev/null", "2>/dev/null", ">/dev/null 2>&1", "2>&1")
    _reserved = PosixQuoter._reserved | {"!"}

    def quote_text(self, text: str) -> str:
        text = text.replace("\\", "\\\\").replace("'", "\\'")
        return "'" + _NO_TEXT.sub(_by_number, text) + "'"

    def join(self, words: Iterable[Word]) -> str:
        words = words if isinstance(words, (str, bytes)) else list(words)
        line = super().join(words)
        # fish's own words are that in quotes, too.
        meant = not isinstance(words[0], Raw) and text_of(words[0]) in self._reserved
        return f"command {line}" if meant else line

    def _glob_wild(self, part: Wild | Home) -> str:
        if part.text == "?":
            raise InvalidCommand("not every fish has ? in a Glob()", advice="Use *, or list the names")
        return part.text

    def _glob_set(self, part: Set) -> str:
        raise InvalidCommand("fish has no [...] in a Glob()", advice="Use *, or braces: {a,b}")


def _by_number(match: re.Match[str]) -> str:
    return "'" + "".join(f"\\X{ord(char) - 0xDC00:02x}" for char in match[0]) + "'"
