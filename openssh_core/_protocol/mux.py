"""A conversation on the control socket (PROTOCOL.mux): the hello, then one request and its answer at a time."""

from __future__ import annotations

from .._wire import mux as wire
from .._wire.frames import FrameSplitter, frame
from ..errors import LocalProtocolError, RemoteProtocolError


class MuxClient:
    """Our side of one control connection.

    The master speaks first, but a client need not wait for it: our hello may go out at once, and so may the
    first request.

    Attributes:
        extensions: what the master offered in its hello; None until it came.
    """

    def __init__(self) -> None:
        self._splitter = FrameSplitter()
        self._last_id = 0
        self.extensions: dict[bytes, bytes] | None = None

    @property
    def missing(self) -> int:
        """How many bytes to read next, so that nothing is taken of what follows the next reply."""
        return self._splitter.missing

    def hello(self) -> bytes:
        """The bytes to send first."""
        return frame(wire.Hello().encode())

    def next_id(self) -> int:
        """A number for the next request."""
        self._last_id += 1
        return self._last_id

    def request(self, message: wire.Request) -> bytes:
        """The bytes of a request."""
        if message.request_id != self._last_id:
            raise LocalProtocolError(f"request {message.request_id} sent as number {self._last_id}")
        return frame(message.encode())

    def feed(self, data: bytes) -> list[wire.Reply]:
        """Take what the socket gave; return the replies now complete.

        Raises:
            RemoteProtocolError: the master broke the protocol.
        """
        replies: list[wire.Reply] = []
        for body in self._splitter.feed(data):
            message = wire.decode_reply(body)
            if isinstance(message, wire.Hello):
                self._greet(message)
            elif self.extensions is None:
                raise RemoteProtocolError("the master answered before it said hello")
            else:
                replies.append(message)
        return replies

    def _greet(self, hello: wire.Hello) -> None:
        if self.extensions is not None:
            raise RemoteProtocolError("the master said hello twice")
        if hello.version != wire.VERSION:
            raise RemoteProtocolError(f"the master speaks mux version {hello.version}; {wire.VERSION} is what we speak")
        self.extensions = dict(hello.extensions)
