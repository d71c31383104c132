"""AF_UNIX sockets: connecting within a deadline, knowing who listens, and passing descriptors."""

from __future__ import annotations

import array
import os
import select
import socket
import stat
import struct

from ..errors import ConnectionLost, InsecureControlSocket, MasterUnresponsive
from .deadline import Deadline

# Seconds between two tries while the listener's queue is full; the kernel has no event for that.
_RETRY = 0.002
_LONGEST_RETRY = 0.05


def connect(path: str, deadline: Deadline) -> socket.socket:
    """A connection to the socket at `path`.

    Raises:
        ConnectionLost: nobody listens there.
        MasterUnresponsive: the queue stayed full until the deadline.
    """
    delay = _RETRY
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.connect(path)
            return sock
        except BlockingIOError:
            sock.close()
            if deadline.passed:
                raise MasterUnresponsive(f"the master at {path} accepts no connection") from None
            wait(None, 0, Deadline(min_moment(deadline, delay)))
            delay = min(2 * delay, _LONGEST_RETRY)
        except OSError as error:
            sock.close()
            raise ConnectionLost(
                f"no master listens at {path} ({error.strerror})", advice="Connect again; it has ended"
            ) from error


def min_moment(deadline: Deadline, seconds: float) -> float:
    """`seconds` from now, or the deadline if that is sooner."""
    soon = Deadline.after(seconds).at
    assert soon is not None
    return soon if deadline.at is None else min(soon, deadline.at)


def wait(sock: socket.socket | None, events: int, deadline: Deadline) -> bool:
    """Wait until the socket is ready (`select.POLLIN`...), or until the deadline without one; False when it passed."""
    poll = select.poll()
    if sock is not None:
        poll.register(sock, events)
    left = deadline.left()
    return bool(poll.poll(None if left is None else left * 1000))


def check_owner(path: str) -> None:
    """See that `path` is a socket of ours.

    Raises:
        InsecureControlSocket: it is something else, or somebody else's.
        ConnectionLost: there is nothing.
    """
    try:
        status = os.lstat(path)
    except OSError as error:
        raise ConnectionLost(f"no control socket at {path} ({error.strerror})") from error
    if not stat.S_ISSOCK(status.st_mode):
        raise InsecureControlSocket(f"{path} is not a socket", advice="Give the path of a master's control socket")
    if status.st_uid != os.geteuid():
        raise InsecureControlSocket(
            f"the control socket {path} belongs to user {status.st_uid}", advice="Use only sockets of your own"
        )


def check_peer(sock: socket.socket, path: str) -> int | None:
    """See that whoever listens is us; before that not one byte is sent.

    Returns:
        the listener's process id, None where the system does not tell.

    Raises:
        InsecureControlSocket: somebody else listens.
    """
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        words = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        pid: int | None = int(words[0])
        uid = int(words[1])
    else:
        pid, uid = None, _peer_uid_bsd(sock)
    if uid != os.geteuid():
        raise InsecureControlSocket(
            f"the process behind {path} belongs to user {uid}", advice="Somebody else listens there: do not use it"
        )
    return pid


def _peer_uid_bsd(sock: socket.socket) -> int:
    # LOCAL_PEERCRED gives a struct xucred: version, uid, groups (unix(4) of macOS and the BSDs).
    credentials = sock.getsockopt(0, getattr(socket, "LOCAL_PEERCRED", 1), 76)
    return int(struct.unpack_from("=II", credentials)[1])


def send_descriptor(sock: socket.socket, fd: int) -> None:
    """Pass one descriptor, with one byte: a master takes only the first of several in one message."""
    sock.sendmsg([b"\x00"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
