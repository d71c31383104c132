"""What is said of a task: where it runs, and whether on several hosts at once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from .context import settings
from .tasks import WrappedCallableTask

__all__ = ["hosts", "parallel", "roles", "runs_once", "serial", "task", "with_settings"]


def task(*args: Any, **kwargs: Any) -> Any:
    """Make a function a task: `@task`, or with `name`, `alias`, `aliases`, `default`, `task_class`."""
    kind = kwargs.pop("task_class", WrappedCallableTask)
    if len(args) == 1 and callable(args[0]) and not kwargs:
        return kind(args[0])
    return lambda function: kind(function, *args, **kwargs)


def _names(name: str) -> Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]:
    def decorator(*given: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        listed = given[0] if len(given) == 1 and not isinstance(given[0], str) and not callable(given[0]) else given

        def attach(function: Callable[..., Any]) -> Callable[..., Any]:
            wrapped: Callable[..., Any] = _wrapped(function)
            setattr(wrapped, name, list(listed))
            return wrapped

        return attach

    return decorator


def _wrapped(function: Any) -> Any:
    """A function that attributes can be set on, while those it has stay visible."""
    if isinstance(function, WrappedCallableTask):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


hosts = _names("hosts")
roles = _names("roles")


def runs_once(function: Any) -> Any:
    """Run it once, on the first host; on the others give what it returned."""
    inner = _wrapped(function)
    lock = threading.Lock()
    results: list[Any] = []

    @functools.wraps(inner)
    def call(*args: Any, **kwargs: Any) -> Any:
        with lock:
            if not results:
                results.append(inner(*args, **kwargs))
            return results[0]

    call.parallel, call.serial = False, True  # type: ignore[attr-defined]
    return call


def serial(function: Any) -> Any:
    """One host after the other, whatever else is said."""
    inner = _wrapped(function)
    inner.serial, inner.parallel = True, False
    return inner


def parallel(pool_size: Any = None) -> Any:
    """On several hosts at once: `@parallel`, or `@parallel(pool_size=5)` for five at a time."""
    if callable(pool_size):
        return parallel()(pool_size)

    def attach(function: Any) -> Any:
        inner = _wrapped(function)
        inner.parallel, inner.serial, inner.pool_size = True, False, pool_size
        return inner

    return attach


def with_settings(*managers: Any, **values: Any) -> Callable[[Any], Any]:
    """Run it inside `settings(...)`."""

    def attach(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with settings(*managers, **values):
                return function(*args, **kwargs)

        return call

    return attach
