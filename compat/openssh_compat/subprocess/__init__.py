"""subprocess on another machine: `from openssh_compat import subprocess`, then say which: `subprocess.on(host)`.

What `on` gives looks like the standard module, with its own exceptions and results; every command of it runs on that
host. In a block `with subprocess.on(host):` the functions of this module do the same, for the thread or task that is in
it. OPENSSH_COMPAT_HOST in the environment is for programs that have neither.
"""

from __future__ import annotations

from subprocess import (
    DEVNULL,
    PIPE,
    STDOUT,
    CalledProcessError,
    CompletedProcess,
    SubprocessError,
    TimeoutExpired,
    list2cmdline,
)
from typing import Any

import openssh_core

from .._shim import missing_from, refuse
from ._binding import bound
from ._failures import (
    ConnectionClosed,
    ConnectionLost,
    ExitStatusMissing,
    MasterUnresponsive,
    NotBound,
    OpenRefused,
    RequestRefused,
    SignalNotDelivered,
)
from ._popen import Popen
from ._remote import Remote

__all__ = [
    "DEVNULL",
    "PIPE",
    "STDOUT",
    "CalledProcessError",
    "CompletedProcess",
    "ConnectionClosed",
    "ConnectionLost",
    "ExitStatusMissing",
    "MasterUnresponsive",
    "NotBound",
    "OpenRefused",
    "Popen",
    "Remote",
    "RequestRefused",
    "SignalNotDelivered",
    "SubprocessError",
    "TimeoutExpired",
    "bound",
    "call",
    "check_call",
    "check_output",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "getoutput",
    "getstatusoutput",
    "list2cmdline",
    "on",
    "run",
]


def on(target: str | openssh_core.Connection, *, handshake: bool = True, **connect_options: Any) -> Remote:
    """Log in to a host, and give the module that runs commands there.

    Args:
        target: as for `openssh_core.connect`; or a connection of yours, which is then not closed by the result.
        handshake: False: no start of a command is reported by the host, unless a call says otherwise.
        connect_options: as for `openssh_core.connect`.

    Raises:
        openssh_core.ConnectError: one of its subclasses says why there is no connection.
        ValueError: something that was asked for cannot be.
    """
    if isinstance(target, openssh_core.Connection):
        refuse("on", TypeError, **{name: (value, None) for name, value in connect_options.items()})
        return Remote(target, owned=False, handshake=handshake)
    return Remote(openssh_core.connect(target, **connect_options), owned=True, handshake=handshake)


def run(*popenargs: Any, **kwargs: Any) -> CompletedProcess[Any]:
    """`Remote.run` where a host is bound."""
    return bound().run(*popenargs, **kwargs)


def call(*popenargs: Any, **kwargs: Any) -> int:
    """`Remote.call` where a host is bound."""
    return bound().call(*popenargs, **kwargs)


def check_call(*popenargs: Any, **kwargs: Any) -> int:
    """`Remote.check_call` where a host is bound."""
    return bound().check_call(*popenargs, **kwargs)


def check_output(*popenargs: Any, **kwargs: Any) -> Any:
    """`Remote.check_output` where a host is bound."""
    return bound().check_output(*popenargs, **kwargs)


def getoutput(cmd: str | bytes, *, encoding: str | None = None, errors: str | None = None) -> str:
    """`Remote.getoutput` where a host is bound."""
    return bound().getoutput(cmd, encoding=encoding, errors=errors)


def getstatusoutput(cmd: str | bytes, *, encoding: str | None = None, errors: str | None = None) -> tuple[int, str]:
    """`Remote.getstatusoutput` where a host is bound."""
    return bound().getstatusoutput(cmd, encoding=encoding, errors=errors)


async def create_subprocess_exec(program: Any, *args: Any, **kwargs: Any) -> Any:
    """`Remote.create_subprocess_exec` where a host is bound."""
    return await bound().create_subprocess_exec(program, *args, **kwargs)


async def create_subprocess_shell(cmd: str | bytes, **kwargs: Any) -> Any:
    """`Remote.create_subprocess_shell` where a host is bound."""
    return await bound().create_subprocess_shell(cmd, **kwargs)


__getattr__ = missing_from("subprocess", ())
