"""Asking a master for something over its control socket: one connection, one conversation (PROTOCOL.mux).

`greet` gives a `Conversation`; a session or a proxy link takes its socket over, and then there is no conversation
to ask anything of any more.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from types import TracebackType

from .._protocol.mux import MuxClient
from .._wire import mux as wire
from ..errors import (
    ConnectionLost,
    ForwardRefused,
    MasterUnresponsive,
    OpenRefused,
    OpenSSHError,
    RemoteProtocolError,
)
from . import sockets
from .deadline import Deadline


class Conversation:
    """A control connection after the hello. A context manager: leaving it closes the socket.

    Every method ends by its deadline. What all of them can raise:
        MasterUnresponsive: no answer in time.
        ConnectionLost: the master went away.
        RemoteProtocolError: it talks nonsense.

    Attributes:
        peer_pid: the listener's process id, as the kernel has it; None where the system does not tell.
    """

    def __init__(self, sock: socket.socket, path: str, mux: MuxClient, peer_pid: int | None) -> None:
        self._sock: socket.socket | None = sock
        self._path = path
        self._mux = mux
        self.peer_pid = peer_pid

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    # ---- requests that are answered and done with

    def alive(self, deadline: Deadline) -> int:
        """The master's own word on its process id."""
        reply = self._ask(wire.AliveCheck(self._mux.next_id()), deadline)
        if isinstance(reply, wire.Alive):
            return reply.pid
        raise self._unexpected(reply)

    def terminate(self, deadline: Deadline) -> None:
        """Have the master end. It answers by going away."""
        self._socket()
        try:
            reply = self._ask(wire.Terminate(self._mux.next_id()), deadline)
        except ConnectionLost:
            return
        if not isinstance(reply, wire.Ok):
            raise self._unexpected(reply)

    def stop_listening(self, deadline: Deadline) -> None:
        """Have the master take no new clients; sessions that run go on."""
        reply = self._ask(wire.StopListening(self._mux.next_id()), deadline)
        if not isinstance(reply, wire.Ok):
            raise self._unexpected(reply)

    def open_forward(self, forward: wire.Forward, deadline: Deadline) -> int:
        """Open a forward; the port that listens (for remote port 0 the one the server chose).

        Raises:
            ForwardRefused: it did not come about.
        """
        reply = self._ask(wire.OpenForward(self._mux.next_id(), forward), deadline)
        if isinstance(reply, wire.RemotePort):
            return reply.port
        if isinstance(reply, wire.Ok):
            return forward.listen_port
        raise self._refused_forward(reply)

    def close_forward(self, forward: wire.Forward, deadline: Deadline) -> None:
        """Close a forward.

        Raises:
            ForwardRefused: the master knows of none like that.
        """
        reply = self._ask(wire.CloseForward(self._mux.next_id(), forward), deadline)
        if not isinstance(reply, wire.Ok):
            raise self._refused_forward(reply)

    # ---- requests that take the connection over

    def new_session(
        self, session: wire.NewSession, fds: Sequence[int], deadline: Deadline
    ) -> tuple[socket.socket, int]:
        """Start a session on three descriptors; the socket it lives on, and its number.

        Raises:
            OpenRefused: the server or the user said no.
        """
        return self._pass(session, fds, deadline)

    def stdio_forward(self, host: str, port: int, fds: Sequence[int], deadline: Deadline) -> socket.socket:
        """Connect two descriptors to a port as seen from the server; the socket that keeps it alive.

        Raises:
            OpenRefused: it did not come about.
        """
        return self._pass(wire.NewStdioForward(self._mux.next_id(), host, port), fds, deadline)[0]

    def proxy(self, deadline: Deadline) -> socket.socket:
        """Switch to proxy mode; the socket, which carries channel messages from now on.

        Raises:
            OpenRefused: this master has no proxy mode (before OpenSSH 7.4).
        """
        reply = self._ask(wire.Proxy(self._mux.next_id()), deadline)
        if not isinstance(reply, wire.ProxyReady):
            raise OpenRefused(f"the master at {self._path} has no proxy mode ({_words(reply)})")
        return self.detach()

    def next_id(self) -> int:
        """A number for a session request."""
        return self._mux.next_id()

    def _pass(
        self, message: wire.NewSession | wire.NewStdioForward, fds: Sequence[int], deadline: Deadline
    ) -> tuple[socket.socket, int]:
        sock = self._socket()
        # From the request until the last descriptor is there the master serves nobody else: nothing may come
        # between these calls. A small socket buffer would block, but they fit many times over.
        sock.setblocking(True)
        try:
            sock.sendall(self._mux.request(message))
            for fd in fds:
                sockets.send_descriptor(sock, fd)
        except OSError as error:
            self.close()
            raise ConnectionLost(f"the master at {self._path} went away") from error
        sock.setblocking(False)
        reply = self._reply_to(message, deadline)
        if isinstance(reply, wire.SessionOpened):
            return self.detach(), reply.session_id
        raise OpenRefused(f"the server opened no session ({_words(reply)})")

    # ---- one question, one answer

    def _ask(self, message: wire.Request, deadline: Deadline) -> wire.Reply:
        try:
            self._socket().sendall(self._mux.request(message))
        except OSError as error:
            self.close()
            raise ConnectionLost(f"the master at {self._path} went away") from error
        return self._reply_to(message, deadline)

    def _reply_to(self, message: wire.Request, deadline: Deadline) -> wire.Reply:
        reply = self._reply(deadline)
        answered = getattr(reply, "request_id", message.request_id)
        if answered != message.request_id:
            raise RemoteProtocolError(f"the master answered request {answered}; {message.request_id} was asked")
        return reply

    def _reply(self, deadline: Deadline) -> wire.Reply:
        while True:
            # A session may end while it is answered for: what comes after the answer is for whoever gets the socket.
            for reply in self._mux.feed(receive(self._socket(), self._path, deadline, self._mux.missing)):
                return reply

    def _socket(self) -> socket.socket:
        if self._sock is None:
            raise ConnectionLost(f"this conversation with {self._path} is over")
        return self._sock

    def detach(self) -> socket.socket:
        """The socket, which is no longer a conversation."""
        sock, self._sock = self._socket(), None
        return sock

    def _unexpected(self, reply: wire.Reply) -> RemoteProtocolError:
        return RemoteProtocolError(f"the master at {self._path} answered with {_words(reply)}")

    def _refused_forward(self, reply: wire.Reply) -> OpenSSHError:
        return ForwardRefused(f"the forward did not come about ({_words(reply)})")


