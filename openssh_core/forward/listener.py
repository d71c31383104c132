"""A listening socket of ours, watched by the reactor: no thread waits for it."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable
from time import monotonic

from .._io.inherited import forget, track
from .._io.reactor import READ, Reactor
from ..errors import ForwardRefused, OpenSSHError
from .addresses import Address, ListenAddress

_BACKLOG = 512

# Connections taken in one turn: others that use the reactor come in between.
_AT_ONCE = 64

# Seconds until the next try when a connection could not be taken (no descriptor left).
_PAUSE = 0.1

_log = logging.getLogger("openssh_core.forward")

_ADVICE = {
    errno.EADDRINUSE: "Something listens there already: choose another, or port 0 for any that is free",
    errno.EACCES: "Ports below 1024 are for root, and a socket's directory must be writable: choose another",
    errno.EADDRNOTAVAIL: "Give an address of this machine",
    errno.ENOENT: "Create the directory first",
}


class Listener:
    """Listens when it is made.

    Args:
        accepted: called in the reactor's thread with each connection, which becomes its own, and where it comes from.
        failed: called there with what went wrong with one.

    Raises:
        ForwardRefused: it cannot listen there.
    """

    def __init__(
        self,
        reactor: Reactor,
        where: ListenAddress,
        accepted: Callable[[socket.socket, tuple[str, int] | None], None],
        failed: Callable[[OpenSSHError], None],
    ) -> None:
        self._reactor = reactor
        self._accepted = accepted
        self._failed = failed
        self._path = where.host if where.port is None else None
        self._owner = os.getpid()
        self._sock: socket.socket | None = _listen(where)
        self.address: Address = self._sock.getsockname() if self._path is None else self._path
        if isinstance(self.address, tuple):
            self.address = self.address[:2]
        track(self)
        reactor.submit(self._watch)

    def _watch(self) -> None:
        if self._sock is not None:
            self._reactor.watch(self._sock.fileno(), READ, self._on_ready)

    def _on_ready(self, _mask: int) -> None:
        for _ in range(_AT_ONCE):
            if self._sock is None:
                return
            try:
                peer, address = self._sock.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                return self._pause(error)
            if isinstance(address, tuple):
                no_delay(peer)
            self._accepted(peer, address[:2] if isinstance(address, tuple) else None)

    def _pause(self, error: OSError) -> None:
        """It would be ready at once again: look away for a moment."""
        assert self._sock is not None
        self._failed(OpenSSHError(f"a connection to {self.address} could not be taken ({error.strerror})"))
        self._reactor.unwatch(self._sock.fileno())
        self._reactor.call_at(monotonic() + _PAUSE, self._watch)

    def close(self) -> None:
        """Listen no more; a socket's file goes. When this returns it is so. Idempotent; from any thread."""
        if os.getpid() == self._owner:
            self._reactor.call(self._close)

    def _close(self) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        forget(self)
        self._reactor.unwatch(sock.fileno())
        if self._path is not None:
            # First the name: whoever comes now must not find one that nobody answers to.
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        sock.close()

    def abandon(self) -> None:
        """In a forked child: close our copy, or the address would stay taken for as long as the child lives."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()


def no_delay(sock: socket.socket) -> None:
    """Have small pieces sent at once, as ssh(1) does: what comes in pieces from afar should not be held back here."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _listen(where: ListenAddress) -> socket.socket:
    family, address = _resolve(where)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if isinstance(address, str):
            # For its owner only, from the first moment on: Linux gives the file the mode of the socket.
            os.fchmod(sock.fileno(), 0o600)
            sock.bind(address)
            os.chmod(address, 0o600)
        else:
            # A port that was in use a minute ago can be taken again (TIME_WAIT), one in use cannot.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ForwardRefused(
            f"cannot listen on {where} ({error.strerror})", advice=_ADVICE.get(error.errno or 0)
        ) from error
    return sock


def _resolve(where: ListenAddress) -> tuple[int, str | tuple[str, int]]:
    if where.port is None:
        return socket.AF_UNIX, where.host
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ForwardRefused(
            f"cannot listen on {where} ({error.strerror})", advice="Give an address of this machine"
        ) from error
    # Where a name has several addresses the older kind is what most clients try.
    family, _, _, _, address = sorted(found, key=lambda each: each[0] != socket.AF_INET)[0]
    return family, address  # type: ignore[return-value]
