"""Unfinished files that a broken connection left on a server: whoever sends something there next has them removed.

Only files whose names were made up here, with a random part in them, are written down, so that nobody else's is ever
touched. What a program left that was killed is not known to the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

# For each host; of what is older nothing is known any more.
_MOST = 1000

_left: dict[str, list[bytes]] = {}
_lock = threading.Lock()


def add(host: str, paths: Iterable[bytes]) -> None:
    """They may have been left there."""
    with _lock:
        known = _left.setdefault(host, [])
        known.extend(paths)
        del known[:-_MOST]
        if not known:
            del _left[host]


def take(host: str) -> list[bytes]:
    """What is to be removed there; it is the caller's business from now on."""
    if host not in _left:
        return []
    with _lock:
        return _left.pop(host, [])
