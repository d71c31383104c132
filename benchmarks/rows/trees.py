"""Many small files, and one of them: what costs is the way there and back."""

from __future__ import annotations

from bench import Bench
from figures import Figure, Rounds, Target
from peers.trees import SMALL_FILE

from rows.common import MS, scaled

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
] + [Target("file-get", "a small file over a slow line (get), in round trips", at_most=2.2)]

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
            if not far:
                team.in_turn(1, lambda worker, verb=verb: [worker.ask(verb, 20, SMALL_FILE)])
            taken: Rounds = team.in_turn(rounds, lambda worker, verb=verb: [worker.ask(verb, count, SMALL_FILE) * MS])
            where = f" at {bench.round_trip * MS:.0f} ms round trip" if far else ""
            title = f"{count} files of 1 kB{where}, {way}"
            figures.append(Figure(f"tree-{way}{'-far' if far else ''}", title, "ms", taken, notes=dict(team.notes)))
    return figures


def small_file(bench: Bench) -> list[Figure]:
    """One small file over a line with a long way, in round trips; the session for it is there already."""
    figures = []
    with bench.team(bench.far, only=[name for name in _PEERS if name in bench.peers and name != "ssh"]) as team:
        for way in ("get", "put"):
            verb = f"file_{way}"
            team.in_turn(1, lambda worker, verb=verb: worker.ask(verb, 1))
            rounds = team.in_turn(
                bench.pick(5, 2), lambda worker, verb=verb: scaled(worker.ask(verb, 3), 1 / bench.round_trip)
            )
            title = f"A 1 kB file at {bench.round_trip * MS:.0f} ms round trip, {way}"
            figures.append(Figure(f"file-{way}", title, "round trips", rounds, notes=dict(team.notes)))
    return figures


ROWS = {"trees": trees, "far-trees": far_trees, "small-file": small_file}
