"""Settings for a while: `cd`, `prefix`, `settings`, `hide` and their like."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

from .state import GROUPS, Environment, env, output

__all__ = [
    "cd",
    "hide",
    "lcd",
    "path",
    "prefix",
    "quiet",
    "remote_tunnel",
    "settings",
    "shell_env",
    "show",
    "warn_only",
]

_ABSENT = object()


class _Changed(contextlib.AbstractContextManager[None]):
    """Other values for a while. May be entered again, in several threads, too: decorators are given it once for all."""

    def __init__(self, place: Environment, values: dict[str, Any], *, clean_revert: bool = False) -> None:
        self._place = place
        self._values = values
        self._clean_revert = clean_revert
        self._before = threading.local()

    def __enter__(self) -> None:
        entered: list[dict[str, Any]] = vars(self._before).setdefault("entered", [])
        entered.append({name: self._place.get(name, _ABSENT) for name in self._values})
        self._place.update(self._values)

    def __exit__(self, *_error: object) -> None:
        for name, value in self._before.entered.pop().items():
            if self._clean_revert and self._place.get(name, _ABSENT) != self._values[name]:
                continue
            if value is _ABSENT:
                self._place.pop(name, None)
            else:
                self._place[name] = value


@contextlib.contextmanager
def settings(*managers: Any, clean_revert: bool = False, **values: Any) -> Iterator[None]:
    """Enter other managers, and have `env` hold these values, for a while.

    Args:
        clean_revert: afterwards put back only what was not changed meanwhile.
    """
    with contextlib.ExitStack() as stack:
        for manager in managers:
            stack.enter_context(manager)
        with _Changed(env, values, clean_revert=clean_revert):
            yield


def _levels(names: tuple[str, ...], shown: bool) -> dict[str, bool]:
    unknown = [name for name in names if name not in output and name not in GROUPS]
    if unknown:
        raise ValueError(f"there is no kind of output called {unknown[0]!r}; there is {', '.join(sorted(output))}")
    return {level: shown for name in names for level in GROUPS.get(name, [name])}


def hide(*groups: str) -> contextlib.AbstractContextManager[None]:
    """Show none of these: running, stdout, stderr, warnings, aborts, user, status; output, commands, everything."""
    return _Changed(output, _levels(groups, False))


def show(*groups: str) -> contextlib.AbstractContextManager[None]:
    """Show these; names as for `hide`."""
    return _Changed(output, _levels(groups, True))


def quiet() -> contextlib.AbstractContextManager[None]:
    """Show nothing and take no failure seriously."""
    return settings(hide("everything"), warn_only=True)


def warn_only() -> contextlib.AbstractContextManager[None]:
    """Go on after failures."""
    return settings(warn_only=True)


def cd(path: Any) -> contextlib.AbstractContextManager[None]:
    """Run commands in a directory of the host; a relative one is relative to the `cd` around it."""
    return settings(cwd=_joined(env.cwd, os.fspath(path)))


def lcd(path: Any) -> contextlib.AbstractContextManager[None]:
    """The same for `local`."""
    return settings(lcwd=_joined(env.lcwd, os.fspath(path)))


def _joined(around: str, path: str) -> str:
    return f"{around.rstrip('/')}/{path}" if around and not path.startswith(("/", "~")) else path


def path(path: Any, behavior: str = "append") -> contextlib.AbstractContextManager[None]:
    """Change PATH of commands: append to it, prepend, or replace it."""
    return settings(path=os.fspath(path), path_behavior=behavior)


def prefix(command: str) -> contextlib.AbstractContextManager[None]:
    """Run a command before each command, `&&` between them."""
    return settings(command_prefixes=[*env.command_prefixes, command])


@contextlib.contextmanager
def remote_tunnel(
    remote_port: int,
    local_port: int | None = None,
    local_host: str = "localhost",
    remote_bind_address: str = "127.0.0.1",
) -> Iterator[None]:
    """Have a port of the host lead to a port that this machine can reach, for a while.

    Args:
        local_port: the same when left out.
    """
    from .connections import connection

    target = (local_host, remote_port if local_port is None else local_port)
    with connection().forward_remote((remote_bind_address, remote_port), target):
        yield


def shell_env(**variables: Any) -> contextlib.AbstractContextManager[None]:
    """Set variables for commands."""
    return settings(shell_env={**env.shell_env, **variables})
