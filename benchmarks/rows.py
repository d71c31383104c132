"""The rows: what is measured, one function each.

A row asks the peers' verbs (`peers/base.py`) through a team of workers and returns figures. To add one: write the
verb, write the function, put it in ROWS, and its targets, when it has any, in TARGETS.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import FLOORS, Bench, Team
from figures import Figure, Rounds, Target
from worker import Worker

__all__ = ["ROWS", "TARGETS"]

MS = 1e3

TARGETS = [
    Target("latency", "a command, in units of the C floor", against="floor", at_most=1.3),
    Target("latency", "a command, times faster than ssh -S", against="ssh", at_least=3.0),
    Target("latency", "a command, times faster than asyncssh", against="asyncssh", at_least=1.0),
    Target("round-trips", "a command over a slow line, in round trips", at_most=1.2),
    Target("flight-8", "8 in flight, times asyncssh's rate", against="asyncssh", at_least=2.0),
    Target("flight-32", "32 in flight, times asyncssh's rate", against="asyncssh", at_least=2.0),
    Target("bulk", "much output, times the rate of ssh -S", against="ssh", at_least=1.0),
    Target("import", "import openssh_core, ms of CPU", at_most=60.0),
    Target("exec-command", "exec_command, times faster than paramiko", against="paramiko", at_least=15.0),
]


def latency(bench: Bench) -> list[Figure]:
    """One small command after another, on loopback."""
    count = 10
    with bench.team(bench.near) as team:
        team.in_turn(1, lambda worker: _scaled(worker.ask("commands", 3), MS))
        rounds = team.in_turn(bench.pick(25, 6), lambda worker: _scaled(worker.ask("commands", count), MS))
        figure = Figure("latency", "One command", "ms", rounds, notes=team.notes)
    return [_with_floor(figure)]


def round_trips(bench: Bench) -> list[Figure]:
    """The same over a line with a long way, in round trips."""
    with bench.team(bench.far) as team:
        team.in_turn(1, lambda worker: _scaled(worker.ask("commands", 2), 1.0))
        rounds = team.in_turn(bench.pick(6, 2), lambda worker: _scaled(worker.ask("commands", 5), 1 / bench.round_trip))
        title = f"One command at {bench.round_trip * MS:.0f} ms round trip"
        figure = Figure("round-trips", title, "round trips", rounds, notes=team.notes)
    return [_with_floor(figure)]


def flight(bench: Bench) -> list[Figure]:
    """Several commands at the same time: how many a second, and the CPU time each takes on our side.

    The server's fork and exec bounds the rate when it shares the machine; the CPU time shows what is left.
    """
    figures = []
    with bench.team(bench.near) as team:
        for width in (8, 32):
            count = bench.pick(8, 4) * width
            cpu: Rounds = {}
            team.in_turn(1, partial(_in_flight, cpu={}, count=width, width=width))
            rounds = team.in_turn(bench.pick(8, 2), partial(_in_flight, cpu=cpu, count=count, width=width))
            title = f"{width} commands in flight"
            figures.append(Figure(f"flight-{width}", title, "commands/s", rounds, more_is_better=True))
            figures.append(Figure(f"flight-{width}-cpu", f"{title}, client's CPU for each", "ms", cpu))
    for figure in figures:
        figure.notes.update(team.notes)
    return [_with_floor(figure) for figure in figures]


def _in_flight(worker: Worker, cpu: Rounds, count: int, width: int) -> list[float]:
    seconds, used = _with_cpu(worker, "in_flight", count, width)
    cpu.setdefault(worker.name, []).append([used / count * MS])
    return [count / seconds]


def _with_cpu(worker: Worker, verb: str, *arguments: int) -> tuple[float, float]:
    """What the verb measured, and the CPU seconds of the client and its ssh processes meanwhile."""
    before: float = worker.ask("cpu")
    seconds: float = worker.ask(verb, *arguments)
    return seconds, worker.ask("cpu") - before


def bulk(bench: Bench) -> list[Figure]:
    """Much output of one command, and the CPU time it takes on our side, ssh processes included."""
    size = bench.pick(500_000_000, 100_000_000)
    cpu: Rounds = {}

    def transfer(worker: Worker) -> list[float]:
        seconds, used = _with_cpu(worker, "bulk", size)
        cpu.setdefault(worker.name, []).append([used])
        return [size / seconds / 1e6]

    with bench.team(bench.near) as team:
        rounds = team.in_turn(bench.pick(3, 1), transfer)
        title = f"{size // 1_000_000} MB of output"
        speed = Figure("bulk", title, "MB/s", rounds, more_is_better=True, notes=team.notes)
        cost = Figure("bulk-cpu", f"{title}, CPU of the client side", "s", cpu, notes=dict(team.notes))
    return [_with_floor(speed), _with_floor(cost)]


def imports(bench: Bench) -> list[Figure]:
    """What `import` costs in a fresh interpreter, in CPU time beyond the interpreter's own."""
    modules = {"ours": "openssh_core", "asyncssh": "asyncssh", "paramiko": "paramiko"}
    notes = {peer: "not installed" for peer, name in modules.items() if importlib.util.find_spec(name) is None}
    there = {peer: name for peer, name in modules.items() if peer in bench.peers and peer not in notes}
    rounds: Rounds = {peer: [] for peer in there}
    for number in range(bench.pick(15, 5) + 1):
        bare = _interpreter("pass")
        for peer, name in there.items():
            used = _interpreter(f"import sys; sys.path.append({_home(name)!r}); import {name}")
            # The first round only sees to it that everything is compiled.
            if number:
                rounds[peer].append([(used - bare) * MS])
    return [Figure("import", "import", "ms of CPU", rounds, notes=notes)]


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
        login, _ = _logins(team, bench.pick(5, 2))
        for name in list(team.workers):
            team.log_in(name)
        team.in_turn(1, lambda worker: _scaled(worker.ask("statuses", 3), MS))
        rounds = team.in_turn(bench.pick(20, 5), lambda worker: _scaled(worker.ask("statuses", 10), MS))
        connect = Figure("exec-connect", "SSHClient.connect()", "ms", login, notes=team.notes)
        command = Figure("exec-command", "exec_command() and exit status", "ms", rounds, notes=dict(team.notes))
    return [_as_ours(connect), _as_ours(command)]


