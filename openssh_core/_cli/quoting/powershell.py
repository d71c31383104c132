"""PowerShell: text between apostrophes stands for itself.

Its cmdlets and, from 7.3 on, programs get every word as it is. Windows PowerShell 5.1 itself takes quotation marks and
empty words apart once more on the way to a program; that cannot be helped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .quoter import Quoter
from .words import Raw, Word

# PowerShell takes the typographic ones for apostrophes, too.
_APOSTROPHES = re.compile("['\u2018\u2019\u201a\u201b]")


class PowerShellQuoter(Quoter):
    """For pwsh and powershell. `Glob` is quoted as any word: cmdlets look for patterns in what they are given."""

    name = "powershell"
    redirections = (">$null", "2>$null", ">$null 2>&1", "2>&1")

    # A word that begins with a digit could be a number with a unit, and a dot in an option would end it.
    _is_safe = re.compile(r"-{0,2}[A-Za-z_][A-Za-z0-9_-]*|[A-Za-z_./][A-Za-z0-9_./-]*").fullmatch

    def quote_text(self, text: str) -> str:
        return "'" + _APOSTROPHES.sub(r"\g<0>\g<0>", text) + "'"

    def quote_glob(self, pattern: Word) -> str:
        return self.quote(pattern)

    def join(self, words: Iterable[Word]) -> str:
        # A quoted word alone is a value; `&` makes it a command. Bare, it might be one of the language's own words.
        words = words if isinstance(words, (str, bytes)) else list(words)
        line = super().join(words)
        return line if isinstance(words[0], Raw) else f"& {line}"
