"""What can fail here and cannot at home: the core's errors, as kinds of SubprocessError too.

Code written for subprocess expects OSError and SubprocessError from it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import SubprocessError

import openssh_core

__all__ = [
    "ConnectionClosed",
    "ConnectionLost",
    "ExitStatusMissing",
    "MasterUnresponsive",
    "NotBound",
    "OpenRefused",
    "RequestRefused",
    "SignalNotDelivered",
    "translated",
]


class NotBound(SubprocessError, RuntimeError):
    """A function of the module was called, and nobody has said for which host."""


class ConnectionLost(openssh_core.ConnectionLost, SubprocessError):
    """The connection ended while the command ran; how the command ended is not known."""


class ConnectionClosed(openssh_core.ConnectionClosed, SubprocessError):
    """This side has closed the connection already."""


class MasterUnresponsive(openssh_core.MasterUnresponsive, SubprocessError):
    """The server did not answer in time."""


class OpenRefused(openssh_core.OpenRefused, SubprocessError):
    """The server refused to open a session."""


class RequestRefused(openssh_core.RequestRefused, SubprocessError):
    """The server, or the account's shell, did not run the command."""


class ExitStatusMissing(openssh_core.ExitStatusMissing, SubprocessError):
    """The command has ended, and the server did not say how."""


class SignalNotDelivered(openssh_core.SignalNotDelivered, SubprocessError):
    """The process could not be signalled."""


_OURS: dict[type[openssh_core.OpenSSHError], type[openssh_core.OpenSSHError]] = {
    openssh_core.ConnectionLost: ConnectionLost,
    openssh_core.ConnectionClosed: ConnectionClosed,
    openssh_core.MasterUnresponsive: MasterUnresponsive,
    openssh_core.OpenRefused: OpenRefused,
    openssh_core.RequestRefused: RequestRefused,
    openssh_core.ExitStatusMissing: ExitStatusMissing,
    openssh_core.SignalNotDelivered: SignalNotDelivered,
}


@contextmanager
def translated() -> Iterator[None]:
    """What the core raises is raised as its kind of SubprocessError."""
    try:
        yield
    except tuple(_OURS) as error:
        ours = _OURS.get(type(error))
        if ours is None:
            raise
        again = ours.__new__(ours, *error.args)
        again.__dict__.update(error.__dict__)
        raise again from error
