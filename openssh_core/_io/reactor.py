"""One thread per process waits for every descriptor of this library. It never blocks and runs no user code.

The thread starts with the first piece of work and ends when nothing is registered any more, so a program that
has closed its connections has no thread and no descriptor of ours left. After a fork the child has a reactor of its
own.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from .complaints import Complaints
from .latch import Latch
from .poller import READ, WRITE, Poller, Ready

__all__ = ["READ", "WRITE", "Reactor", "Ready", "Timer", "get_reactor"]

_log = Complaints("openssh_core.reactor")

# Bytes that are received at a time.
_SCRATCH = 256 * 1024

T = TypeVar("T")
Callback = Callable[[], None]


class Timer:
    """Something to do later; `cancel` before then and it is not done."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Reactor:
    """A poller, a queue and a heap of timers, served by one thread.

    Only `submit`, `call` and `is_current` may be used in other threads; everything else belongs to the reactor's own.

    Attributes:
        scratch: where a callback may receive what it takes out again before it returns.
    """

    def __init__(self) -> None:
        # One for good and for all: so much for each small message would cost more than the message, and for each of
        # a hundred connections it would be most of what they need.
        self.scratch = memoryview(bytearray(_SCRATCH))
        # Reentrant, because a finaliser can run in the middle of `submit` and submit something itself.
        self._lock = threading.RLock()
        self._queue: deque[Callback] = deque()
        self._thread: threading.Thread | None = None
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._wake_read = self._wake_write = -1
        self._starting = False

    def _open(self) -> None:
        """Get the descriptors that a running thread needs."""
        self._poller = Poller()
        try:
            self._wake_read, self._wake_write = os.pipe()
        except OSError:
            self._poller.close()
            raise
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._poller.watch(self._wake_read, READ, self._drain_wake_ups)

    def _close(self) -> None:
        ends = self._wake_read, self._wake_write
        # First: another thread may fork in the middle of this, and its child must not close the same numbers again.
        self._wake_read = self._wake_write = -1
        self._poller.close()
        for end in ends:
            os.close(end)

    # ---- from any thread

    def submit(self, callback: Callback) -> None:
        """Have `callback` run in the reactor's thread, after everything submitted before it.

        Ctrl-C may hit anywhere in here: either the callback will run, or the interrupt gets through to the caller.
        """
        with self._lock:
            if self._starting:
                self._queue.append(callback)
                return
            if self._thread is None:
                self._start(callback)
                return
            if not self._queue and not self.is_current():
                # Before the callback is queued: nothing may stand in the queue for which nobody was woken.
                self._wake()
            self._queue.append(callback)

    def _start(self, callback: Callback) -> None:
        """Begin to work. A finaliser that submits something meanwhile must not do the same."""
        self._starting = True
        try:
            self._open()
            self._queue.append(callback)
            self._thread = threading.Thread(target=self._run, name="openssh-core-reactor", daemon=True)
            self._thread.start()
        except RuntimeError:
            # The system has no thread left for us.
            self._thread = None
            self._queue.remove(callback)
            self._close()
            raise
        finally:
            self._starting = False

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` in the reactor's thread and wait for what it returns or raises."""
        if self.is_current():
            return function()
        done = Latch()
        result: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                result.append(function())
            except BaseException as error:  # noqa: BLE001 - raised where the caller is
                errors.append(error)
            done.open()

        self.submit(run)
        done.wait()
        if errors:
            raise errors[0]
        return result[0]

    def is_current(self) -> bool:
        """Whether this is the reactor's thread."""
        # By number: asking for the thread itself would make an object, for good, for one that has none.
        thread = self._thread
        return thread is not None and thread.ident == threading.get_ident()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\x00")
        except BlockingIOError:
            pass  # the pipe is full of wake-ups: it will wake

    def forget(self) -> None:
        """In a forked child: give up what belongs to the parent, without telling it, and begin anew.

        Objects of the parent that are closed here still submit things.
        """
        # Whoever held the lock, or was the thread, does not exist here.
        self._lock = threading.RLock()
        self._thread, self._starting = None, False
        self._queue, self._timers = deque(), []
        if self._wake_read >= 0:
            self._close()

    # ---- in the reactor's thread

    def watch(self, fd: int, events: int, ready: Ready) -> None:
        """Call `ready(mask)` whenever the descriptor is. Watching it again changes events and callback."""
        self._poller.watch(fd, events, ready)

    def unwatch(self, fd: int) -> None:
        """Stop watching; to be called before the descriptor is closed."""
        if self._thread is not None:
            self._poller.unwatch(fd)

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Call back at a moment of the monotonic clock (seconds)."""
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def _run(self) -> None:
        while True:
            self._drain_queue()
            timeout = self._run_timers()
            if self._idle():
                return
            self._serve(timeout)

    def _serve(self, timeout: float | None) -> None:
        # A function of its own: what was called last, and all it holds, must not stay until something else happens.
        for ready, fd, mask in self._poller.wait(timeout):
            if self._poller.still_wants(fd, ready):
                self._call(ready, mask)

    def _idle(self) -> bool:
        """Whether the thread may end; says so under the lock, so that no work falls between two threads."""
        if len(self._poller) > 1 or self._timers:
            return False
        with self._lock:
            if self._queue:
                return False
            self._close()
            self._thread = None
            return True

    def _drain_wake_ups(self, _mask: int) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            pass

    def _drain_queue(self) -> None:
        while True:
            with self._lock:
                batch, self._queue = self._queue, deque()
            if not batch:
                return
            for callback in batch:
                self._call(callback)

    def _run_timers(self) -> float | None:
        """Do what is due; seconds until the next, 0 when work was submitted meanwhile, None without any."""
        while self._timers:
            when, _, timer = self._timers[0]
            if timer.callback is not None and when > monotonic():
                return 0.0 if self._queue else max(0.0, when - monotonic())
            heapq.heappop(self._timers)
            if timer.callback is not None:
                self._call(timer.callback)
        return 0.0 if self._queue else None

    @staticmethod
    def _call(callback: Callable[..., None], *args: int) -> None:
        try:
            callback(*args)
        except BaseException:  # noqa: BLE001 - for the reason below
            # A bug in one handler, or sys.exit() in a function of the caller's, must not stop the reader: an unread
            # link costs every session on it.
            _log.exception("an error in the reactor")


_reactor: Reactor | None = None
_creating = threading.Lock()


def get_reactor() -> Reactor:
    """The reactor of this process."""
    global _reactor
    if _reactor is None:
        with _creating:
            if _reactor is None:
                _reactor = Reactor()
    return _reactor


def _in_forked_child() -> None:
    global _reactor, _creating
    _creating = threading.Lock()
    theirs, _reactor = _reactor, None
    if theirs is not None:
        theirs.forget()


os.register_at_fork(after_in_child=_in_forked_child)
