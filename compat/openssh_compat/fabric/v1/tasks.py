"""Tasks, and on which hosts they run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from .connections import join_host_strings, normalize
from .state import env
from .utils import abort

__all__ = ["Task", "WrappedCallableTask", "hosts_for"]


class Task:
    """Something that can be named on the command line. Subclasses have `run`.

    Attributes:
        name: on the command line; `aliases` are others.
        is_default: whether it stands for the module it is in.
    """

    name = "undefined"
    use_task_objects = True
    aliases: list[str] = []  # noqa: RUF012  # fabric's, and replaced as a whole
    is_default = False

    def __init__(
        self,
        alias: str | None = None,
        aliases: Any = None,
        default: bool = False,
        name: str | None = None,
        **_more: Any,
    ) -> None:
        self.aliases = [alias] if alias is not None else [] if aliases is None else list(aliases)
        if name is not None:
            self.name = name
        self.is_default = default

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """What it does."""
        raise NotImplementedError(f"{type(self).__name__} has no run()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)

    def __details__(self) -> str:
        return textwrap.dedent(self.__doc__ or "No docstring provided").strip()


class WrappedCallableTask(Task):
    """A function that is a task."""

    def __init__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wrapped = function
        if self.name == "undefined":
            self.name = getattr(function, "__name__", "undefined")
        self.__name__ = getattr(function, "__name__", self.name)
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self.wrapped(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":
            raise AttributeError(name)
        return getattr(self.wrapped, name)


def hosts_for(task: Any, given_hosts: Any, given_roles: Any, excluded: Any) -> list[str]:
    """Where a task runs: what the call says, else what the task says, else what `env` says.

    Raises:
        SystemExit: there is no such role.
    """
    for hosts, roles in (
        (given_hosts, given_roles),
        (getattr(task, "hosts", None), getattr(task, "roles", None)),
        (env.hosts, env.roles),
    ):
        if hosts or roles:
            return _merged(hosts or [], roles or [], [*(excluded or []), *env.exclude_hosts])
    return []


def _merged(hosts: Any, roles: Any, excluded: list[str]) -> list[str]:
    found = _listed(hosts)
    for role in _listed(roles):
        if role not in env.roledefs:
            known = ", ".join(sorted(env.roledefs)) or "none"
            abort(f"The role {role!r} is in no roledefs; there is: {known}")
        found += _of_role(env.roledefs[role])
    out = {join_host_strings(*normalize(host)) for host in excluded}
    kept = [host for host in found if join_host_strings(*normalize(host)) not in out]
    return list(dict.fromkeys(kept)) if env.dedupe_hosts else kept


def _of_role(value: Any) -> list[str]:
    if callable(value):
        value = value()
    if isinstance(value, dict):
        return _listed(value["hosts"])
    return _listed(value)


def _listed(value: str | Iterable[str]) -> list[str]:
    words = [value] if isinstance(value, str) else value
    return [word.strip() for word in words if word.strip()]
