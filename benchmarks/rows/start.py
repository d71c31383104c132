"""What comes before the first command: the import and the login; and the paramiko adapter against paramiko."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from bench import FLOORS, Bench
from figures import Figure, Rounds, Target

from rows.common import MS, as_ours, logins, scaled

__all__ = ["ROWS", "TARGETS", "import_costs"]

TARGETS = [
    Target("import", "import openssh_core, ms of CPU", at_most=60.0),
    Target("adapter-import", "from openssh_compat import paramiko, times less CPU", against="paramiko", at_least=2.0),
    Target("exec-command", "exec_command, times faster than paramiko", against="paramiko", at_least=15.0),
    Target("exec-command-far", "exec_command over a slow line, times faster", against="paramiko", at_least=1.7),
    Target("script", "a program of one command, times faster than with paramiko", against="paramiko", at_least=1.0),
]


def imports(bench: Bench) -> list[Figure]:
    """What `import` costs in a fresh interpreter, in CPU time beyond the interpreter's own."""
    modules = {"ours": "openssh_core", "asyncssh": "asyncssh", "paramiko": "paramiko"}
    rounds, notes = import_costs(
        {peer: name for peer, name in modules.items() if peer in bench.peers}, bench.pick(15, 5)
    )
    return [Figure("import", "import", "ms of CPU", rounds, notes=notes)]


def adapter_import(bench: Bench) -> list[Figure]:
    """The same of the adapter and of what it stands in for."""
    modules = {"adapter": "openssh_compat.paramiko", "paramiko": "paramiko"}
    rounds, notes = import_costs(modules, bench.pick(15, 5))
    return [as_ours(Figure("adapter-import", "paramiko: import", "ms of CPU", rounds, notes=notes))]


def import_costs(modules: Mapping[str, str], count: int) -> tuple[Rounds, dict[str, str]]:
    """Milliseconds of CPU that importing each module takes, `count` times in turn; and what is not installed."""
    notes = {peer: "not installed" for peer, name in modules.items() if importlib.util.find_spec(name) is None}
    there = {peer: name for peer, name in modules.items() if peer not in notes}
    rounds: Rounds = {peer: [] for peer in there}
    for number in range(count + 1):
        bare = _interpreter("pass")
        for peer, name in there.items():
            used = _interpreter(f"{_paths(name)}; import {name}")
            # The first round only sees to it that everything is compiled.
            if number:
                rounds[peer].append([(used - bare) * MS])
    return rounds, notes


def _paths(name: str) -> str:
    """The beginning of a program that is to import this module."""
    return f"import sys; sys.path += {sorted({_home('openssh_core'), _home(name.partition('.')[0])})!r}"


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


def exec_command_far(bench: Bench) -> list[Figure]:
    """The same over a line with a long way."""
    with bench.team(bench.far, only=["adapter", "paramiko"]) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("statuses", 2), MS))
        rounds = team.in_turn(bench.pick(6, 2), lambda worker: scaled(worker.ask("statuses", 5), MS))
        title = f"exec_command() and exit status at {bench.round_trip * MS:.0f} ms round trip"
        return [as_ours(Figure("exec-command-far", title, "ms", rounds, notes=team.notes))]


SCRIPT = """
{paths}
import {module} as paramiko
client = paramiko.SSHClient()
client.load_host_keys({known_hosts!r})
client.connect({host!r}, port={port}, username={user!r}, key_filename={key!r}, allow_agent=False, look_for_keys=False)
stdin, stdout, stderr = client.exec_command("true")
assert stdout.channel.recv_exit_status() == 0
client.close()
"""


def script(bench: Bench) -> list[Figure]:
    """All of a small program: from the start of the interpreter to its end."""
    modules = {"adapter": "openssh_compat.paramiko", "paramiko": "paramiko"}
    there = {peer: name for peer, name in modules.items() if importlib.util.find_spec(name) is not None}
    rounds: Rounds = {peer: [] for peer in there}
    for number in range(bench.pick(10, 3) + 1):
        for peer, name in there.items():
            program = SCRIPT.format(paths=_paths(name), module=name, **asdict(bench.near))
            start = time.perf_counter()
            _interpreter(program)
            if number:
                rounds[peer].append([(time.perf_counter() - start) * MS])
    return [as_ours(Figure("script", "A program that connects and runs a command", "ms", rounds))]


def connect(bench: Bench) -> list[Figure]:
    """The first login, and saying good-bye."""
    peers = [name for name in bench.peers if name not in FLOORS]
    with bench.team(bench.near, logged_in=False, only=peers) as team:
        login, logout = logins(team, bench.pick(10, 3))
        came = Figure("connect", "Login", "ms", login, notes=team.notes)
        went = Figure("close", "Close", "ms", logout, notes=dict(team.notes))
    return [came, went]


ROWS = {
    "import": imports,
    "adapter-import": adapter_import,
    "connect": connect,
    "exec-command": exec_command,
    "exec-command-far": exec_command_far,
    "script": script,
}
