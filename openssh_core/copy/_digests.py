"""Digests of files there, made by a program there: nothing but the digest travels."""

from __future__ import annotations

import re
from collections.abc import Callable

Run = Callable[[str, bytes], "tuple[int, bytes]"]
"""Runs a command for the remote shell with an input; its status and its output."""

_SCRIPT = """
if command -v sha256sum >/dev/null 2>&1; then sum=sha256sum
elif command -v shasum >/dev/null 2>&1; then sum='shasum -a 256'
else exit 127; fi
"""
_WHOLE = _SCRIPT + "exec xargs -0 $sum"
_BEGINNING = _SCRIPT + 'IFS= read -r length; xargs -0 sh -c \'head -c "$1" "$2" | \'"$sum" sh "$length"'

_LINE = re.compile(rb"^(\\?)([0-9a-f]{64}) [ *](.*)$", re.DOTALL)
_ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}


class Digests:
    """Asks a server for SHA-256 digests; remembers when it has no program for that."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._possible = True

    def __call__(self, paths: list[bytes], length: int | None) -> dict[bytes, str] | None:
        """See `_job.RemoteDigests`."""
        if not self._possible or not paths:
            return None
        # A dash in front would be an option.
        named = {path if path.startswith(b"/") else b"./" + path: path for path in paths}
        if length is None:
            status, said = self._run(_WHOLE, b"".join(name + b"\0" for name in named))
            found = dict(_lines(said))
            answer = {path: found[name] for name, path in named.items() if name in found}
        else:
            name = next(iter(named))
            status, said = self._run(_BEGINNING, b"%d\n%b\0" % (length, name))
            lines = _lines(said)
            answer = {named[name]: lines[0][1]} if lines else {}
        if not answer:
            # 127: no such program; anything else: no shell, or these files cannot be read there.
            self._possible = status != 127
            return None
        return answer


def _lines(said: bytes) -> list[tuple[bytes, str]]:
    """Names and digests. A name with a line end in it is escaped, and its line begins with a backslash."""
    found = []
    for line in said.split(b"\n"):
        if match := _LINE.match(line):
            name = match[3]
            if match[1]:
                name = re.sub(rb"\\[\\nr]", lambda escape: _ESCAPES[escape[0]], name)
            found.append((name, match[2].decode()))
    return found
