"""fabric 1: whole directories."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from openssh_core import OpenSSHError

from ..v1.connections import connection
from ..v1.state import env, output
from ..v1.strings import AttributeList, AttributeString
from ..v1.transfers import put
from ..v1.utils import abort, error

__all__ = ["rsync_project", "upload_project"]

# What rsync's short options are called in full; those that take a value are not here.
_SHORT = {
    "a": "archive",
    "c": "checksum",
    "C": "cvs_exclude",
    "g": "group",
    "h": "human_readable",
    "H": "hard_links",
    "i": "itemize_changes",
    "k": "copy_dirlinks",
    "l": "links",
    "L": "copy_links",
    "n": "dry_run",
    "o": "owner",
    "O": "omit_dir_times",
    "p": "perms",
    "q": "quiet",
    "r": "recursive",
    "R": "relative",
    "S": "sparse",
    "t": "times",
    "u": "update",
    "v": "verbose",
    "W": "whole_file",
    "x": "one_file_system",
    "z": "compress",
}


def rsync_project(
    remote_dir: Any,
    local_dir: Any = None,
    exclude: str | Iterable[str] = (),
    delete: bool = False,
    extra_opts: str = "",
    ssh_opts: str = "",
    capture: bool = False,
    upload: bool = True,
    default_opts: str = "-pthrvz",
) -> AttributeString:
    """Make a directory of the host like one here, by rsync, over the connection there is.

    Args:
        remote_dir: where the directory is to be, or (with a slash at the end of `local_dir`) what is in it.
        local_dir: the directory, the current one when left out.
        exclude: patterns of names that are left out.
        delete: remove what is not here.
        extra_opts, default_opts: more of rsync's options, as on its command line.
        ssh_opts: refused: no new connection is made that they could be for.
        capture: keep what rsync says, instead of showing it.
        upload: False copies from there to here.
    """
    if ssh_opts:
        abort("rsync_project(ssh_opts=...): files go over the connection there is; give options in ssh_config")
    options = dict(_options(shlex.split(default_opts) + shlex.split(extra_opts)))
    patterns = [exclude] if isinstance(exclude, str) else list(exclude)
    if patterns:
        options["exclude"] = [*options.get("exclude", []), *patterns]
    if delete:
        options["delete"] = True
    here = os.fspath(local_dir) if local_dir is not None else os.getcwd()
    host = connection()
    if output.running:
        print(f"[{env.host_string}] rsync_project: {here} {'->' if upload else '<-'} {remote_dir}")  # noqa: T201
    try:
        if upload:
            done = host.rsync_put(here, os.fspath(remote_dir), **options)
        else:
            done = host.rsync_get(os.fspath(remote_dir), here, **options)
    except OpenSSHError as failure:
        error(f"rsync_project: {failure}")
        result = AttributeString("")
        result.failed, result.return_code = True, getattr(failure, "returncode", None) or 1
        return result
    result = AttributeString(str(done.stdout or "").strip())
    if output.stdout and not capture and result:
        print(result)  # noqa: T201  # what it is shown for
    return result


def upload_project(local_dir: Any = None, remote_dir: Any = "", use_sudo: bool = False) -> AttributeList:
    """Send a directory with all that is in it.

    Args:
        local_dir: the directory, the current one when left out.
        remote_dir: in which directory it is to be; the account's home directory, or `cd`, when left out.
        use_sudo: as for `put`.
    """
    here = os.path.abspath(os.fspath(local_dir) if local_dir else os.getcwd())
    place = f"{os.fspath(remote_dir)}/" if remote_dir else None
    return put(here, place, use_sudo=use_sudo, use_glob=False)


def _options(words: list[str]) -> Iterator[tuple[str, Any]]:
    """rsync's options as `rsync_put` has them."""
    lists: dict[str, list[str]] = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in ("exclude", "include", "filter") and not equals and at < len(words):
                value, equals = words[at], "="
                at += 1
            key = name.replace("-", "_")
            if key in ("exclude", "include", "filter"):
                lists.setdefault(key, []).append(value)
            else:
                yield (key.removeprefix("no_"), False) if key.startswith("no_") else (key, value if equals else True)
        elif word.startswith("-"):
            for letter in word[1:]:
                if letter not in _SHORT:
                    abort(f"rsync_project: rsync's -{letter} is not known here; write its long name")
                yield _SHORT[letter], True
        else:
            abort(f"rsync_project: {word!r} is no option")
    yield from lists.items()
