"""What `fabric.util` has: whose program this is, and fabric's log."""

from __future__ import annotations

import getpass
import logging

__all__ = ["debug", "get_local_user", "log"]

log = logging.getLogger("fabric")
debug = log.debug


def get_local_user() -> str | None:
    """The name of who runs this program; None when it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
