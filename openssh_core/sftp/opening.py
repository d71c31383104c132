"""How an SFTP session begins: as a subsystem of a master, or over anything that carries bytes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any, Protocol

from .._backends.base import Session
from .._io.bridge import Bridge
from .._io.packet_stream import PacketStream
from .._io.sftp_session import SftpSession
from .._io.sinks import LastWords
from .._wire.sftp import MOST_PACKET
from ..errors import ConnectionLost, ExitStatusMissing, OpenSSHError, RequestRefused
from ..master import Master

# Seconds the reason is waited for after the stream has ended; it comes by another way.
_REASON = 2.0

# Bytes in each direction of the socket between the master and us. The kernel gives what it allows.
_SOCKET_BUFFER = 1024 * 1024


class SocketLike(Protocol):
    """What carries an SFTP conversation when it is no real socket: a channel of some other library."""

    def recv(self, size: int, /) -> bytes:
        """Some bytes, none at the end."""

    def send(self, data: bytes, /) -> int:
        """Send some of it; how many bytes."""

    def close(self) -> None: ...


def open_subsystem(master: Master, *, host: str, subsystem: str, timeout: float | None) -> SftpSession:
    """A session over a subsystem of the server.

    Raises:
        OpenSSHError: it did not come about.
    """
    words = LastWords()
    ours, theirs = socket.socketpair()
    try:
        for end in (ours, theirs):
            _widen(end)
        session = master.start_subsystem(subsystem, theirs.detach(), words)
    except BaseException:
        ours.close()
        theirs.close()
        raise

    def explain(_rest: bytes) -> OpenSSHError:
        session.wait_closed(_REASON)
        return _reason(session, words.text(), host, subsystem)

    return _begin(ours, host, timeout, explain, session.close)


def open_over(carrier: socket.socket | int | SocketLike, *, host: str, timeout: float | None) -> SftpSession:
    """A session over something that is there already, which becomes the session's own.

    Raises:
        OpenSSHError: whoever is at the other end speaks no SFTP.
    """

    def explain(_rest: bytes) -> OpenSSHError:
        return ConnectionLost("the SFTP server went away", host=host)

    ended: Callable[[], None] = _nothing
    if isinstance(carrier, int):
        sock = socket.socket(fileno=carrier)
    elif isinstance(carrier, socket.socket):
        sock = carrier
    else:
        bridge = Bridge(carrier)
        sock, ended = bridge.ours, bridge.close
    return _begin(sock, host, timeout, explain, ended)


def _begin(
    sock: socket.socket,
    host: str,
    timeout: float | None,
    explain: Callable[[bytes], OpenSSHError],
    ended: Callable[[], None],
) -> SftpSession:
    def stream_of(leaving: Callable[[Any], None]) -> PacketStream:
        return PacketStream(sock, MOST_PACKET, leaving)

    session = SftpSession(stream_of, host=host, timeout=timeout, explain=explain, ended=ended)
    session.greet()
    return session


def _widen(sock: socket.socket) -> None:
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER)


def _reason(session: Session, words: str, host: str, subsystem: str) -> OpenSSHError:
    """Why the stream ended."""
    said = f" (it said: {words!r})" if words else ""
    error = session.error
    if error is not None and not isinstance(error, ExitStatusMissing):
        return error
    if session.exit is not None and session.exit.returncode == 0 and not said:
        return ConnectionLost("the SFTP server ended", host=host, advice="Make a new client", started=True)
    if session.is_running:
        status = f" with status {session.exit.returncode}" if session.exit is not None else ""
        return ConnectionLost(
            f"the SFTP server ended{status}{said}",
            host=host,
            started=True,
            last_words=words,
            advice=f"Look whether the program of its {subsystem!r} subsystem works, then make a new client",
        )
    return RequestRefused(
        f"the server started no {subsystem!r} subsystem{said}",
        host=host,
        request="subsystem",
        advice="Look at Subsystem in its sshd_config",
    )


def _nothing() -> None:
    pass
