"""Tasks that know their hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from invoke.tasks import Call
from invoke.tasks import Task as InvokeTask
from invoke.tasks import task as invoke_task

from .connection import Connection

__all__ = ["ConnectionCall", "Task", "task"]


if TYPE_CHECKING:
    _InvokeTask = InvokeTask[Callable[..., Any]]
else:
    _InvokeTask = InvokeTask


class Task(_InvokeTask):
    """invoke's Task, with hosts.

    Attributes:
        hosts: where it runs unless the command line says otherwise; None for nowhere in particular.
    """

    def __init__(self, *args: Any, hosts: Iterable[str | dict[str, Any]] | None = None, **kwargs: Any) -> None:
        self.hosts = hosts
        super().__init__(*args, **kwargs)


def task(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Make a function a task; see invoke's `task` for what it can be told.

    Args:
        hosts: where it runs, once on each: host strings (`user@host:port`), or dictionaries of `Connection`'s
            arguments. The command line's --hosts wins.
    """
    kwargs.setdefault("klass", Task)
    made: Callable[..., Any] = invoke_task(*args, **kwargs)
    return made


class ConnectionCall(Call):
    """A call of a task on one host.

    Attributes:
        init_kwargs: the `Connection`'s arguments.
    """

    def __init__(self, *args: Any, init_kwargs: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.init_kwargs = init_kwargs

    def clone_data(self) -> dict[str, Any]:
        return {**super().clone_data(), "init_kwargs": self.init_kwargs}

    def make_context(self, config: Any, *_more: Any, **_named: Any) -> Connection:
        # invoke 3 tells more than a connection wants to know.
        return Connection(**{**self.init_kwargs, "config": config})
