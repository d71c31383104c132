"""`execute`: a task on its hosts, one after the other or at once."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from typing import Any

from .collection import find
from .connections import NetworkError, connection, normalize
from .context import settings
from .state import env, output, own_environment
from .tasks import hosts_for
from .utils import abort, error, warn

__all__ = ["execute"]

LOCAL = "<local-only>"


def execute(task: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Run a task (or the name of one) on its hosts.

    Args:
        hosts, host, roles, role, exclude_hosts: where, instead of what the task and `env` say.
        args, kwargs: for the task.

    Returns:
        what it returned, by host; the only key is `<local-only>` where there are no hosts.
    """
    call = _callable(task)
    where = _destination(call, kwargs)
    with settings(command=getattr(call, "name", getattr(call, "__name__", str(task))), all_hosts=where):
        if not where:
            return {LOCAL: call(*args, **kwargs)}
        if _at_once(call) and len(where) > 1:
            return _in_parallel(call, where, args, kwargs)
        return {host: result for host in where for result in _on(call, host, args, kwargs)}


def _callable(task: Any) -> Any:
    if callable(task):
        return task
    found = find(env.get("tasks_by_name") or {}, str(task))
    if found is None:
        abort(f"{task!r} is not callable or a valid task name")
    return found


def _destination(call: Any, kwargs: dict[str, Any]) -> list[str]:
    hosts = list(kwargs.pop("hosts", None) or [])
    roles = list(kwargs.pop("roles", None) or [])
    hosts += [host] if (host := kwargs.pop("host", None)) else []
    roles += [role] if (role := kwargs.pop("role", None)) else []
    return hosts_for(call, hosts, roles, kwargs.pop("exclude_hosts", None))


def _at_once(call: Any) -> bool:
    if getattr(call, "serial", False):
        return False
    return bool(getattr(call, "parallel", False) or env.parallel)


def _on(call: Any, host: str, args: Any, kwargs: dict[str, Any]) -> list[Any]:
    """What the task returned on a host, in a list; an empty one where the host is passed over."""
    user, name, port = normalize(host)
    with settings(host_string=host, host=name, user=user, port=port):
        try:
            if env.skip_bad_hosts:
                connection()
            if output.running:
                print(f"[{host}] Executing task '{env.command}'")  # noqa: T201  # so says `running`
            return [call(*args, **kwargs)]
        except NetworkError as failure:
            error(str(failure), func=warn if env.skip_bad_hosts or env.warn_only else abort)
            return []


def _in_parallel(call: Any, where: list[str], args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """A host that fails does not keep the others; what failed is told at the end."""
    results: dict[str, Any] = {}
    failed: dict[str, str] = {}
    left = deque(where)

    def worker() -> None:
        while True:
            try:
                host = left.popleft()
            except IndexError:
                return
            with own_environment():
                env.parallel = True
                try:
                    for result in _on(call, host, args, kwargs):
                        results[host] = result
                except SystemExit as leave:
                    failed[host] = getattr(leave, "fabric_message", f"exit {leave.code}").splitlines()[0]
                except Exception as wrong:  # noqa: BLE001 - told with the others
                    failed[host] = f"{type(wrong).__name__}: {wrong}"

    size = int(getattr(call, "pool_size", None) or env.pool_size or 0) or len(where)
    threads = [_Thread(worker) for _ in range(min(size, len(where)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        left.clear()
        raise
    if failed:
        lines = "\n".join(f"    {host}: {failed[host]}" for host in where if host in failed)
        error(f"One or more hosts failed while executing task {env.command!r}:\n{lines}")
    return {host: results[host] for host in where if host in results}


class _Thread(threading.Thread):
    """One that has the settings of whoever starts it, as they are then."""

    def __init__(self, work: Any) -> None:
        super().__init__(daemon=True)
        self._context = contextvars.copy_context()
        self._work = work

    def run(self) -> None:
        self._context.run(self._work)