def greet(path: str, deadline: Deadline) -> Conversation:
    """Connect to the master at `path`, see that it is ours, and say hello.

    Raises:
        InsecureControlSocket: the socket or its listener belongs to somebody else; nothing was sent.
        ConnectionLost: nobody listens there.
        MasterUnresponsive: no hello came in time.
        RemoteProtocolError: whatever listens there is no master.
    """
    sockets.check_owner(path)
    sock = sockets.connect(path, deadline)
    try:
        pid = sockets.check_peer(sock, path)
        mux = MuxClient()
        sock.sendall(mux.hello())
        while mux.extensions is None:
            if mux.feed(receive(sock, path, deadline, mux.missing)):
                raise RemoteProtocolError(f"the master at {path} answered before it was asked")
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError) and not isinstance(error, OpenSSHError):
            raise ConnectionLost(f"the master at {path} went away") from error
        raise
    return Conversation(sock, path, mux, pid)


def receive(sock: socket.socket, path: str, deadline: Deadline, most: int) -> bytes:
    """Some bytes, at most so many.

    Raises:
        MasterUnresponsive: none until the deadline.
        ConnectionLost: there will be none.
    """
    if not sockets.wait(sock, select.POLLIN, deadline):
        raise MasterUnresponsive(f"the master at {path} does not answer")
    try:
        data = sock.recv(most)
    except OSError as error:
        raise ConnectionLost(f"the master at {path} went away ({error.strerror})") from error
    if not data:
        raise ConnectionLost(f"the master at {path} closed the connection")
    return data


def _words(reply: wire.Reply) -> str:
    reason = getattr(reply, "reason", None)
    return str(reason) if reason else type(reply).__name__
