"""The relay's thread: it alone touches sockets and pairs, and does what others ask between two rounds."""

from __future__ import annotations

import select
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from ._pair import End, Pair, Side

T = TypeVar("T")


class Loop:
    """Accepts, moves bytes and obeys.

    Args:
        listener: where clients come from; closed at the end.
        make_pair: makes the pair for a connection that was accepted.
    """

    def __init__(self, listener: socket.socket, make_pair: Callable[[socket.socket], Pair]) -> None:
        self.pairs: list[Pair] = []
        self.accepted = 0
        self.frozen = False
        self._make_pair = make_pair
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._asked: deque[Callable[[], None]] = deque()
        self._door = threading.Lock()
        self._finishing = self._finished = False
        for sock in (listener, self._woken):
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)

    # ---- from other threads ---------------------------------------------------------------------------

    def ask(self, action: Callable[[], T]) -> T:
        """Run `action` in the loop's thread and return what it does; here, when the loop is over."""
        answer: Future[T] = Future()

        def obey() -> None:
            try:
                answer.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it belongs to who asked
                answer.set_exception(error)

        with self._door:
            if self._finished:
                obey()
            else:
                self._asked.append(obey)
                self._wake.send(b".")
        return answer.result()

    def finish(self) -> None:
        """Ask the loop to close everything and return."""
        self.ask(lambda: setattr(self, "_finishing", True))

    # ---- in the loop's thread -------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `finish`."""
        while not self._finishing:
            for key, events in self._wait():
                self._handle(key, events)
            while self._asked:
                self._asked.popleft()()
            self._move()
        self.drop_all(reset=False)
        self._selector.close()
        self._listener.close()
        with self._door:
            self._finished = True
            while self._asked:
                self._asked.popleft()()
            self._wake.close()
            self._woken.close()

    def set_frozen(self, frozen: bool) -> None:
        """Whether nothing may pass."""
        self.frozen = frozen

    def drop_all(self, *, reset: bool) -> None:
        """Close all pairs."""
        while self.pairs:
            self._drop(self.pairs[0], reset=reset)

    def half_close(self, side: Side) -> None:
        """End, for one side of every pair, what it reads."""
        for pair in list(self.pairs):
            self._guarded(pair, pair.end(side).half_close)

    def corrupt(self, side: Side, after: int) -> None:
        """Spoil one byte of what every pair will send to a side."""
        for pair in self.pairs:
            pair.end(side).towards.flip(after)

    def _wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        due = [] if self.frozen else [at for pair in self.pairs if (at := pair.due_at()) is not None]
        if not due:
            return self._selector.select()
        seconds = max(0.0, min(due) - time.monotonic())
        # epoll counts in milliseconds and rounds up, which a delay of 20 of them would show; select does not.
        if seconds and self._selector.fileno() < 1024:
            select.select([self._selector.fileno()], [], [], seconds)
            seconds = 0.0
        return self._selector.select(seconds)

    def _handle(self, key: selectors.SelectorKey, events: int) -> None:
        if key.fileobj is self._woken:
            self._woken.recv(4096)
        elif key.fileobj is self._listener:
            self._accept()
        else:
            pair, end = key.data
            self._guarded(pair, partial(end.ready, events, time.monotonic()))

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:  # it gave up meanwhile
            return
        self.accepted += 1
        self.pairs.append(self._make_pair(accepted))

    def _move(self) -> None:
        for pair in list(self.pairs):
            if not self.frozen and not self._guarded(pair, partial(pair.deliver, time.monotonic())):
                continue
            if pair.over:
                self._drop(pair, reset=False)
                continue
            for end in pair.ends:
                self._watch(end, pair)

    def _guarded(self, pair: Pair, action: Callable[[], None]) -> bool:
        """Whether the pair still stands, after doing something with it."""
        if pair not in self.pairs:
            return False
        try:
            action()
        except OSError:
            # What one side suffers, the other one learns.
            self._drop(pair, reset=True)
            return False
        return True

    def _drop(self, pair: Pair, *, reset: bool) -> None:
        self.pairs.remove(pair)
        for end in pair.ends:
            if end.sock.fileno() in self._selector.get_map():
                self._selector.unregister(end.sock)
        pair.close(reset=reset)

    def _watch(self, end: End, pair: Pair) -> None:
        # A socket of which nothing is wanted is not watched at all, or it would report its end again and again.
        wanted = 0 if self.frozen else end.interest()
        known = self._selector.get_map().get(end.sock.fileno())
        if known is None and wanted:
            self._selector.register(end.sock, wanted, (pair, end))
        elif known is not None and not wanted:
            self._selector.unregister(end.sock)
        elif known is not None and known.events != wanted:
            self._selector.modify(end.sock, wanted, (pair, end))
