"""`python -m openssh_compat.subprocess script.py ...`: a program as it is, whose commands run on another host.

Which host, OPENSSH_COMPAT_HOST says. Only the program's own modules, those beside it and below, find this when they
import subprocess. Libraries keep the original: what they run is about this machine.
"""

from __future__ import annotations

import builtins
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from openssh_compat import subprocess as ours

from ._binding import HOST

_USAGE = f"usage: {HOST}=host python -m openssh_compat.subprocess script.py [argument ...]"


def main() -> None:
    """Run the program that the arguments name, as Python would."""
    words = sys.argv[1:]
    if not words or words[0].startswith("-") or not os.environ.get(HOST):
        raise SystemExit(_USAGE)
    folder = os.path.dirname(os.path.abspath(words[0]))
    _import = builtins.__import__

    def find(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if name == "subprocess" and level == 0 and _is_below(folder, (globals or {}).get("__file__")):
            return ours
        return _import(name, globals, locals, fromlist or (), level)

    builtins.__import__ = find
    sys.argv = words
    sys.path[0] = folder
    runpy.run_path(words[0], run_name="__main__")


def _is_below(folder: str, file: object) -> bool:
    if not isinstance(file, str):
        return False
    path = os.path.abspath(file)
    return path.startswith(os.path.join(folder, "")) and "site-packages" not in path.split(os.sep)


if __name__ == "__main__":
    main()
