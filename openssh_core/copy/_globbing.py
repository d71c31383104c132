"""Names on the server that fit a pattern, as a shell finds them: sorted, and a dot in front only when asked for."""

from __future__ import annotations

import posixpath
import re

from .._cli.names import has_pattern
from .._wire import sftp as wire
from .._wire.sftp_replies import EOF, Attrs, Handle, Names, Status
from ..sftp.client import SFTPClient
from ..sftp.paths import to_text
from .filters import part_expression


def fitting(client: SFTPClient, pattern: bytes) -> list[bytes]:
    """The paths that fit. A directory that cannot be listed has none.

    Raises:
        OpenSSHError: the connection broke.
    """
    found = [b"/"] if pattern.startswith(b"/") else [b""]
    parts = [part for part in pattern.split(b"/") if part]
    for number, part in enumerate(parts):
        text = to_text(part)
        if has_pattern(text):
            fits = re.compile(part_expression(text), re.DOTALL)
            found = [
                posixpath.join(directory, name)
                for directory in found
                for name in sorted(_names(client, directory or b"."))
                if fits.fullmatch(to_text(name)) and (part.startswith(b".") or not name.startswith(b"."))
            ]
        else:
            found = [posixpath.join(directory, part) for directory in found]
            if number == len(parts) - 1 or found[1:]:
                found = _existing(client, found)
    return found


def _existing(client: SFTPClient, paths: list[bytes]) -> list[bytes]:
    replies = client._ask_all([wire.LStat(path) for path in paths])
    return [path for path, reply in zip(paths, replies, strict=True) if isinstance(reply, Attrs)]


def _names(client: SFTPClient, directory: bytes) -> list[bytes]:
    opened = client._session.call(wire.OpenDir(directory))
    if not isinstance(opened, Handle):
        return []
    names: list[bytes] = []
    try:
        while True:
            reply = client._session.call(wire.ReadDir(opened.handle))
            if not isinstance(reply, Names):
                if isinstance(reply, Status) and reply.code != EOF:
                    return []
                return names
            # What is no part of a path fits nothing.
            names += [
                entry.name
                for entry in reply.entries
                if entry.name not in (b"", b".", b"..") and not {0, ord("/")} & set(entry.name)
            ]
    finally:
        client._close_handle(opened.handle)
