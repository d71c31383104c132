"""fabric's names over the OpenSSH client: `from openssh_compat.fabric import Connection, task`.

Needs invoke, on which fabric stands, too: `pip install "openssh-compat[fabric]"`. What this version has: Connection
with run, local, cd and prefix, tasks with hosts, and `python -m openssh_compat.fabric` to run them. What it has not
raises an error that says so.
"""

from __future__ import annotations

try:
    import invoke as _invoke
except ImportError as error:
    raise ImportError('openssh_compat.fabric needs invoke: pip install "openssh-compat[fabric]"') from error

from .._shim import missing_from
from .config import Config
from .connection import Connection
from .exceptions import GroupException, InvalidV1Env, NothingToDo
from .executor import Executor
from .group import Group, GroupResult, SerialGroup, ThreadingGroup
from .runners import Remote, RemoteShell, Result
from .tasks import ConnectionCall, Task, task

__all__ = [
    "Config",
    "Connection",
    "ConnectionCall",
    "Executor",
    "Group",
    "GroupException",
    "GroupResult",
    "InvalidV1Env",
    "NothingToDo",
    "Remote",
    "RemoteShell",
    "Result",
    "SerialGroup",
    "Task",
    "ThreadingGroup",
    "task",
]

del _invoke

__getattr__ = missing_from(
    "fabric",
    ["Transfer"],
)
