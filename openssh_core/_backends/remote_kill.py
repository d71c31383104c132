"""Signalling a remote process where the protocol cannot: `kill` in a session of its own, by process group.

sshd makes each session's process the leader of its own group, so the process id that the remote shell told about
itself names the whole group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .._cli.script import PidLine
from .._io.sinks import Discard
from ..errors import OpenSSHError, SignalNotDelivered
from .base import SessionRequest, Streams

if TYPE_CHECKING:
    from .base import Backend


def kill_groups(backend: Backend, pids: Sequence[int], name: str, timeout: float, *, host: str) -> None:
    """Signal process groups through a session of its own.

    Raises:
        SignalNotDelivered: the session did not come about, or did not end in time.
    """
    # This spelling is understood by the kill of sh, bash, dash, ksh, mksh, zsh, csh and tcsh, and by kill(1).
    command = " ; ".join(f"kill -{name} -{pid}" for pid in pids).encode()

    def compose(_inline: Mapping[str, str], _pid_line: PidLine | None) -> bytes:
        return command

    streams = Streams(None, Discard(), Discard())
    try:
        session = backend.start(SessionRequest("exec", compose, urgent=True), streams)
    except OpenSSHError as error:
        raise _undelivered(host, name, str(error.what)) from error
    if not session.wait_closed(timeout):
        session.close()
        raise _undelivered(host, name, f"no session for it within {timeout:g} s")
    # A status other than 0 means that nobody is left in the group: what was wanted.
    if session.exit is None:
        raise _undelivered(host, name, session.error.what if session.error else "the session ended early")


def _undelivered(host: str, name: str, why: str) -> SignalNotDelivered:
    return SignalNotDelivered(
        f"SIG{name} could not be delivered ({why})",
        host=host,
        signal=name,
        advice="The remote process may still run; close the connection, and look for it on the host",
    )