def connect(bench: Bench) -> list[Figure]:
    """The first login, and saying good-bye."""
    peers = [name for name in bench.peers if name not in FLOORS]
    with bench.team(bench.near, logged_in=False, only=peers) as team:
        login, logout = _logins(team, bench.pick(10, 3))
        came = Figure("connect", "Login", "ms", login, notes=team.notes)
        went = Figure("close", "Close", "ms", logout, notes=dict(team.notes))
    return [came, went]


def _logins(team: Team, rounds: int) -> tuple[Rounds, Rounds]:
    """Log in and out again and again: milliseconds of each. The first time is not counted."""
    logout: Rounds = {}

    def there_and_back(worker: Worker) -> list[float]:
        seconds: float = worker.ask("login")
        logout.setdefault(worker.name, []).append([worker.ask("logout") * MS])
        return [seconds * MS]

    team.in_turn(1, there_and_back)
    logout.clear()
    return team.in_turn(rounds, there_and_back), logout


def _scaled(values: list[float], factor: float) -> list[float]:
    return [value * factor for value in values]


def _with_floor(figure: Figure) -> Figure:
    figure.take_best("floor", FLOORS)
    return figure


def _as_ours(figure: Figure) -> Figure:
    """The adapter is ours: it goes in our column."""
    if "adapter" in figure.rounds:
        figure.rounds["ours"] = figure.rounds.pop("adapter")
    if "adapter" in figure.notes:
        figure.notes["ours"] = figure.notes.pop("adapter")
    return figure


ROWS: dict[str, Callable[[Bench], list[Figure]]] = {
    "latency": latency,
    "round-trips": round_trips,
    "flight": flight,
    "bulk": bulk,
    "import": imports,
    "exec-command": exec_command,
    "connect": connect,
}
