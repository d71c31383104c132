"""Quoting for remote shells: one quoter for each family of them.

shell_quote("rm", "-f", "my file")                  rm -f 'my file'
shell_quote_glob("my files/*.[ch]")                 'my files/'*.[ch]
quoter("fish").quote("it's")                        'it\\'s'
"""

from __future__ import annotations

from ._cli.quoting import ChainQuoter, Glob, PosixQuoter, Quoter, Raw, Word, quoter
from ._cli.quoting.csh import CshQuoter
from ._cli.quoting.fish import FishQuoter
from ._cli.quoting.powershell import PowerShellQuoter
from ._cli.quoting.windows import CmdQuoter, CreateProcessQuoter

__all__ = [
    "ChainQuoter",
    "CmdQuoter",
    "CreateProcessQuoter",
    "CshQuoter",
    "FishQuoter",
    "Glob",
    "PosixQuoter",
    "PowerShellQuoter",
    "Quoter",
    "Raw",
    "quoter",
    "shell_quote",
    "shell_quote_glob",
]


def shell_quote(*words: Word, shell: str | Quoter = "posix") -> str:
    """Words as a shell has to be given them, with blanks between them.

    Args:
        words: text, bytes or paths; `Raw` and `Glob` among them keep their meaning.
        shell: for which one; see `quoter`.

    Raises:
        InvalidCommand: a NUL, or what this shell has no way to be given.
        InvalidInput: there is no quoter of that name.
    """
    one = quoter(shell)
    return " ".join(one.quote_word(word) for word in words)


def shell_quote_glob(*patterns: Word, shell: str | Quoter = "posix") -> str:
    """Patterns (see `Glob`) with their wildcards alive and everything else quoted. Arguments and errors as above."""
    one = quoter(shell)
    return " ".join(one.quote_glob(pattern) for pattern in patterns)
