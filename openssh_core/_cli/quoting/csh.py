"""csh and tcsh: any bytes but NUL arrive.

History is replaced between apostrophes, too, and a line ends them. So what stands outside, after a backslash, is the
apostrophe, the exclamation mark and the backslash; a newline may stay inside, after one. How many characters a
word may have is up to the csh.
"""

from __future__ import annotations

import re

from ...errors import InvalidCommand
from .globs import Set
from .posix import PosixQuoter
from .quoter import Quoter

_SPECIAL = re.compile(r"([\\'!]+)|\n")


_ASCII = re.compile(r"([\x00-\x7f]+)")


class CshQuoter(Quoter):
    """For csh and tcsh."""

    name = "csh"
    steps = "sh"
    # There is none for stderr alone.
    redirections = (">/dev/null", None, ">&/dev/null", None)
    _reserved = PosixQuoter._reserved | {"@"}

    def quote_text(self, text: str) -> str:
        return "'" + _SPECIAL.sub(_special, text) + "'"

    def _glob_text(self, text: str) -> str:
        # In a pattern tcsh does not find quoted characters of several bytes again; bare ones mean nothing to it.
        return "".join(piece if not piece.isascii() else self.quote(piece) for piece in _ASCII.split(text) if piece)

    def _glob_set(self, part: Set) -> str:
        if part.classes:
            raise InvalidCommand(f"csh has no {part.classes[0]} in a Glob()")
        text = super()._glob_set(part)
        # An exclamation mark would be history.
        return f"[^{text[2:]}" if part.negated else text


def _special(match: re.Match[str]) -> str:
    return "'" + "".join("\\" + char for char in match[1]) + "'" if match[1] else "\\\n"
