"""Words become text that the remote login shell reads back as the same words, byte for byte.

One quoter for each family of shells, each in a file that says what it relies on. `quote` and `join` are the POSIX
ones, for the many places where nothing else can be meant.
"""

from __future__ import annotations

from ...errors import InvalidInput
from .chain import ChainQuoter
from .csh import CshQuoter
from .fish import FishQuoter
from .posix import PosixQuoter
from .powershell import PowerShellQuoter
from .quoter import Quoter
from .windows import CmdQuoter, CreateProcessQuoter
from .words import Glob, PathLike, Raw, Word, check_text

__all__ = [
    "POSIX",
    "ChainQuoter",
    "CmdQuoter",
    "CreateProcessQuoter",
    "CshQuoter",
    "FishQuoter",
    "Glob",
    "PathLike",
    "PosixQuoter",
    "PowerShellQuoter",
    "Quoter",
    "Raw",
    "Word",
    "check_text",
    "join",
    "quote",
    "quoter",
]

POSIX = PosixQuoter()

_QUOTERS: dict[str, Quoter] = {
    **dict.fromkeys(("posix", "sh", "ash", "bash", "busybox", "dash", "fizsh", "ksh", "ksh93", "lksh", "mksh"), POSIX),
    **dict.fromkeys(("pdksh", "posh", "yash", "zsh"), POSIX),
    **dict.fromkeys(("csh", "tcsh"), CshQuoter()),
    "fish": FishQuoter(),
    **dict.fromkeys(("cmd", "cmd.exe", "mscmd"), CmdQuoter()),
    **dict.fromkeys(("createprocess", "mswin"), CreateProcessQuoter()),
    **dict.fromkeys(("powershell", "powershell.exe", "pwsh", "pwsh.exe"), PowerShellQuoter()),
}

quote = POSIX.quote
join = POSIX.join


def quoter(shell: str | Quoter) -> Quoter:
    """The quoter for a shell.

    Args:
        shell: its name, as in `csh`, in any case; several with commas between them, for a word that one of them reads
            after the other; or a quoter.

    Raises:
        InvalidInput: there is none of that name.
    """
    if isinstance(shell, Quoter):
        return shell
    names = [name.strip().lower() for name in shell.split(",")] if isinstance(shell, str) else [repr(shell)]
    found = [_QUOTERS.get(name) for name in names]
    for name, one in zip(names, found, strict=True):
        if one is None:
            raise InvalidInput(
                f"there is no quoter for {name!r}", advice=f"Give one of {', '.join(sorted(_QUOTERS))}, or a Quoter"
            )
    known = [one for one in found if one is not None]
    return known[0] if len(known) == 1 else ChainQuoter(known)
