"""Which tasks run where, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from invoke.exceptions import Exit
from invoke.executor import Executor as InvokeExecutor
from invoke.tasks import Call, Task

from .tasks import ConnectionCall

__all__ = ["Executor"]


class Executor(InvokeExecutor):
    """invoke's Executor, for which a task with hosts is one call for each of them."""

    def expand_calls(self, calls: Iterable[Any], apply_hosts: bool = True) -> list[Any]:
        """All calls in their order: what a task needs before (`pre`) once, the task on each host, `post` once.

        Raises:
            invoke.Exit: there is a command after `--`, and no host to run it on.
        """
        given = self._given_hosts() if apply_hosts else []
        expanded: list[Any] = []
        for one in calls:
            call = Call(one) if isinstance(one, Task) else one
            hosts = given or list(getattr(call.task, "hosts", None) or [])
            expanded += self.expand_calls(call.pre, apply_hosts=False)
            expanded += [_on(call, host) for host in hosts] or [call]
            expanded += self.expand_calls(call.post, apply_hosts=False)
        if apply_hosts and (command := getattr(self.core, "remainder", "")):
            expanded += self._command_on(given, command)
        return expanded

    def dedupe(self, calls: list[Any]) -> list[Any]:
        """All of them: the same task on another host is another call."""
        return calls

    def _given_hosts(self) -> list[str]:
        text = self.core[0].args.hosts.value if self.core else None
        return [host.strip() for host in text.split(",")] if text else []

    @staticmethod
    def _command_on(hosts: list[str], command: str) -> list[ConnectionCall]:
        if not hosts:
            raise Exit("There is a command to run, but no host: give --hosts.", code=1)

        def run(c: Any) -> None:
            c.run(command)

        return [_on(Call(Task(run)), host) for host in hosts]


def _on(call: Call, host: str | dict[str, Any]) -> ConnectionCall:
    init_kwargs = host if isinstance(host, dict) else {"host": host}
    clone: Any = call.clone(into=ConnectionCall, with_={"init_kwargs": init_kwargs})
    return cast(ConnectionCall, clone)
