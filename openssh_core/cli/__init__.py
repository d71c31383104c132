"""The `openssh-compat` command. It needs the extra `cli`, and says so where that is missing."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; what the console script calls."""
    try:
        from .app import run
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich", "click"):
            raise
        sys.exit(f"openssh-compat needs {missing.name}: pip install 'openssh-compat[cli]'")
    run()
