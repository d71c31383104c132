"""Drives one proxy connection: the socket, the channels on it, and who is told what.

The rules that keep a link alive: one serialising writer, the reader never stops, every request of the server is
answered at once. All of it happens in the reactor's thread. So there is no lock to hold, and nothing that an exception
from a signal handler (Ctrl-C, an alarm), which only ever hits the main thread, could leave half done.
"""

from __future__ import annotations

import os
import socket
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from .._protocol import link as protocol
from ..errors import ConnectionClosed, ConnectionLost, OpenSSHError, ProtocolError
from .complaints import Complaints
from .outbox import Outbox
from .reactor import READ, Reactor

_log = Complaints("openssh_core.link")

# No event follows these.
_LAST = (protocol.Closed, protocol.Refused)


class Handler(Protocol):
    """Whoever a channel belongs to. Called in the reactor's thread: short, and no waiting."""

    def on_event(self, event: protocol.Event) -> None: ...

    def on_drained(self) -> None:
        """The link takes more data again."""

    def on_lost(self, error: OpenSSHError) -> None:
        """The link is gone; no event will follow."""


class ProxyLink:
    """One proxy connection and its channels. For the reactor's thread only, but for making and closing it.

    `with link:` makes several calls one packet train: one send.

    Args:
        sock: a control socket on which PROXY was answered; becomes the link's own.
        lost: makes the error for a connection that broke, from a phrase that says how.
        ended: called once, in the reactor's thread, when the link is gone for whatever reason.
    """

    def __init__(
        self,
        sock: socket.socket,
        reactor: Reactor,
        *,
        lost: Callable[[str], OpenSSHError],
        ended: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._reactor = reactor
        self._lost = lost
        self._ended = ended
        self._depth = 0
        self._protocol = protocol.Link()
        self._outbox = Outbox(sock, self._on_drained)
        self._handlers: dict[int, Handler] = {}
        self._followers: list[Callable[[OpenSSHError], None]] = []
        self._afterwards: list[Callable[[], None]] = []
        self.error: OpenSSHError | None = None
        _links.add(self)
        reactor.submit(self._watch)

    # ---- one packet train

    def __enter__(self) -> ProxyLink:
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._flush()
            if self._afterwards:
                afterwards, self._afterwards = self._afterwards, []
                for callback in afterwards:
                    callback()

    def afterwards(self, callback: Callable[[], None]) -> None:
        """Call back when the train has gone: the server need not wait for the threads that we wake."""
        self._afterwards.append(callback)

    def _flush(self) -> None:
        pieces = self._protocol.outgoing_pieces()
        if not pieces or self.error is not None:
            return
        if not self._outbox.send(pieces):
            # The reader will see the end of it too, but nobody may be kept waiting for that.
            self._reactor.submit(lambda: self._fail("the master closed the connection"))
        elif self._outbox.wants_watch:
            self._reactor.submit(self._watch)

    # ---- for sessions

    def on_end(self, tell: Callable[[OpenSSHError], None]) -> None:
        """Have somebody who may have no channel told why the link is gone."""
        self._followers.append(tell)

    @property
    def congested(self) -> bool:
        return self._outbox.congested

    def open(self, kind: str, handler: Handler, extra: bytes = b"") -> int:
        """Ask for a channel; its events go to `handler`.

        Raises:
            OpenSSHError: the link is gone; the reason it went with.
        """
        with self:
            if self.error is not None:
                raise self.error
            number = self._protocol.open(kind, extra)
            self._handlers[number] = handler
            return number

    def hand_over(self, number: int, handler: Handler) -> None:
        """From now on the channel's events go to `handler`."""
        with self:
            self._handlers[number] = handler

    def request(self, number: int, name: str, payload: bytes = b"", *, want_reply: bool = True) -> bool:
        """Send a channel request; False when the channel is past taking one."""
        with self:
            return self._protocol.request(number, name, payload, want_reply=want_reply)

    def room(self, number: int) -> int:
        """Bytes that `data` would take now."""
        with self:
            return 0 if self._outbox.congested else self._protocol.room(number)

    def data(self, number: int, data: bytes | memoryview) -> None:
        with self:
            self._protocol.data(number, data)

    def eof(self, number: int) -> None:
        with self:
            self._protocol.eof(number)

    def consumed(self, number: int, count: int) -> None:
        with self:
            self._protocol.consumed(number, count)

    def close_channel(self, number: int) -> None:
        with self:
            self._protocol.close(number)

    def close(self, error: OpenSSHError) -> None:
        """End the link; whoever still has a channel is told `error`. Idempotent; from any thread."""
        self._reactor.submit(lambda: self._end(error))

    def release(self) -> socket.socket:
        """Give the connection away without ending it: every channel is closed, and whoever takes it only reads.

        Raises:
            OpenSSHError: the link is gone; the reason it went with.
        """
        if self.error is not None:
            raise self.error
        with self:
            for number in list(self._handlers):
                self._protocol.close(number)
        self._reactor.unwatch(self._sock.fileno())
        self._sock.setblocking(True)
        self._outbox.flush()
        sock, self._sock = self._sock, socket.socket(socket.AF_UNIX)
        self._sock.close()
        self.error = error = ConnectionClosed("this connection was given away")
        handlers, self._handlers = self._handlers, {}
        for handler in handlers.values():
            handler.on_lost(error)
        for tell in self._followers:
            tell(error)
        return sock

    def abandon(self) -> None:
        """In a forked child: drop our copy of the socket without a word to the master."""
        self.error = ConnectionLost("this session belongs to the parent process")
        os.close(self._sock.detach())

    # ---- what the socket says

    def _watch(self) -> None:
        if self.error is None:
            self._reactor.watch(self._sock.fileno(), READ | self._outbox.events, self._on_ready)

    def _on_ready(self, mask: int) -> None:
        if mask & ~READ:
            with self:
                alive = self._outbox.flush()
            if not alive:
                return self._fail("the master closed the connection")
            self._watch()
        if mask & READ:
            self._on_readable()

    def _on_readable(self) -> None:
        try:
            count = self._sock.recv_into(self._reactor.scratch)
        except BlockingIOError:
            return
        except OSError as error:
            return self._fail(f"the control connection broke ({error.strerror})")
        if not count:
            return self._fail("the master closed the connection")
        try:
            with self:
                for event in self._protocol.feed(bytes(self._reactor.scratch[:count])):
                    self._dispatch(event)
        except ProtocolError as error:
            self._end(error)

    def _dispatch(self, event: protocol.Event) -> None:
        number = event.channel
        handler = self._handlers.get(number)
        if isinstance(event, _LAST):
            self._handlers.pop(number, None)
        if handler is None:
            return
        try:
            handler.on_event(event)
        except Exception as error:
            if isinstance(error, ProtocolError):
                raise
            # A bug in one session must not cost the others what else came with this: its own channel pays.
            _log.exception("an error in the handler of channel %d", number)
            self._protocol.close(number)

    def _on_drained(self) -> None:
        for handler in list(self._handlers.values()):
            handler.on_drained()

    def _fail(self, what: str) -> None:
        self._end(self._lost(what))

    def _end(self, error: OpenSSHError) -> None:
        with self:
            if self.error is not None:
                return
            self.error = error
            self._reactor.unwatch(self._sock.fileno())
            try:
                # A forked child may hold a copy of the socket; close alone would not reach the master then.
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._sock.close()
            handlers, self._handlers = self._handlers, {}
            for handler in handlers.values():
                handler.on_lost(error)
            for tell in self._followers:
                tell(error)
        self._ended()


_links: weakref.WeakSet[ProxyLink] = weakref.WeakSet()


def _in_forked_child() -> None:
    for link in list(_links):
        if link.error is None:
            link.abandon()


os.register_at_fork(after_in_child=_in_forked_child)
