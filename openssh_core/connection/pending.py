"""Connections that come about in the background: one or many, each with a handle.

A login runs in a thread of its own, a bounded number of them at a time and fewer for each host, so that a server with
the usual MaxStartups turns none away. One that is turned away all the same is tried again while its time lasts; one
that is refused for any other reason is not.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from .._io.complaints import Complaints
from .._io.latch import Latch
from .._io.login_turns import AT_ONCE
from ..errors import ConnectError, InvalidInput, OpenSSHError, TurnedAway
from ..starting import AnyLauncher
from .arguments import Arguments, ConnectOptions
from .connecting import owning, prepared
from .front import Connection

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Connecting", "connect_many", "connecting"]

_log = Complaints("openssh_core.connecting")

# Seconds of the first pause after being turned away, and of the longest.
_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
# Logins of one program at a time, when nobody says otherwise.
_MANY = 32


def connecting(target: str, **options: Unpack[ConnectOptions]) -> Connecting:
    """Start to log in, and go on.

    Args:
        target, options: as for `connect`. Functions among them are called in another thread. `connect_timeout` counts
            from when the login starts, which may be later: at most eight logins to one host are under way at a time.

    Returns:
        a handle that becomes done. Everything that cannot be is raised here and now.
    """
    return _queued([target], options, _Limit(_MANY))[0]


def connect_many(
    targets: Iterable[str], *, at_once: int = _MANY, **options: Unpack[ConnectOptions]
) -> list[Connecting]:
    """Start to log in to many hosts, or many times to one, and go on.

    Args:
        targets, options: as for `connecting`; the options are for all of them.
        at_once: logins that are under way at a time. Where all go through one jump host, eight are enough for it.

    Returns:
        a handle for each target, in their order. Each is waited for, or awaited, by itself.
    """
    if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
        raise InvalidInput(f"at_once={at_once!r} is no whole number from 1 on")
    return _queued(targets, options, _Limit(at_once))


def _queued(targets: Iterable[str], options: ConnectOptions, limit: _Limit) -> list[Connecting]:
    with owning(options):
        given = Arguments.of(options)
        if given.lazy:
            raise InvalidInput("lazy= and logging in in the background contradict each other")
        handles = [Connecting(target, given, limit) for target in targets]
    for handle in handles:
        _queue.add(handle)
    return handles


class Connecting:
    """A login in the background. Thread-safe; can be awaited.

    Attributes:
        host: the destination as the caller named it, without any password.
    """

    def __init__(self, target: str, given: Arguments, limit: _Limit) -> None:
        self._connection: Connection | None = prepared(target, given, self._launched)
        self.host = self._connection.host
        self.limit = limit
        self._timeout = given.connect_timeout
        self._done = Latch()
        self._error: BaseException | None = None
        self._cancelled = threading.Event()
        self._launcher: AnyLauncher | None = None

    def __repr__(self) -> str:
        state = "under way" if not self.poll() else "connected" if self._error is None else type(self._error).__name__
        return f"<Connecting {self.host}: {state}>"

    def poll(self) -> bool:
        """Whether it is over, well or not. Never waits."""
        return self._done.is_open()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over, at most `timeout` seconds; whether it is."""
        return self._done.wait(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Why there is no connection; None when there is one.

        Raises:
            TimeoutError: it is not over within `timeout` seconds.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"{self.host}: the login is not over after {timeout:g} s")
        return self._error

    def result(self, timeout: float | None = None) -> Connection:
        """The connection, which is the caller's to close.

        Raises:
            ConnectError: there is none; one of its subclasses says why.
            TimeoutError: it is not over within `timeout` seconds.
        """
        error = self.exception(timeout)
        if error is not None:
            raise error
        assert self._connection is not None
        return self._connection

    def add_done_callback(self, call: Callable[[Connecting], object]) -> None:
        """Have it called with this handle when the login is over: in the login's thread, or here if it is over already.

        What it raises is logged.
        """

        def safely() -> None:
            try:
                call(self)
            except Exception:  # noqa: BLE001 - it is logged, and must not cost the login
                _log.exception("a done-callback of the login to %s failed", self.host)

        self._done.then(safely)

    def cancel(self) -> None:
        """End it. A connection that there is already is closed. Does not wait."""
        self._cancelled.set()
        if launcher := self._launcher:
            launcher.strike()
        if _queue.remove(self):
            self._finish(self._given_up())
        elif self.poll() and self._error is None and self._connection is not None:
            self._connection.close()

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._awaited().__await__()

    async def _awaited(self) -> Connection:
        import asyncio

        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def tell(_handle: Connecting) -> None:
            try:
                loop.call_soon_threadsafe(over.set)
            except RuntimeError:
                pass  # the loop was closed: nobody waits any more

        self.add_done_callback(tell)
        try:
            await over.wait()
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self.result(0)

    # ---- in the login's thread

    def run(self) -> None:
        """Log in; for the queue only."""
        error: BaseException | None = None
        try:
            self._log_in()
        except BaseException as caught:  # noqa: BLE001 - whoever asks for the result raises it
            error = caught
        self._finish(self._given_up() if self._cancelled.is_set() and error is not None else error)

    def _log_in(self) -> None:
        import random

        assert self._connection is not None
        end = None if self._timeout is None else monotonic() + self._timeout
        pause = _PAUSE
        while not self._cancelled.is_set():
            try:
                self._connection._live()
                return
            except TurnedAway:
                wait = random.uniform(0.5, 1.0) * pause
                if end is not None and monotonic() + wait > end:
                    raise
            self._cancelled.wait(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise self._given_up()

    def _launched(self, launcher: AnyLauncher) -> None:
        self._launcher = launcher
        if self._cancelled.is_set():
            launcher.strike()

    def _finish(self, error: BaseException | None) -> None:
        self._launcher = None
        self._error = error
        connection = self._connection
        if connection is not None and (error is not None or self._cancelled.is_set()):
            self._error = error or self._given_up()
            self._connection = None
            connection.close()
        self._done.open()

    def _given_up(self) -> ConnectError:
        return ConnectError("the login was cancelled", host=self.host)

    def abandon(self) -> None:
        """In a forked child: it goes on in the parent only."""
        self._connection = None
        self._error = OpenSSHError("this login belongs to the parent process", host=self.host)
        self._done.open()


class _Limit:
    """How many of one call may be under way.

    Attributes:
        left: how many more.
    """

    def __init__(self, most: int) -> None:
        self.left = most


class _Queue:
    """Logins that wait for their turn, and the threads of those that have it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: list[Connecting] = []
        self._running: set[Connecting] = set()
        self._hosts: Counter[str] = Counter()

    def add(self, handle: Connecting) -> None:
        with self._lock:
            self._waiting.append(handle)
            self._start_what_may()

    def remove(self, handle: Connecting) -> bool:
        """Whether it still waited; it does not any more."""
        with self._lock:
            if handle not in self._waiting:
                return False
            self._waiting.remove(handle)
            return True

    def _start_what_may(self) -> None:
        for handle in list(self._waiting):
            if handle.limit.left and self._hosts[handle.host] < AT_ONCE:
                thread = threading.Thread(
                    target=self._run, args=(handle,), name=f"openssh-core-login {handle.host}", daemon=True
                )
                thread.start()
                self._waiting.remove(handle)
                self._running.add(handle)
                handle.limit.left -= 1
                self._hosts[handle.host] += 1

    def _run(self, handle: Connecting) -> None:
        try:
            handle.run()
        finally:
            with self._lock:
                self._running.discard(handle)
                handle.limit.left += 1
                self._hosts[handle.host] -= 1
                if not self._hosts[handle.host]:
                    del self._hosts[handle.host]
                self._start_what_may()

    def cancel_all(self) -> None:
        """At the end of the program: what is under way is ended, and its threads are waited for."""
        with self._lock:
            handles = [*self._waiting, *self._running]
        for handle in handles:
            handle.cancel()
        for handle in handles:
            handle.wait()

    def forget(self) -> None:
        """In a forked child: the threads are not here."""
        handles = [*self._waiting, *self._running]
        self.__init__()  # type: ignore[misc]
        for handle in handles:
            handle.abandon()


_queue = _Queue()

atexit.register(_queue.cancel_all)
os.register_at_fork(after_in_child=_queue.forget)
