"""A port or socket on the server that leads to something on this side, or to a function.

The master is asked to have the server listen, and to connect to a socket in a private directory of ours. So each
connection is seen here: what becomes of it is known, and no two forwards are alike, whoever else uses the master.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from .._backends.tunnel import Destination
from .._io.deadline import Deadline
from .._io.private_dir import PrivateDirectory
from .._io.reactor import Reactor
from .._io.splice import Splice
from ..errors import ForwardRefused, OpenSSHError
from .addresses import Address, ListenAddress
from .base import Forward
from .listener import Listener, no_delay
from .request import ForwardRequest

Handler = Callable[[socket.socket, "tuple[str, int] | None", Address], object]
"""Called for each connection, in a thread of its own, with the connected socket, where it comes from (None: ssh does
not tell), and the address on the server that it came to. The socket is the handler's to close."""

# Seconds something on this side gets to take a connection.
_PATIENCE = 30.0

_log = logging.getLogger("openssh_core.forward")


class RemoteForward(Forward):
    """Listens on the server. Made by `Connection.forward_remote`.

    Attributes:
        target: what it leads to, as text.
    """

    kind = "remote forward"

    def __init__(
        self,
        reactor: Reactor,
        control_path: str,
        where: ListenAddress,
        to: Destination | Handler,
        *,
        host: str,
        ssh: str,
        remove: Callable[[str], None],
        closed: Callable[[Forward], None],
    ) -> None:
        super().__init__(host)
        self._reactor = reactor
        self._where = where
        self._to = to
        self._remove = remove
        self._on_close = closed
        self._closing = threading.Lock()
        self._closed = False
        self._owner = os.getpid()
        self._busy: set[threading.Thread | Splice] = set()
        self._directory = PrivateDirectory(None, ssh)
        try:
            path = self._directory.file("r")
            self._listener = Listener(reactor, ListenAddress(path, None), self._accepted, self._failed)
        except BaseException:
            self._directory.remove()
            raise
        self._request = ForwardRequest(control_path, where, path, host=host)

    def open(self, deadline: Deadline, seconds: float | None) -> None:
        """Have the server listen.

        Raises:
            ForwardRefused, OpenTimeout, OpenSSHError: it does not.
        """
        try:
            port = self._request.open(deadline, seconds)
        except BaseException:
            self._closed = True
            self._let_go()
            raise
        if self._where.port is not None:
            self._where = ListenAddress(self._where.host, port)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{type(self).__name__} {self.address} at {self.host} to {self.target}: {state}>"

    @property
    def target(self) -> str:
        return str(self._to) if isinstance(self._to, Destination) else getattr(self._to, "__name__", repr(self._to))

    @property
    def address(self) -> Address:
        return self._where.host if self._where.port is None else (self._where.host, self._where.port)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def connections(self) -> int:
        """How many connections go through it now; with a function, how many of its calls are not over."""
        return len(self._busy)

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
        if os.getpid() != self._owner:
            return
        self._request.close()
        if self._where.port is None:
            # The server leaves the socket's file, and would not listen there a second time.
            self._remove(self._where.host)
        self._let_go()

    def end(self) -> None:
        self.close()
        for each in list(self._busy):
            if isinstance(each, Splice):
                each.cut()

    def _let_go(self) -> None:
        self._listener.close()
        self._directory.remove()
        self._on_close(self)

    # ---- one connection

    def _accepted(self, peer: socket.socket, _origin: tuple[str, int] | None) -> None:
        thread = threading.Thread(target=self._serve, args=(peer,), name="openssh-core-forward", daemon=True)
        self._busy.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            self._busy.discard(thread)
            peer.close()
            self._failed(OpenSSHError(f"no thread could be started for a connection ({error})", host=self.host))

    def _serve(self, peer: socket.socket) -> None:
        try:
            if isinstance(self._to, Destination):
                splice = Splice(self._reactor, peer, self._connect(self._to), self._busy.discard)
                self._busy.add(splice)
                splice.start()
            else:
                peer.setblocking(True)
                self._to(peer, None, self.address)
        except OpenSSHError as error:
            self._failed(error)
            peer.close()
        except Exception as error:  # noqa: BLE001 - a bug of the function's costs its own connection only
            _log.exception("an error in %s, which takes connections to %s", self.target, self.address)
            self._failed(OpenSSHError(f"{self.target} raised {error!r}", host=self.host))
            peer.close()
        finally:
            self._busy.discard(threading.current_thread())

    def _connect(self, to: Destination) -> socket.socket:
        try:
            if to.port is not None:
                sock = socket.create_connection((to.host, to.port), timeout=_PATIENCE)
                no_delay(sock)
                return sock
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(to.host)
            except OSError:
                sock.close()
                raise
            return sock
        except OSError as error:
            raise ForwardRefused(
                f"a connection to {self.address} found nobody at {to} on this side ({error.strerror or error})",
                host=self.host,
                advice="Check that the target is up and takes connections",
            ) from error
