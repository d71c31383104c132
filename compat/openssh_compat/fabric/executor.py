"""Which tasks run where, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from invoke.exceptions import Exit
from invoke.executor import Executor as InvokeExecutor
from invoke.tasks import Call, Task

from ._hosts import on_all, say_what_came_of_it
from ._mishaps import mark
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

    def execute(self, *tasks: Any) -> dict[Any, Any]:
        """Run tasks; a task on several hosts on as many at once as the configuration's `parallel.hosts` says.

        Raises:
            invoke.Exit: in parallel, after all hosts have been tried, when one of them failed. One after the other, the
                first failure ends it.
        """
        calls = self.normalize(tasks)
        direct = list(calls)
        results: dict[Any, Any] = {}
        for same in _runs(self.dedupe(self.expand_calls(calls))):
            contexts = [self._context_of(call) for call in same]
            shown = any(same[0].task is call.task and call.autoprint for call in direct)
            if isinstance(same[0], ConnectionCall) and self._at_once != 1 and len(same) > 1:
                results[same[0].task] = self._in_parallel(same[0], contexts)
                continue
            for at, (call, context) in enumerate(zip(same, contexts, strict=True)):
                try:
                    results[call.task] = self._one(call, context)
                except Exception as error:
                    _say_where(error, call, contexts[at:])
                    raise
                if shown:
                    print(results[call.task])  # noqa: T201  # what `autoprint` is for
        return results

    @property
    def _at_once(self) -> int:
        wanted: int = self.config.parallel.hosts
        return wanted

    def _context_of(self, call: Any) -> Any:
        self.config.load_collection(self.collection.configuration(call.called_as))
        self.config.load_shell_env()
        return call.make_context(self.config)

    def _one(self, call: Any, context: Any) -> Any:
        log_dir = self.config.parallel.log_dir
        if log_dir is None or not isinstance(call, ConnectionCall):
            return call.task(context, *call.args, **call.kwargs)
        (outcome,) = on_all([context], lambda c: call.task(c, *call.args, **call.kwargs), at_once=1, log_dir=log_dir)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def _in_parallel(self, call: Any, contexts: list[Any]) -> Any:
        at_once = self._at_once or len(contexts)
        log_dir = self.config.parallel.log_dir
        outcomes = on_all(contexts, lambda c: call.task(c, *call.args, **call.kwargs), at_once=at_once, log_dir=log_dir)
        say_what_came_of_it(outcomes)
        return outcomes[-1].value

    def dedupe(self, calls: list[Any]) -> list[Any]:
        """All of them: the same task on another host is another call."""
        return calls

    def _given_hosts(self) -> list[str]:
        args = self.core[0].args if self.core else None
        named = args.hosts.value if args is not None else None
        hosts = [host for word in (named or "").split(",") if (host := word.strip())]
        if named is not None and not hosts:
            raise Exit(f"--hosts={named!r} names no host, and without one the task would run on this machine.", code=1)
        _check_names(hosts)
        for role in (args.role.value or []) if args is not None else []:
            hosts += [host for host in self._hosts_of(role) if host not in hosts]
        return hosts

    def _hosts_of(self, role: str) -> list[str]:
        roles = self.config.roles
        if role not in roles:
            known = ", ".join(sorted(roles)) or "none"
            raise Exit(f"There is no role {role!r} in the configuration; there is: {known}.", code=1)
        hosts = roles[role]
        return [hosts] if isinstance(hosts, str) else list(hosts)

    @staticmethod
    def _command_on(hosts: list[str], command: str) -> list[ConnectionCall]:
        if not hosts:
            raise Exit("There is a command to run, but no host: give --hosts.", code=1)

        def run(c: Any) -> None:
            c.run(command)

        task: Any = Task(run)
        return [_on(Call(task), host) for host in hosts]


def _check_names(hosts: Iterable[str]) -> None:
    """See that what was typed can be hosts at all, before anything is done on the first of them."""
    for host in hosts:
        name = host.rpartition("@")[2]
        if host.startswith("-") or name.startswith("-"):
            raise Exit(f"{host!r} is no host: it begins with a dash. An option belongs before or after it.", code=1)
        if any(character.isspace() for character in host):
            raise Exit(f"{host!r} is no host: there is a blank in it. Hosts are separated by commas.", code=1)


def _say_where(error: Exception, call: Any, contexts: list[Any]) -> None:
    """Note on which host it was, and which hosts will not have their turn."""
    if not isinstance(call, ConnectionCall):
        return
    here, *others = (context.original_host for context in contexts)
    mark(error, here)
    if others:
        error.not_tried = others  # type: ignore[attr-defined]


def _runs(calls: Iterable[Any]) -> list[list[Any]]:
    """Calls in their order; those of one task on one host after the other are together."""
    runs: list[list[Any]] = []
    for call in calls:
        if isinstance(call, ConnectionCall) and runs and _same_task(runs[-1][-1], call):
            runs[-1].append(call)
        else:
            runs.append([call])
    return runs


def _same_task(one: Any, other: Any) -> bool:
    return (
        isinstance(one, ConnectionCall)
        and one.task is other.task
        and (one.args, one.kwargs) == (other.args, other.kwargs)
    )


def _on(call: Call, host: str | dict[str, Any]) -> ConnectionCall:
    init_kwargs = host if isinstance(host, dict) else {"host": host}
    clone: Any = call.clone(into=ConnectionCall, with_={"init_kwargs": init_kwargs})
    return cast(ConnectionCall, clone)
