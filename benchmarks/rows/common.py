"""What several rows need."""

from __future__ import annotations

from bench import FLOORS, Team
from figures import Figure, Rounds
from worker import Worker

__all__ = ["MS", "as_ours", "logins", "scaled", "with_cpu", "with_floor"]

MS = 1e3


def scaled(values: list[float], factor: float) -> list[float]:
    return [value * factor for value in values]


def with_floor(figure: Figure) -> Figure:
    figure.take_best("floor", FLOORS)
    return figure


def as_ours(figure: Figure) -> Figure:
    """The adapter is ours: it goes in our column."""
    if "adapter" in figure.rounds:
        figure.rounds["ours"] = figure.rounds.pop("adapter")
    if "adapter" in figure.notes:
        figure.notes["ours"] = figure.notes.pop("adapter")
    return figure


def with_cpu(worker: Worker, verb: str, *arguments: int) -> tuple[float, float]:
    """What the verb measured, and the CPU seconds of the client and its ssh processes meanwhile."""
    before: float = worker.ask("cpu")
    seconds: float = worker.ask(verb, *arguments)
    return seconds, worker.ask("cpu") - before


def logins(team: Team, rounds: int) -> tuple[Rounds, Rounds]:
    """Log in and out again and again: milliseconds of each. The first time is not counted."""
    logout: Rounds = {}

    def there_and_back(worker: Worker) -> list[float]:
        seconds: float = worker.ask("login")
        logout.setdefault(worker.name, []).append([worker.ask("logout") * MS])
        return [seconds * MS]

    team.in_turn(1, there_and_back)
    logout.clear()
    return team.in_turn(rounds, there_and_back), logout
