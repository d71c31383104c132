"""Windows: programs get one line and take it apart themselves, and cmd.exe reads it before they do.

Two quoters, because two read it. A word for a program that cmd.exe starts needs both: `cmd,createprocess`.
"""

from __future__ import annotations

import re

from ...errors import InvalidCommand
from .quoter import Quoter
from .words import Word, check_text, text_of

_BEFORE_A_QUOTE = re.compile(r'(\\*)"')
_AT_THE_END = re.compile(r"(\\+)\Z")

_META = re.compile(r'[()%!^"<>&|]')
_SEPARATORS = re.compile(r"[ \t,;=]")


class CreateProcessQuoter(Quoter):
    """For the line that CreateProcess takes and a program's C library takes apart (CommandLineToArgvW).

    Patterns are the programs' own affair: `Glob` is quoted as any word.
    """

    name = "createprocess"

    _is_safe = re.compile(r'[^\s"]+').fullmatch

    def quote_text(self, text: str) -> str:
        text = _BEFORE_A_QUOTE.sub(r'\1\1\\"', text)
        return '"' + _AT_THE_END.sub(r"\1\1", text) + '"'

    def quote(self, word: Word) -> str:
        text = text_of(word)
        check_text(text, "an argument")
        return text if self._is_safe(text) else self.quote_text(text)

    def quote_glob(self, pattern: Word) -> str:
        return self.quote(pattern)


class CmdQuoter(Quoter):
    """For cmd.exe, as `cmd /c` reads it: every character that means something to it gets a caret.

    Alone it is for cmd's own commands (`dir`, `copy`, `echo`), which know no way to be given a quotation mark.
    """

    name = "cmd"
    redirections = (">NUL:", "2>NUL:", ">NUL: 2>&1", "2>&1")

    _is_safe = re.compile(r"[A-Za-z0-9_./:@+\\-]+").fullmatch

    def quote_text(self, text: str) -> str:
        if '"' in text:
            raise InvalidCommand(
                "cmd.exe's own commands cannot be given a quotation mark",
                advice="For a program that cmd.exe starts use the quoter 'cmd,createprocess'",
            )
        escaped = self.escape(text)
        return f'^"{escaped}^"' if not text or _SEPARATORS.search(text) else escaped

    def escape(self, text: str) -> str:
        check_text(text, "an argument")
        if "\n" in text or "\r" in text:
            raise InvalidCommand("cmd.exe ends a command at a newline: an argument cannot have one")
        return _META.sub(r"^\g<0>", text)

    def quote_glob(self, pattern: Word) -> str:
        return self.quote(pattern)
