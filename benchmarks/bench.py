"""How measuring is done: the same thing asked of every peer in turn, round after round.

The order shifts by one each round, so no peer always comes after the same other one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from figures import Rounds
from peers import Setup
from worker import PeerFailed, Worker

__all__ = ["FLOORS", "Bench", "Team"]

ATTEMPTS = 3
FLOORS = ("floor-passenger", "floor-proxy")


class Team:
    """The workers of one row.

    A peer whose connection breaks logs in again, and `notes` counts it; one that fails for good is left out from then
    on, and `notes` says why.
    """

    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}
        self.notes: dict[str, str] = {}
        self._broken: Counter[str] = Counter()

    def in_turn(self, rounds: int, ask: Callable[[Worker], list[float]]) -> Rounds:
        """Ask everybody, `rounds` times."""
        taken: Rounds = {}
        for number in range(rounds):
            names = list(self.workers)
            shift = number % len(names) if names else 0
            for name in names[shift:] + names[:shift]:
                values = self._ask(self.workers[name], ask)
                if values is not None:
                    taken.setdefault(name, []).append(values)
        return {name: values for name, values in taken.items() if name in self.workers}

    def _ask(self, worker: Worker, ask: Callable[[Worker], list[float]]) -> list[float] | None:
        for left in reversed(range(ATTEMPTS)):
            try:
                return ask(worker)
            except PeerFailed as failure:
                if not (left and self._revive(worker, failure)):
                    self._drop(worker.name, failure)
                    return None
        return None

    def _revive(self, worker: Worker, failure: PeerFailed) -> bool:
        """Log in anew: paramiko, for one, loses its connection now and then when many threads share it."""
        try:
            worker.ask("logout")
            worker.ask("login")
        except PeerFailed:
            return False
        self._broken[worker.name] += 1
        self.notes[worker.name] = f"broke and logged in again, {self._broken[worker.name]} times; last: {failure}"
        return True

    def add(self, name: str, setup: Setup) -> Worker | None:
        """Start a peer's process; None when that cannot be."""
        try:
            self.workers[name] = Worker(name, setup)
        except PeerFailed as failure:
            self.notes[name] = str(failure)
            return None
        return self.workers[name]

    def log_in(self, name: str) -> None:
        """Let one peer log in."""
        try:
            self.workers[name].ask("login")
        except PeerFailed as failure:
            self._drop(name, failure)

    def _drop(self, name: str, failure: PeerFailed) -> None:
        self.notes[name] = str(failure)
        self.workers.pop(name).close()


@dataclass(frozen=True)
class Bench:
    """What every row is given.

    Attributes:
        near: the server on loopback.
        far: the same one through a relay that delays; `round_trip` seconds in all.
        peers: the peers that were asked for.
        quick: fewer repetitions.
    """

    near: Setup
    far: Setup
    round_trip: float
    peers: Sequence[str]
    quick: bool

    def pick(self, full: int, quick: int) -> int:
        """A number of repetitions."""
        return quick if self.quick else full

    @contextmanager
    def team(self, setup: Setup, *, logged_in: bool = True, only: Sequence[str] | None = None) -> Iterator[Team]:
        """Everybody who can take part, in a process each."""
        team = Team()
        with ExitStack() as stack:
            for name in self.peers if only is None else only:
                if name in FLOORS and not setup.floor:
                    team.notes[name] = "no C compiler"
                    continue
                worker = team.add(name, setup)
                if worker is None:
                    continue
                stack.callback(worker.close)
                if logged_in:
                    team.log_in(name)
            yield team
