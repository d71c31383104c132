"""The fabric adapter against fabric: a command, a group of hosts, the import."""

from __future__ import annotations

from bench import Bench
from figures import Figure, Rounds, Target
from worker import Worker

from rows.common import MS, scaled
from rows.start import import_costs

__all__ = ["ROWS", "TARGETS"]

PEERS = ("fabric-adapter", "fabric")
HOSTS = 50

TARGETS = [
    Target("fabric-run", "fabric's Connection.run, times faster", against="fabric", at_least=10.0),
    Target("fabric-group", "a group of 50 hosts that is logged in, times faster", against="fabric", at_least=5.0),
    Target("fabric-threads", "its threads, times fewer", against="fabric", at_least=10.0),
    Target("fabric-import", "the import, times less CPU", against="fabric", at_least=1.0),
]


def run(bench: Bench) -> list[Figure]:
    """`Connection.run` of one small command after another."""
    with bench.team(bench.near, only=PEERS) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("commands", 2), MS))
        rounds = team.in_turn(bench.pick(10, 3), lambda worker: scaled(worker.ask("commands", 5), MS))
        return [_as_ours(Figure("fabric-run", "fabric: Connection.run()", "ms", rounds, notes=team.notes))]


def group(bench: Bench) -> list[Figure]:
    """A group of hosts: a small command on all, with the logins and once more, and the threads that took.

    With the logins it is OpenSSH that is measured: its key exchange (sntrup761, which paramiko does not have) takes
    more CPU time than everything else together.
    """
    again: Rounds = {}
    threads: Rounds = {}

    def all_hosts(worker: Worker) -> list[float]:
        first, second, most = worker.ask("group", HOSTS)
        again.setdefault(worker.name, []).append([second])
        threads.setdefault(worker.name, []).append([most])
        return [first]

    with bench.team(bench.near, logged_in=False, only=PEERS) as team:
        rounds = team.in_turn(bench.pick(3, 1), all_hosts)
        title = f"fabric: ThreadingGroup of {HOSTS} hosts"
        return [
            _as_ours(Figure("fabric-logins", f"{title}, with the logins", "s", rounds, notes=team.notes)),
            _as_ours(Figure("fabric-group", title, "s", again, notes=dict(team.notes))),
            _as_ours(Figure("fabric-threads", title, "threads", threads, notes=dict(team.notes))),
        ]


def imports(bench: Bench) -> list[Figure]:
    """What `import` costs, in CPU time."""
    modules = {"fabric-adapter": "openssh_compat.fabric", "fabric": "fabric"}
    rounds, notes = import_costs(modules, bench.pick(10, 3))
    return [_as_ours(Figure("fabric-import", "fabric: import", "ms of CPU", rounds, notes=notes))]


def _as_ours(figure: Figure) -> Figure:
    for mapping in (figure.rounds, figure.notes):
        if "fabric-adapter" in mapping:
            mapping["ours"] = mapping.pop("fabric-adapter")  # type: ignore[assignment]
    return figure


ROWS = {"fabric-run": run, "fabric-group": group, "fabric-import": imports}
