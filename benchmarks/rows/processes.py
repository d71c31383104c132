"""The subprocess adapter against an ssh process for each command, and against a command of this machine."""

from __future__ import annotations

from bench import Bench
from figures import Figure, Target
from worker import Worker

from rows.common import MS, scaled

__all__ = ["ROWS", "TARGETS"]

PEERS = ("subprocess-adapter", "subprocess-ssh", "subprocess-local")
COLUMNS = {"subprocess-adapter": "ours", "subprocess-ssh": "ssh", "subprocess-local": "local"}

TARGETS = [
    Target(
        "subprocess-run", "subprocess.run of a small command, times faster than ssh -S", against="ssh", at_least=3.0
    ),
    Target("subprocess-pipe", "output through a PIPE, times the rate of ssh -S", against="ssh", at_least=1.0),
]


def run(bench: Bench) -> list[Figure]:
    """`run(["true"])`, one after another. Ours tells, as the local one does, whether the program could be started."""
    with bench.team(bench.near, only=PEERS) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("commands", 3), MS))
        rounds = team.in_turn(bench.pick(25, 6), lambda worker: scaled(worker.ask("commands", 10), MS))
        return [_named(Figure("subprocess-run", 'subprocess: run(["true"])', "ms", rounds, notes=team.notes))]


def bulk(bench: Bench) -> list[Figure]:
    """Much output of one command, read from a PIPE and written to a file."""
    size = bench.pick(300_000_000, 100_000_000)
    figures = []
    with bench.team(bench.near, only=PEERS) as team:
        for name, verb, where in (("pipe", "bulk", "a PIPE"), ("file", "to_file", "a file")):

            def transfer(worker: Worker, verb: str = verb) -> list[float]:
                return [size / worker.ask(verb, size) / 1e6]

            rounds = team.in_turn(bench.pick(3, 1), transfer)
            title = f"subprocess: {size // 1_000_000} MB to {where}"
            figures.append(Figure(f"subprocess-{name}", title, "MB/s", rounds, more_is_better=True))
    for figure in figures:
        figure.notes.update(team.notes)
    return [_named(figure) for figure in figures]


def _named(figure: Figure) -> Figure:
    for mapping in (figure.rounds, figure.notes):
        for name, column in COLUMNS.items():
            if name in mapping:
                mapping[column] = mapping.pop(name)  # type: ignore[assignment]
    return figure


ROWS = {"subprocess-run": run, "subprocess-bulk": bulk}
