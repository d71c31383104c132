"""Connections kept for the next one who wants the same, and a way to have all of a program's connections go through
such a cache, or through any other function.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from ._io.deadline import Deadline, check_seconds
from .connection.access import Access
from .connection.arguments import Arguments, ConnectOptions
from .connection.connecting import connect_really, diverted
from .connection.front import Connection
from .errors import ConnectionClosed, ConnectTimeout, InvalidInput, OpenSSHError
from .master import Master

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

__all__ = ["ConnectionCache", "diverted"]


# Seconds until somebody who waits looks again for a connection that was dropped without being closed.
_LOOK_AGAIN = 0.5


class _Entry:
    """One kept connection.

    Attributes:
        connection: None while the login is going on.
        users: how many have it now.
        since: when it was last given back.
        spoiled: nobody else gets it, and it is closed when it comes back.
    """

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.users = 1
        self.since = 0.0
        self.spoiled = False


class _Lease(Access):
    """The way to a master that others use, too."""

    def __init__(self, inner: Connection, give_back: Callable[[], None]) -> None:
        super().__init__(self.restart, inner.host, None)
        self._inner = inner
        self._give_back = give_back

    def present(self) -> Master | None:
        return None if self.ended else self._inner._access.present()

    def master(self) -> Master:
        self._check()
        return self._inner._live()

    def restart(self) -> NoReturn:
        raise _shared(self._inner.host)

    def give_up(self, why: str) -> None:
        with self._lock:
            if self._ended is not None:
                return
            self._ended = why
        self._give_back()


class _Leased(Connection):
    """A connection out of a cache. Closing it gives it back; it differs from others in nothing else."""

    _access: _Lease

    def close(self, *, end: bool = False) -> None:
        """Give it back. Commands that still run go on.

        Args:
            end: have the connection closed when nobody has it any more, instead of kept.
        """
        if not self.closed:
            self._close_attached()
            if end:
                self._spoil()
            self._access.give_up("given back")
            self._forget()

    def stop(self) -> NoReturn:
        raise _shared(self.host)

    def disown(self) -> NoReturn:
        raise _shared(self.host)

    def __del__(self) -> None:
        access = getattr(self, "_access", None)
        if access is not None and not access.ended:
            self._lost()

    # Set by the cache.
    _spoil: Callable[[], None]
    _lost: Callable[[], None]


def _shared(host: str) -> InvalidInput:
    return InvalidInput("others may use this connection, too: it is out of a cache", host=host)


class ConnectionCache:
    """Keeps connections, so that the next `connect` to the same place with the same options costs nothing.

    A context manager: leaving it closes everything. Thread-safe; a forked child begins with an empty one.

    Args:
        limit: connections it holds at most, those in use included. One that is needed beyond that takes the place of
            the one that has been unused for the longest time, or waits until one is given back.
        idle: seconds after which an unused one is closed; None: it is kept.
    """

    def __init__(self, limit: int = 16, *, idle: float | None = 300.0) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InvalidInput(f"limit={limit!r} is no whole number from 1 on")
        if idle is not None:
            check_seconds(idle, "idle")
        self._limit = limit
        self._idle = idle
        self._changed = threading.Condition()
        self._entries: dict[Any, _Entry] = {}
        self._lost: deque[tuple[Any, _Entry]] = deque()
        self._janitor: threading.Thread | None = None
        self._closed = False
        _caches.add(self)

    def __repr__(self) -> str:
        return f"<ConnectionCache: {len(self)} of {self._limit}>"

    def __len__(self) -> int:
        """Connections that are open, or about to be."""
        return len(self._entries)

    def connect(self, target: str, **options: Unpack[ConnectOptions]) -> Connection:
        """A connection, made now or kept from before. Close it to give it back.

        Args:
            target, options: as for `openssh_core.connect`. Kept connections are told apart by all of them: by their
                values, functions and objects by which one it is. `connect_timeout` is also for waiting for a place.

        Raises:
            ConnectTimeout: as many as the cache holds were in use for all that time.
            ConnectionClosed: the cache was closed.
            InvalidInput: `sock=` can be used only once, so there is nothing to keep.
            ConnectError, InvalidInput: as for `openssh_core.connect`.
        """
        given = Arguments.of(options)
        if given.sock is not None:
            raise InvalidInput("sock= leads to the server once, so such a connection cannot be kept")
        key = (target, _frozen(options))
        deadline = Deadline.after(given.connect_timeout)
        while True:
            entry, is_new = self._take(key, deadline)
            if is_new:
                self._log_in(key, entry, target, options)
            elif not _is_there(entry):
                self._put_back(key, entry, spoil=True)
                continue
            return self._lease(key, entry, given)

    def clean(self) -> None:
        """Close what nobody uses now; what is in use is closed when it is given back."""
        with self._changed:
            self._collect()
            entries, self._entries = list(self._entries.values()), {}
            for entry in entries:
                entry.spoiled = True
            unused = [entry for entry in entries if not entry.users]
            self._changed.notify_all()
        _close_all(unused)

    def close(self) -> None:
        """The same, and no more connections from now on. Idempotent."""
        self._closed = True
        self.clean()

    def installed(self) -> contextlib.AbstractContextManager[None]:
        """Until the end of the block, `openssh_core.connect` gives connections out of this cache, for all threads."""
        return diverted(self.connect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    # ---- taking one

    def _take(self, key: Any, deadline: Deadline) -> tuple[_Entry, bool]:
        """An entry that the caller uses from now on, and whether it has to log in for it."""
        while True:
            with self._changed:
                if self._closed:
                    raise ConnectionClosed("this cache was closed")
                self._collect()
                entry = self._entries.get(key)
                if entry is not None and entry.connection is not None:
                    entry.users += 1
                    return entry, False
                if entry is None and (evicted := self._make_room()) is not None:
                    entry = self._entries[key] = _Entry()
                    break
                # Somebody logs in for it, or every place is in use.
                self._wait(deadline)
        _close_all(evicted)
        return entry, True

    def _wait(self, deadline: Deadline) -> None:
        if deadline.passed:
            raise ConnectTimeout(
                f"no place was free: {self._limit} connections are in use, as many as this cache holds",
                advice="Give connections back earlier, or make the cache larger",
            )
        left = deadline.left()
        self._changed.wait(_LOOK_AGAIN if left is None else min(left, _LOOK_AGAIN))

    def _make_room(self) -> list[_Entry] | None:
        """What has to be closed for one more to have a place; None when every place is in use."""
        if len(self._entries) < self._limit:
            return []
        unused = [key for key, entry in self._entries.items() if not entry.users]
        if not unused:
            return None
        return [self._entries.pop(min(unused, key=lambda key: self._entries[key].since))]

    def _log_in(self, key: Any, entry: _Entry, target: str, options: ConnectOptions) -> None:
        try:
            connection = connect_really(target, **options)
        except BaseException:
            with self._changed:
                if self._entries.get(key) is entry:
                    del self._entries[key]
                self._changed.notify_all()
            raise
        with self._changed:
            entry.connection = connection
            self._changed.notify_all()

    def _lease(self, key: Any, entry: _Entry, given: Arguments) -> Connection:
        inner = entry.connection
        assert inner is not None
        lease = _Lease(inner, lambda: self._put_back(key, entry))
        leased = _Leased(lease, inner.host, encoding=given.encoding, errors=given.errors, defaults=given.defaults)
        leased._forwards = inner._forwards
        leased._spoil = lambda: self._spoil(key, entry)
        # A finaliser may run anywhere, with any lock held: it only leaves word.
        lost = self._lost
        leased._lost = lambda: lost.append((key, entry))
        return leased

    # ---- getting it back

    def _put_back(self, key: Any, entry: _Entry, *, spoil: bool = False) -> None:
        with self._changed:
            unused = self._returned(key, entry, spoil)
            self._changed.notify_all()
        _close_all(unused)

    def _returned(self, key: Any, entry: _Entry, spoil: bool = False) -> list[_Entry]:
        """Under the lock; what is to be closed now."""
        entry.users -= 1
        entry.since = monotonic()
        if spoil or self._closed:
            self._spoil(key, entry)
        if entry.users:
            return []
        if entry.spoiled:
            return [entry]
        self._wake_janitor()
        return []

    def _spoil(self, key: Any, entry: _Entry) -> None:
        with self._changed:
            entry.spoiled = True
            if self._entries.get(key) is entry:
                del self._entries[key]

    def _collect(self) -> None:
        """Take back what was dropped without being closed. Under the lock."""
        while self._lost:
            for entry in self._returned(*self._lost.popleft()):
                threading.Thread(target=_close_all, args=([entry],), daemon=True).start()

    # ---- closing what nobody has wanted for long

    def _wake_janitor(self) -> None:
        if self._idle is not None and self._janitor is None:
            self._janitor = threading.Thread(target=self._sweep, name="openssh-core-cache", daemon=True)
            self._janitor.start()

    def _sweep(self) -> None:
        assert self._idle is not None
        while True:
            with self._changed:
                now = monotonic()
                unused = {key: entry for key, entry in self._entries.items() if not entry.users}
                if not unused:
                    self._janitor = None
                    return
                old = {key: entry for key, entry in unused.items() if entry.since + self._idle <= now}
                for key in old:
                    del self._entries[key]
                if not old:
                    self._changed.wait(min(entry.since for entry in unused.values()) + self._idle - now)
                    continue
                self._changed.notify_all()
            _close_all(old.values())

    def _abandon(self) -> None:
        """In a forked child: these connections are the parent's."""
        self._changed = threading.Condition()
        self._entries, self._janitor = {}, None
        self._lost.clear()


def _close_all(entries: Any) -> None:
    for entry in entries:
        if entry.connection is not None:
            with contextlib.suppress(OpenSSHError):
                entry.connection.close()


def _is_there(entry: _Entry) -> bool:
    assert entry.connection is not None
    try:
        entry.connection.check()
    except OpenSSHError:
        return False
    return entry.connection.connected


def _frozen(value: Any) -> Any:
    """Something hashable that is equal for equal values."""
    if isinstance(value, Mapping):
        return "map", frozenset((name, _frozen(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(_frozen(each) for each in value)
    if isinstance(value, os.PathLike):
        return "path", os.fspath(value)
    try:
        hash(value)
    except TypeError:
        return "object", _Same(value)
    # 1 and True are equal, and are not the same option.
    return type(value), value


class _Same:
    """Equal only for one and the same object, which it keeps alive."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)


_caches: weakref.WeakSet[ConnectionCache] = weakref.WeakSet()


def _in_forked_child() -> None:
    for cache in list(_caches):
        cache._abandon()


os.register_at_fork(after_in_child=_in_forked_child)
