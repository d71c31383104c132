"""Which host the functions of the module go to: the innermost `with` block of this thread or task, or the environment.

OPENSSH_COMPAT_HOST is for programs that cannot be edited, OPENSSH_COMPAT_CONFIG for an ssh_config of theirs.
"""

from __future__ import annotations

import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

import openssh_core

from ._failures import NotBound

if TYPE_CHECKING:
    from ._remote import Remote

__all__ = ["CONFIG", "HOST", "bound", "current"]

HOST = "OPENSSH_COMPAT_HOST"
CONFIG = "OPENSSH_COMPAT_CONFIG"

current: ContextVar[Remote | None] = ContextVar("openssh_compat.subprocess", default=None)

_lock = threading.Lock()
_of_environment: dict[tuple[str, str | None], Remote] = {}


def bound() -> Remote:
    """What is bound here and now.

    Raises:
        NotBound: nothing is.
        openssh_core.ConnectError: the host that the environment names cannot be logged in to.
    """
    remote = current.get() or _by_environment()
    if remote is None:
        raise NotBound(
            "no host is bound: use subprocess.on(host).run(...), a block `with subprocess.on(host):`, "
            f"or the environment variable {HOST}"
        )
    return remote


def _by_environment() -> Remote | None:
    """Logged in to once, and closed when the program ends."""
    host, config = os.environ.get(HOST), os.environ.get(CONFIG) or None
    if not host:
        return None
    from ._remote import Remote

    with _lock:
        remote = _of_environment.get((host, config))
        if remote is None or remote.connection.closed:
            remote = Remote(openssh_core.connect(host, config_file=config), owned=True)
            _of_environment[host, config] = remote
    return remote


def _in_forked_child() -> None:
    global _lock
    _lock = threading.Lock()  # the old one may have been held by a thread that does not exist here


os.register_at_fork(after_in_child=_in_forked_child)
