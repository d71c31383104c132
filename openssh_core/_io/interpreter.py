"""The Python interpreter that helper scripts run with."""

from __future__ import annotations

import os
import sys

from ..errors import ConnectError


def find_python(purpose: str, advice: str = "") -> str:
    """Its path.

    Args:
        purpose: what it is needed for, and `advice` how to do without, for the message.

    Raises:
        ConnectError: there is none.
    """
    # Where Python is embedded, sys.executable may be the embedding program.
    name = os.path.basename(sys.executable or "")
    if name.startswith(("python", "pypy")):
        return sys.executable
    for directory in os.get_exec_path():
        found = os.path.join(directory, "python3")
        if os.access(found, os.X_OK):
            return found
    raise ConnectError(f"there is no Python interpreter {purpose}", advice=f"Put python3 on the PATH{advice}")
