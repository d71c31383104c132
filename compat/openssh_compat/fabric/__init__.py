"""fabric's names over the OpenSSH client: `from openssh_compat.fabric import Connection, task`.

Needs invoke, on which fabric stands, too: `pip install "openssh-compat[fabric]"`. `python -m openssh_compat.fabric`
runs tasks. What this version has not raises an error that says so.
"""

from __future__ import annotations

try:
    import invoke as _invoke
except ImportError as error:
    raise ImportError('openssh_compat.fabric needs invoke: pip install "openssh-compat[fabric]"') from error

from .config import Config
from .connection import Connection
from .exceptions import GroupException, InvalidV1Env, NothingToDo
from .executor import Executor
from .group import Group, GroupResult, SerialGroup, ThreadingGroup
from .runners import Remote, RemoteShell, Result
from .tasks import ConnectionCall, Task, task
from .transfer import Transfer

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
    "Transfer",
    "task",
]

del _invoke
