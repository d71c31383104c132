"""Words become text that the remote login shell reads back as the same words, byte for byte.

One quoter for each family of shells, each in a file that says what it relies on; it is loaded for an account that has
such a shell. `quote` and `join` are the POSIX ones, for the many places where nothing else can be meant.
"""

from __future__ import annotations

from importlib import import_module

from ...errors import InvalidInput
from .chain import ChainQuoter
from .posix import PosixQuoter
from .quoter import Quoter
from .words import Glob, PathLike, Raw, Word, check_text

__all__ = [
    "POSIX",
    "ChainQuoter",
    "Glob",
    "PathLike",
    "PosixQuoter",
    "Quoter",
    "Raw",
    "Word",
    "check_text",
    "join",
    "quote",
    "quoter",
]

POSIX = PosixQuoter()

# By the names of shells: where their quoter is, and what it is called there.
_QUOTERS = {
    **dict.fromkeys(
        ("posix", "sh", "ash", "bash", "busybox", "dash", "fizsh", "ksh", "ksh93", "lksh", "mksh", "pdksh", "posh"),
        ("posix", "PosixQuoter"),
    ),
    **dict.fromkeys(("yash", "zsh"), ("posix", "PosixQuoter")),
    **dict.fromkeys(("csh", "tcsh"), ("csh", "CshQuoter")),
    "fish": ("fish", "FishQuoter"),
    **dict.fromkeys(("cmd", "cmd.exe", "mscmd"), ("windows", "CmdQuoter")),
    **dict.fromkeys(("createprocess", "mswin"), ("windows", "CreateProcessQuoter")),
    **dict.fromkeys(("powershell", "powershell.exe", "pwsh", "pwsh.exe"), ("powershell", "PowerShellQuoter")),
}
_made: dict[tuple[str, str], Quoter] = {("posix", "PosixQuoter"): POSIX}

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
    found = [_quoter_for(name) for name in names]
    for name, one in zip(names, found, strict=True):
        if one is None:
            raise InvalidInput(
                f"there is no quoter for {name!r}", advice=f"Give one of {', '.join(sorted(_QUOTERS))}, or a Quoter"
            )
    known = [one for one in found if one is not None]
    return known[0] if len(known) == 1 else ChainQuoter(known)


def _quoter_for(name: str) -> Quoter | None:
    where = _QUOTERS.get(name)
    if where is None:
        return None
    if where not in _made:
        module, kind = where
        _made[where] = getattr(import_module(f".{module}", __name__), kind)()
    return _made[where]
