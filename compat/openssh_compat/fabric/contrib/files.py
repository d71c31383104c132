"""fabric 1: looking at files of the host, and changing them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any

from ..v1.context import hide, settings
from ..v1.operations import run, sudo
from ..v1.strings import AttributeString

__all__ = ["append", "comment", "contains", "exists", "first", "is_link", "sed", "uncomment"]


def _runner(use_sudo: bool) -> Callable[..., AttributeString]:
    return sudo if use_sudo else run


def _path(path: Any) -> str:
    """Quoted for the shell, but for a home directory in front and wildcards: they mean what they mean there."""
    text = str(path)
    home, slash, rest = text.partition("/") if text.startswith("~") else ("", "", text)
    pieces = re.split(r"([*?\[\]{},])", rest)
    quoted = "".join(piece if at % 2 else (shlex.quote(piece) if piece else "") for at, piece in enumerate(pieces))
    return home + slash + quoted


def _test(command: str, use_sudo: bool, shell: bool = True, verbose: bool = False) -> bool:
    with settings(*([] if verbose else [hide("everything")]), warn_only=True):
        return _runner(use_sudo)(command, shell=shell).succeeded


def exists(path: Any, use_sudo: bool = False, verbose: bool = False) -> bool:
    """Whether there is such a file; a link that leads nowhere is one, too.

    Args:
        verbose: show the command and what it says.
    """
    return _test(f"stat {_path(path)} >/dev/null 2>&1", use_sudo, verbose=verbose)


def is_link(path: Any, use_sudo: bool = False, verbose: bool = False) -> bool:
    """Whether it is a symbolic link."""
    return _test(f"test -L {_path(path)}", use_sudo, verbose=verbose)


def first(*paths: Any, use_sudo: bool = False, verbose: bool = False) -> Any:
    """The first of the files that there is, None when there is none."""
    return next((path for path in paths if exists(path, use_sudo, verbose)), None)


def contains(
    filename: Any,
    text: str,
    exact: bool = False,
    use_sudo: bool = False,
    escape: bool = True,
    shell: bool = False,
    case_sensitive: bool = True,
) -> bool:
    """Whether a file has a line with the text.

    Args:
        exact: the text is the whole line.
        escape: the text means itself; otherwise it is an extended regular expression.
    """
    pattern = _literally(text) if escape else text
    if exact:
        pattern = f"^{pattern}$"
    flags = "" if case_sensitive else " -i"
    return _test(f"grep -E -q{flags} -e {shlex.quote(pattern)} -- {_path(filename)}", use_sudo, shell)


def append(
    filename: Any,
    text: str | Iterable[str],
    use_sudo: bool = False,
    partial: bool = False,
    escape: bool = True,
    shell: bool = False,
) -> None:
    """Add lines to a file, but for those it has already.

    Args:
        partial: a line that only begins with the text counts, too.
        escape: for fabric's sake: the text always means itself.
    """
    for line in [text] if isinstance(text, str) else text:
        pattern = "^" + _literally(line) + ("" if partial else "$")
        found = line and exists(filename, use_sudo) and contains(filename, pattern, use_sudo=use_sudo, escape=False)
        if not found:
            _runner(use_sudo)(f"printf '%s\\n' {shlex.quote(line)} | tee -a {_path(filename)} >/dev/null")


def sed(
    filename: Any,
    before: str,
    after: str,
    limit: str = "",
    use_sudo: bool = False,
    backup: str = ".bak",
    flags: str = "",
    shell: bool = False,
) -> AttributeString:
    """Replace in a file, line by line, what fits an extended regular expression.

    Args:
        before, after: as sed has them; slashes and line ends are taken care of.
        limit: only on lines that fit this.
        backup: added to the name of a copy; empty for none.
        flags: more of sed's flags; `g` is always on.
    """
    where = f"/{limit.replace('/', chr(92) + '/')}/ " if limit else ""
    old, new = (text.replace("/", "\\/").replace("\n", "\\n") for text in (before, after))
    program = shlex.quote(f"{where}s/{old}/{new}/{flags}g")
    return _runner(use_sudo)(f"sed -i{backup} -r -e {program} {_path(filename)}", shell=shell)


def uncomment(
    filename: Any, regex: str, use_sudo: bool = False, char: str = "#", backup: str = ".bak", shell: bool = False
) -> AttributeString:
    """Take the comment sign from the lines that fit."""
    return sed(
        filename,
        before=rf"^([[:space:]]*){_literally(char)}[[:space:]]?",
        after=r"\1",
        limit=regex,
        use_sudo=use_sudo,
        backup=backup,
        shell=shell,
    )


def comment(
    filename: Any, regex: str, use_sudo: bool = False, char: str = "#", backup: str = ".bak", shell: bool = False
) -> AttributeString:
    """Put a comment sign before the lines that fit.

    Args:
        regex: may begin with `^` and end with `$`.
    """
    start = "^" if regex.startswith("^") else ""
    end = "$" if regex.endswith("$") else ""
    middle = regex.removeprefix("^").removesuffix("$")
    return sed(
        filename,
        before=f"{start}({middle}){end}",
        after=rf"{char}\1",
        use_sudo=use_sudo,
        backup=backup,
        shell=shell,
    )


def _literally(text: str) -> str:
    """As an extended regular expression that fits just this."""
    return re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", text)
