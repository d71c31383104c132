"""Names that a module of the original has because it imports them: `from paramiko.client import Agent` works there, and
so it does here. They are looked up when they are asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["lend"]

# Where they may be at home, in this order; the package itself comes last.
_HOMES = ("common", "util", "ssh_exception", "sftp", "buffered_pipe", "auth_handler", "packet", "server")


def lend(module: str) -> None:
    """Give a module of this package the names that others have."""
    package = module.rpartition(".")[0]

    def look_up(name: str) -> Any:
        if not name.startswith("_"):
            for home in (*(f"{package}.{one}" for one in _HOMES), package):
                found = import_module(home)
                # Not by getattr: these modules lend, too.
                if name in vars(found):
                    return vars(found)[name]
            if name in found.__all__:
                return getattr(found, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    vars(sys.modules[module])["__getattr__"] = look_up
