"""Many small files, and one of them: what costs is the way there and back."""

from __future__ import annotations

from bench import Bench, Team
from figures import Figure, Rounds, Target
from peers.trees import SMALL_FILE
from worker import Worker

from rows.common import MS, as_ours, scaled

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    target
    for way in ("get", "put")
    for target in (
        Target(f"tree-{way}", f"1,000 small files ({way}), times faster than scp -r", against="ssh", at_least=3.0),
        Target(
            f"tree-{way}", f"1,000 small files ({way}), times faster than paramiko", against="paramiko", at_least=4.0
        ),
        Target(
            f"tree-{way}", f"1,000 small files ({way}), times faster than asyncssh", against="asyncssh", at_least=3.0
        ),
        Target(
            f"tree-{way}-far",
            f"small files over a slow line ({way}), times faster than paramiko",
            against="paramiko",
            at_least=20.0,
        ),
    )
] + [
    Target("file-get", "a small file over a slow line (get), in round trips", at_most=2.2),
    Target("file-put", "a small file over a slow line (put in place), in round trips", at_most=2.2),
    Target("file-put-atomic", "a small file over a slow line (put, whole or untouched), in round trips", at_most=3.3),
    *(
        Target(
            f"tree-{way}-far-sftp",
            f"small files over a slow line ({way}), times faster than sftp -r",
            against="ssh",
            at_least=20.0,
        )
        for way in ("get", "put")
    ),
]

_PEERS = ["ours", "ssh", "paramiko", "asyncssh"]


def trees(bench: Bench) -> list[Figure]:
    """A tree of 1,000 files of 1 kB, on loopback."""
    return _both_ways(bench, far=False, count=bench.pick(1000, 200), rounds=bench.pick(5, 2))


def far_trees(bench: Bench) -> list[Figure]:
    """A smaller one over a line with a long way, once: paramiko takes 300 ms for each file there.

    The others' time goes with the number of files, ours is mostly the same for any: with few we look worse.
    """
    return _both_ways(bench, far=True, count=bench.pick(120, 20), rounds=1)


def _both_ways(bench: Bench, *, far: bool, count: int, rounds: int) -> list[Figure]:
    figures = []
    with bench.team(bench.far if far else bench.near, only=[name for name in _PEERS if name in bench.peers]) as team:
        for way in ("get", "put"):
            verb = f"tree_{way}"
            if way == "get" or not far:
                # Not counted: the session for files is opened by it.
                few = 1 if far else 20
                team.in_turn(1, lambda worker, verb=verb, few=few: [worker.ask(verb, few, SMALL_FILE)])
            taken: Rounds = team.in_turn(rounds, lambda worker, verb=verb: [worker.ask(verb, count, SMALL_FILE) * MS])
            where = f" at {bench.round_trip * MS:.0f} ms round trip" if far else ""
            title = f"{count} files of 1 kB{where}, {way}"
            figures.append(Figure(f"tree-{way}{'-far' if far else ''}", title, "ms", taken, notes=dict(team.notes)))
            if far and not bench.quick and "ssh" in team.workers:
                # As long as paramiko takes; a quick run goes without.
                seconds = team.workers["ssh"].ask(f"sftp_{way}", count, SMALL_FILE)
                both: Rounds = {"ours": taken.get("ours", []), "ssh": [[seconds * MS]]}
                figures.append(Figure(f"tree-{way}-far-sftp", f"{title}, beside sftp -r", "ms", both))
    return figures


def small_file(bench: Bench) -> list[Figure]:
    """One small file over a line with a long way, in round trips; the session for it is there already.

    A file that takes its place when it is complete costs one more than one that is written in place, as the others do.
    """
    figures = []
    where = f"A 1 kB file at {bench.round_trip * MS:.0f} ms round trip"
    plans = [
        ("file-get", f"{where}, get", {"ours": "file_get", "asyncssh": "file_get", "paramiko": "file_get"}),
        (
            "file-put",
            f"{where}, put in place",
            {"ours": "file_put_in_place", "asyncssh": "file_put", "paramiko": "file_put"},
        ),
        ("file-put-atomic", f"{where}, put, whole or untouched", {"ours": "file_put"}),
        (
            "paramiko-file-put",
            f"paramiko: SFTPClient.put(), {where[2:]}",
            {"adapter": "file_put", "paramiko": "file_put"},
        ),
    ]
    peers = [name for name in ("ours", "asyncssh", "paramiko") if name in bench.peers]
    with bench.team(bench.far, only=[*peers, "adapter"] if "ours" in peers else peers) as team:
        for name, title, verbs in plans:
            rounds = _in_turn(team, verbs, bench.pick(5, 2), bench.round_trip)
            figures.append(as_ours(Figure(name, title, "round trips", rounds, notes=dict(team.notes))))
    return figures


def _in_turn(team: Team, verbs: dict[str, str], rounds: int, round_trip: float) -> Rounds:
    """Each by its own verb. The first time is not counted."""

    def ask(worker: Worker, count: int) -> list[float]:
        return scaled(worker.ask(verbs[worker.name], count), 1 / round_trip) if worker.name in verbs else []

    team.in_turn(1, lambda worker: ask(worker, 1))
    taken = team.in_turn(rounds, lambda worker: ask(worker, 3))
    return {name: values for name, values in taken.items() if name in verbs}


ROWS = {"trees": trees, "far-trees": far_trees, "small-file": small_file}
