"""The same on several hosts, one after the other or all at once."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from invoke.exceptions import AuthFailure, Failure, ResponseNotAccepted

from .connection import Connection
from .exceptions import GroupException

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Group", "GroupResult", "SerialGroup", "ThreadingGroup"]

# Logins that are under way at once, and so the threads that a group takes. Starting a command takes a round trip.
_AT_ONCE = 16


class GroupResult(dict[Connection, Any]):
    """What came of it on each connection: what the method returned, or the exception it raised."""

    @property
    def succeeded(self) -> dict[Connection, Any]:
        """Those that have no exception."""
        return {connection: value for connection, value in self.items() if not isinstance(value, BaseException)}

    @property
    def failed(self) -> dict[Connection, BaseException]:
        """Those that have one."""
        return {connection: value for connection, value in self.items() if isinstance(value, BaseException)}


class Group(list[Connection]):
    """A list of connections, with what can be done on all of them.

    Args:
        hosts: as for `Connection`.
        kwargs: for each `Connection`.
    """

    def __init__(self, *hosts: str, **kwargs: Any) -> None:
        super().__init__()
        self.extend(Connection(host, **kwargs) for host in hosts)

    @classmethod
    def from_connections(cls, connections: Iterable[Connection]) -> Self:
        """A group of these connections."""
        group = cls()
        group.extend(connections)
        return group

    def run(self, *args: Any, **kwargs: Any) -> GroupResult:
        """`Connection.run` on each.

        Raises:
            GroupException: it raised something on one of them; has what came of it on all.
        """
        return self._do("run", *args, **kwargs)

    def sudo(self, *args: Any, **kwargs: Any) -> GroupResult:
        """`Connection.sudo` on each; raises as `run`."""
        return self._do("sudo", *args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> GroupResult:
        """`Connection.put` on each; raises as `run`."""
        return self._do("put", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> GroupResult:
        """`Connection.get` on each, into a directory for each host unless `local` says otherwise; raises as `run`."""
        if len(args) < 2 and "local" not in kwargs:
            kwargs["local"] = "{host}/"
        return self._do("get", *args, **kwargs)

    def close(self) -> None:
        """Close every connection."""
        for connection in self:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _do(self, method: str, *args: Any, **kwargs: Any) -> GroupResult:
        raise NotImplementedError("use SerialGroup or ThreadingGroup")

    def _told_apart(self) -> list[Connection]:
        """The members. Two of the same host would be one key of the result, and one result would be lost."""
        seen: Counter[Connection] = Counter()
        members = list(self)
        for member in members:
            member.tell_apart(0)
            seen[member] += 1
            if seen[member] > 1:
                member.tell_apart(seen[member] - 1)
        return members


class SerialGroup(Group):
    """One after the other."""

    def _do(self, method: str, *args: Any, **kwargs: Any) -> GroupResult:
        results = GroupResult()
        for connection in self._told_apart():
            results[connection] = _outcome(lambda c=connection: getattr(c, method)(*args, **kwargs))  # type: ignore[misc]
        return _judged(results)


class ThreadingGroup(Group):
    """All at once. Some threads log in and start commands; one reads what all of them put out.

    Args:
        limit: how many hosts may be at work at the same time; None for all.
    """

    def __init__(self, *hosts: str, limit: int | None = None, **kwargs: Any) -> None:
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise ValueError(f"limit={limit!r} is no number of hosts")
        super().__init__(*hosts, **kwargs)
        self.limit = limit

    def _do(self, method: str, *args: Any, **kwargs: Any) -> GroupResult:
        members = self._told_apart()
        if method in ("run", "sudo"):
            # One terminal cannot be the input of several commands.
            kwargs.setdefault("in_stream", False)
        if method in ("run", "sudo") and self.limit is None and not kwargs.get("disown"):
            return _judged(self._all_at_once(members, method, args, kwargs))
        outcomes: dict[int, Any] = {}

        def work(at: int) -> None:
            outcomes[at] = _outcome(lambda: getattr(members[at], method)(*args, **kwargs))

        _in_threads(work, len(members), self.limit or _AT_ONCE)
        return _judged(GroupResult((member, outcomes[at]) for at, member in enumerate(members)))

    @staticmethod
    def _all_at_once(members: list[Connection], method: str, args: Any, kwargs: Any) -> GroupResult:
        """Start the command everywhere, then wait for all of them: a slow host does not keep others from starting."""
        begun: dict[int, Any] = {}

        def begin(at: int) -> None:
            begun[at] = _outcome(lambda: members[at].begin(method, *args, **kwargs))

        results = GroupResult()
        try:
            _in_threads(begin, len(members), _AT_ONCE)
            for at, member in enumerate(members):
                promise = begun.pop(at)
                results[member] = _outcome(lambda p=promise, m=member: _joined(p, m))  # type: ignore[misc]
        except BaseException:
            # Ctrl-C: no command is left running unwatched.
            for promise in begun.values():
                if hasattr(promise, "runner"):
                    promise.runner.kill()
                    promise.runner.stop()
            raise
        return results


def _joined(promise: Any, connection: Connection) -> Any:
    """The result of a command that was begun; what `begin` raised, or gave (with dry=True), as it is."""
    if isinstance(promise, Exception):
        raise promise
    if not hasattr(promise, "runner"):
        return promise
    try:
        return promise.join()
    except Failure as failure:
        if isinstance(failure.reason, ResponseNotAccepted):
            raise AuthFailure(result=failure.result, prompt=connection.config.sudo.prompt) from failure
        raise


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it is a result, and raised with the others
        return error


def _judged(results: GroupResult) -> GroupResult:
    if results.failed:
        raise GroupException(results)
    return results


def _in_threads(work: Callable[[int], None], count: int, at_once: int) -> None:
    """Do `work(0)` to `work(count - 1)` in a few threads, and wait."""
    left = deque(range(count))

    def worker() -> None:
        while True:
            try:
                at = left.popleft()
            except IndexError:
                return
            work(at)

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(count, at_once))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        left.clear()
        raise
