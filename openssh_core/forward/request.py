"""Asking a master to have the server listen (PROTOCOL.mux section 6), and to stop it again.

One request at a time: the ssh(1) of today may use memory that it has freed when two are out at once.
"""

from __future__ import annotations

from _thread import start_new_thread

from .._io import control
from .._io.deadline import Deadline
from .._io.latch import Latch
from .._io.turns import turn
from .._wire import mux as wire
from ..errors import ForwardRefused, OpenSSHError, OpenTimeout
from .addresses import ListenAddress

# Seconds a server may take to answer, whoever waits for that.
_LONGEST = 300.0

# Seconds for taking it back, which needs no answer of the server.
_CLOSING = 10.0

_ADVICE = (
    "The port may be in use there, or below 1024 and for root; or look at AllowTcpForwarding, "
    "AllowStreamLocalForwarding and PermitListen in the server's sshd_config"
)


class ForwardRequest:
    """One forward from the server to a Unix socket on this side.

    Args:
        control_path: the master's.
        where: to be listened on there.
        to: the path of the socket here, which nobody else has ever used: the master tells forwards by it.
    """

    def __init__(self, control_path: str, where: ListenAddress, to: str, *, host: str) -> None:
        self._path = control_path
        self._where = where
        self._host = host
        listen_port = wire.PORT_IS_SOCKET_PATH if where.port is None else where.port
        self._forward = wire.Forward(wire.FORWARD_REMOTE, where.host, listen_port, to, wire.PORT_IS_SOCKET_PATH)
        self._answered = Latch()
        self._given_up = False
        self._port = 0
        self._error: OpenSSHError | None = None

    def open(self, deadline: Deadline, seconds: float | None) -> int:
        """Have it opened; the port that the server listens on.

        Raises:
            ForwardRefused: it does not.
            OpenTimeout: it has not said so in time; should it come about later, it is closed again.
            OpenSSHError: the connection is gone.
        """
        # In a thread of its own: the request cannot be taken back, and whoever waits for it may have to go.
        start_new_thread(self._run, ())
        try:
            answered = self._answered.wait(deadline.left())
        except BaseException:
            self._give_up()
            raise
        if not answered:
            self._give_up()
            raise OpenTimeout(f"the server has not said within {seconds:g} s whether it listens", host=self._host)
        if self._error is not None:
            raise self._error
        return self._port

    def _give_up(self) -> None:
        self._given_up = True
        if self._answered.is_open() and self._error is None:
            self.close()

    def _run(self) -> None:
        deadline = Deadline.after(_LONGEST)
        try:
            with turn(self._path, deadline), control.greet(self._path, deadline) as conversation:
                self._port = conversation.open_forward(self._forward, deadline)
        except ForwardRefused as error:
            self._error = ForwardRefused(
                f"the server does not listen on {self._where} ({error.what})", host=self._host, advice=_ADVICE
            )
        except OpenSSHError as error:
            self._error = error
        self._answered.open()
        if self._given_up and self._error is None:
            self.close()

    def close(self) -> None:
        """Have it closed. Where the master is gone it is closed already."""
        deadline = Deadline.after(_CLOSING)
        try:
            with turn(self._path, deadline), control.greet(self._path, deadline) as conversation:
                conversation.close_forward(self._forward, deadline)
        except OpenSSHError:
            pass  # gone with its master, or the master does not know it any more
