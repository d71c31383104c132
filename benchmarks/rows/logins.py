"""Logins: one that finds a master of an earlier program, a hundred at the same time to one ordinary server, and what
a hundred connections cost that are there and do nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench import FLOORS, Bench
from figures import Figure, Rounds, Target
from worker import Worker

from openssh_core.testing import LoopbackServer, known_hosts_line, known_hosts_name
from rows.common import MS, as_ours, scaled

__all__ = ["ROWS", "TARGETS"]

TARGETS = [
    Target("connect", "a login, in units of a fresh ssh", against="ssh", at_most=1.15),
    Target("held-threads", "threads of 100 connections of the paramiko adapter", at_most=1),
    Target("held-memory", "memory of each, in units of paramiko's", against="paramiko", at_most=1.0),
    Target("login-again", "a login with persist=, times faster than paramiko", against="paramiko", at_least=10.0),
]

MANY = 100


def login_again(bench: Bench) -> list[Figure]:
    """What the next program pays: ours finds the master that was left (`persist=`), the others log in."""
    peers = [name for name in bench.peers if name not in (*FLOORS, "ssh")]
    with bench.team(bench.near, logged_in=False, only=peers) as team:
        team.in_turn(1, lambda worker: scaled(worker.ask("again", 1), MS))
        rounds = team.in_turn(bench.pick(10, 3), lambda worker: scaled(worker.ask("again", 3), MS))
        return [Figure("login-again", "Login again, persist=", "ms", rounds, notes=team.notes)]


def at_once(bench: Bench) -> list[Figure]:
    """All logins have to come about, on a server that throws some away from the eleventh at a time on (MaxStartups)."""
    count = bench.pick(MANY, 24)
    peers = [name for name in bench.peers if name not in (*FLOORS, "ssh")]
    with LoopbackServer({"MaxStartups": "10:30:100", "KexAlgorithms": None}) as server:
        known_hosts = Path(bench.near.scratch, "known_hosts_many")
        name = known_hosts_name(server.host, server.port)
        known_hosts.write_text(known_hosts_line(name, server.host_key.public) + "\n")
        setup = replace(bench.near, port=server.port, key=str(server.key), known_hosts=str(known_hosts))
        with bench.team(setup, logged_in=False, only=peers) as team:
            rounds = team.in_turn(bench.pick(3, 1), lambda worker: [worker.ask("at_once", count)])
            return [Figure("logins-at-once", f"{count} logins at once", "s", rounds, notes=team.notes)]


def held(bench: Bench) -> list[Figure]:
    """Connections that are held: threads, and memory of the process and of the ssh processes it has.

    Ours is the adapter here: it is what stands beside paramiko's thread a connection.
    """
    count = bench.pick(MANY, 10)
    wanted = {"ours": "adapter", "paramiko": "paramiko", "asyncssh": "asyncssh"}
    own: Rounds = {}
    everything: Rounds = {}

    def hold(worker: Worker) -> list[float]:
        threads, mine, all_of_it = worker.ask("hold", count)
        own.setdefault(worker.name, []).append([mine])
        everything.setdefault(worker.name, []).append([all_of_it])
        return [threads]

    peers = [peer for name, peer in wanted.items() if name in bench.peers]
    with bench.team(bench.near, logged_in=False, only=peers) as team:
        threads = team.in_turn(1, hold)
        title = f"{count} connections held"
        each = f"{title}, memory of each"
        return [
            as_ours(Figure("held-threads", title, "threads", threads, notes=team.notes)),
            as_ours(Figure("held-memory", each, "MiB", own, notes=dict(team.notes))),
            as_ours(Figure("held-memory-all", f"{each}, ssh included", "MiB", everything, notes=dict(team.notes))),
        ]


ROWS = {"login-again": login_again, "logins-at-once": at_once, "held": held}
