"""Commands: one, several at once, and one with much output."""

from __future__ import annotations

from functools import partial

from bench import Bench
from figures import Figure, Rounds, Target
from worker import Worker

from rows.common import MS, scaled, with_cpu, with_floor

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    Target("latency", "a command, in units of the C floor", against="floor", at_most=1.3),
    Target("latency", "a command, times faster than ssh -S", against="ssh", at_least=3.0),
    Target("latency", "a command, times faster than asyncssh", against="asyncssh", at_least=1.0),
    Target("round-trips", "a command over a slow line, in round trips", at_most=1.2),
    Target("flight-8", "8 in flight, times asyncssh's rate", against="asyncssh", at_least=2.0),
    Target("flight-32", "32 in flight, times asyncssh's rate", against="asyncssh", at_least=2.0),
    Target("bulk", "much output, times the rate of ssh -S", against="ssh", at_least=1.0),
]


def latency(bench: Bench) -> list[Figure]:
    """One small command after another, on loopback."""
    count = 10
    with bench.team(bench.near) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("commands", 3), MS))
        rounds = team.in_turn(bench.pick(25, 6), lambda worker: scaled(worker.ask("commands", count), MS))
        figure = Figure("latency", "One command", "ms", rounds, notes=team.notes)
    return [with_floor(figure)]


def round_trips(bench: Bench) -> list[Figure]:
    """The same over a line with a long way, in round trips."""
    with bench.team(bench.far) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("commands", 2), 1.0))
        rounds = team.in_turn(bench.pick(6, 2), lambda worker: scaled(worker.ask("commands", 5), 1 / bench.round_trip))
        title = f"One command at {bench.round_trip * MS:.0f} ms round trip"
        figure = Figure("round-trips", title, "round trips", rounds, notes=team.notes)
    return [with_floor(figure)]


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
    return [with_floor(figure) for figure in figures]


def _in_flight(worker: Worker, cpu: Rounds, count: int, width: int) -> list[float]:
    seconds, used = with_cpu(worker, "in_flight", count, width)
    cpu.setdefault(worker.name, []).append([used / count * MS])
    return [count / seconds]


def bulk(bench: Bench) -> list[Figure]:
    """Much output of one command, and the CPU time it takes on our side, ssh processes included."""
    size = bench.pick(300_000_000, 100_000_000)
    cpu: Rounds = {}

    def transfer(worker: Worker) -> list[float]:
        seconds, used = with_cpu(worker, "bulk", size)
        cpu.setdefault(worker.name, []).append([used])
        return [size / seconds / 1e6]

    with bench.team(bench.near) as team:
        rounds = team.in_turn(bench.pick(3, 1), transfer)
        title = f"{size // 1_000_000} MB of output"
        speed = Figure("bulk", title, "MB/s", rounds, more_is_better=True, notes=team.notes)
        cost = Figure("bulk-cpu", f"{title}, CPU of the client side", "s", cpu, notes=dict(team.notes))
    return [with_floor(speed), with_floor(cost)]


ROWS = {"latency": latency, "round-trips": round_trips, "flight": flight, "bulk": bulk}
