"""What comes before the first command: the import and the login; and the paramiko adapter against paramiko."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bench import FLOORS, Bench
from figures import Figure, Rounds, Target

from rows.common import MS, as_ours, logins, scaled

__all__ = ["ROWS", "TARGETS", "import_costs"]

TARGETS = [
    Target("import", "import openssh_core, ms of CPU", at_most=60.0),
    Target("exec-command", "exec_command, times faster than paramiko", against="paramiko", at_least=15.0),
]


def imports(bench: Bench) -> list[Figure]:
    """What `import` costs in a fresh interpreter, in CPU time beyond the interpreter's own."""
    modules = {"ours": "openssh_core", "asyncssh": "asyncssh", "paramiko": "paramiko"}
    rounds, notes = import_costs(
        {peer: name for peer, name in modules.items() if peer in bench.peers}, bench.pick(15, 5)
    )
    return [Figure("import", "import", "ms of CPU", rounds, notes=notes)]


def import_costs(modules: Mapping[str, str], count: int) -> tuple[Rounds, dict[str, str]]:
    """Milliseconds of CPU that importing each module takes, `count` times in turn; and what is not installed."""
    notes = {peer: "not installed" for peer, name in modules.items() if importlib.util.find_spec(name) is None}
    there = {peer: name for peer, name in modules.items() if peer not in notes}
    rounds: Rounds = {peer: [] for peer in there}
    for number in range(count + 1):
        bare = _interpreter("pass")
        for peer, name in there.items():
            paths = sorted({_home("openssh_core"), _home(name.partition(".")[0])})
            used = _interpreter(f"import sys; sys.path += {paths!r}; import {name}")
            # The first round only sees to it that everything is compiled.
            if number:
                rounds[peer].append([(used - bare) * MS])
    return rounds, notes


def _home(name: str) -> str:
    """The directory a package was found in: -I hides a checkout that is only on PYTHONPATH."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent.parent)


def _interpreter(program: str) -> float:
    """CPU seconds of a fresh interpreter that runs one line."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-I", "-c", program])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{program!r} failed")
    return usage.ru_utime + usage.ru_stime


def exec_command(bench: Bench) -> list[Figure]:
    """The adapter against what it stands in for: connect, then exec_command and its exit status."""
    with bench.team(bench.near, logged_in=False, only=["adapter", "paramiko"]) as team:
        login, _ = logins(team, bench.pick(5, 2))
        for name in list(team.workers):
            team.log_in(name)
        team.in_turn(1, lambda worker: scaled(worker.ask("statuses", 3), MS))
        rounds = team.in_turn(bench.pick(20, 5), lambda worker: scaled(worker.ask("statuses", 10), MS))
        connect = Figure("exec-connect", "SSHClient.connect()", "ms", login, notes=team.notes)
        command = Figure("exec-command", "exec_command() and exit status", "ms", rounds, notes=dict(team.notes))
    return [as_ours(connect), as_ours(command)]


def connect(bench: Bench) -> list[Figure]:
    """The first login, and saying good-bye."""
    peers = [name for name in bench.peers if name not in FLOORS]
    with bench.team(bench.near, logged_in=False, only=peers) as team:
        login, logout = logins(team, bench.pick(10, 3))
        came = Figure("connect", "Login", "ms", login, notes=team.notes)
        went = Figure("close", "Close", "ms", logout, notes=dict(team.notes))
    return [came, went]


ROWS = {"import": imports, "exec-command": exec_command, "connect": connect}
