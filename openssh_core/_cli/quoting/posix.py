"""sh, bash, dash, ksh, mksh and zsh: any bytes but NUL arrive.

Only apostrophes and backslashes outside of them are used, because all shells agree on these:

- between apostrophes everything stands for itself in a POSIX shell;
- fish would read a backslash there, and csh an exclamation mark, so those two stand outside, after a backslash,
  as the apostrophe itself has to.

So what is quoted here is right for fish and csh, too, but for newlines (csh refuses them: "Unmatched '") and bytes that
are no text of their locale. That makes it the choice where the remote shell is not known.
"""

from __future__ import annotations

import re

from .quoter import Quoter

_SPECIAL = re.compile(r"[\\'!]+")

# Quoted, such a word means nothing to the shell. From POSIX XCU 2.4, and what bash, ksh, zsh, fish and csh have
# besides.
_RESERVED_WORDS = """
    and begin breaksw case coproc default do done elif else end endif endsw esac fi for foreach function if in
    namespace not onintr or repeat select switch then time until while
"""


class PosixQuoter(Quoter):
    """For every shell that descends from Bourne's."""

    name = "posix"
    steps = "posix"
    redirections = (">/dev/null", "2>/dev/null", ">/dev/null 2>&1", "2>&1")
    _reserved = frozenset(_RESERVED_WORDS.split())

    def quote_text(self, text: str) -> str:
        return "'" + _SPECIAL.sub(_outside, text) + "'"


def _outside(match: re.Match[str]) -> str:
    return "'" + "".join("\\" + char for char in match[0]) + "'"
