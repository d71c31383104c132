"""fabric 1: looking at files of the host, and changing them."""

from __future__ import annotations

import importlib
import io
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..v1.context import hide, settings
from ..v1.operations import run, sudo
from ..v1.shellwords import with_wildcards
from ..v1.strings import AttributeList, AttributeString
from ..v1.transfers import put

__all__ = ["append", "comment", "contains", "exists", "first", "is_link", "sed", "uncomment", "upload_template"]


def _runner(use_sudo: bool) -> Callable[..., AttributeString]:
    return sudo if use_sudo else run


def _test(command: str, use_sudo: bool, shell: bool = True, verbose: bool = False) -> bool:
    with settings(*([] if verbose else [hide("everything")]), warn_only=True):
        return _runner(use_sudo)(command, shell=shell).succeeded


def exists(path: Any, use_sudo: bool = False, verbose: bool = False) -> bool:
    """Whether there is such a file; a link that leads nowhere is one, too.

    Args:
        verbose: show the command and what it says.
    """
    return _test(f"stat {with_wildcards(path)} >/dev/null 2>&1", use_sudo, verbose=verbose)


def is_link(path: Any, use_sudo: bool = False, verbose: bool = False) -> bool:
    """Whether it is a symbolic link."""
    return _test(f"test -L {with_wildcards(path)}", use_sudo, verbose=verbose)


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
    return _test(f"grep -E -q{flags} -e {shlex.quote(pattern)} -- {with_wildcards(filename)}", use_sudo, shell)


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
            _runner(use_sudo)(f"printf '%s\\n' {shlex.quote(line)} | tee -a {with_wildcards(filename)} >/dev/null")


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
    return _runner(use_sudo)(f"sed -i{backup} -r -e {program} {with_wildcards(filename)}", shell=shell)


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


def upload_template(
    filename: Any,
    destination: Any,
    context: Mapping[str, Any] | None = None,
    use_jinja: bool = False,
    template_dir: Any = None,
    use_sudo: bool = False,
    backup: bool = True,
    mirror_local_mode: bool = False,
    mode: int | str | None = None,
    pty: bool | None = None,
    keep_trailing_newline: bool = False,
    temp_dir: str = "",
) -> AttributeList:
    """Fill in a template, and send what comes of it.

    Args:
        filename: the template; in `template_dir`, where that is given.
        destination: where to; a directory gets it under its own name.
        context: what is filled in: `%(name)s`, or by jinja2 with `use_jinja`. Left out, the file goes as it is.
        backup: keep what is there as `destination.bak`.
        keep_trailing_newline: of jinja2, which takes one away otherwise.
        use_sudo, mirror_local_mode, mode, temp_dir: as for `put`.
        pty: for fabric's sake.

    Returns:
        as `put`.
    """
    path = os.path.join(os.path.expanduser(os.fspath(template_dir or ".")), os.fspath(filename))
    if use_jinja:
        text = _by_jinja(path, context, keep_trailing_newline)
    else:
        text = Path(path).read_text(encoding="utf-8")
        if context:
            text = text % context
    target = os.fspath(destination)
    if _test(f"test -d {with_wildcards(target)}", use_sudo):
        target = f"{target.rstrip('/')}/{os.path.basename(path)}"
    if backup and exists(target, use_sudo):
        _runner(use_sudo)(f"cp -p {with_wildcards(target)} {with_wildcards(target)}.bak")
    if mirror_local_mode and mode is None:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    return put(io.StringIO(text), target, use_sudo=use_sudo, mode=mode)


def _by_jinja(path: str, context: Mapping[str, Any] | None, keep_trailing_newline: bool) -> str:
    try:
        jinja2 = importlib.import_module("jinja2")
    except ImportError as error:
        raise ImportError("upload_template(use_jinja=True) needs jinja2: pip install jinja2") from error
    folder, name = os.path.split(os.path.abspath(path))
    loader = jinja2.FileSystemLoader([folder, os.curdir])
    made = jinja2.Environment(loader=loader, keep_trailing_newline=keep_trailing_newline)  # no HTML
    rendered: str = jinja2.Environment.get_template(made, name).render(**(context or {}))
    return rendered


def _literally(text: str) -> str:
    """As an extended regular expression that fits just this."""
    return re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", text)
