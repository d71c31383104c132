"""What was measured, and what follows from it: medians, ratios, verdicts. Arithmetic only.

Peers are measured in turn, round after round. A ratio is taken within each round, between measurements a second
apart, and the median of those is reported: a machine that is busy for a while slows both sides of it down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median, quantiles

__all__ = ["Figure", "Target", "Verdict"]

Rounds = dict[str, list[list[float]]]
"""Of each peer, by name: what each round measured."""


@dataclass
class Figure:
    """One line of the table.

    Attributes:
        name: what targets and the JSON call it.
        more_is_better: MB/s and commands/s; everything else costs.
        rounds: the measurements, in `unit`.
        notes: why a peer has none, by name.
    """

    name: str
    title: str
    unit: str
    rounds: Rounds
    more_is_better: bool = False
    notes: dict[str, str] = field(default_factory=dict)

    def median(self, peer: str) -> float | None:
        """The median of everything measured of a peer, None where there is nothing."""
        values = self._values(peer)
        return median(values) if values else None

    def spread(self, peer: str) -> tuple[float, float] | None:
        """The 10th and 90th percentile."""
        values = self._values(peer)
        if len(values) < 2:
            return None
        tenths = quantiles(values, n=10, method="inclusive")
        return tenths[0], tenths[-1]

    def times(self, peer: str, other: str) -> float | None:
        """How many times the cost of `other` a peer has: 2.0 is twice as slow, whatever the unit."""
        pairs = zip(self.rounds.get(peer, []), self.rounds.get(other, []), strict=False)
        ratios = [median(one) / median(two) for one, two in pairs if one and two and median(one) and median(two)]
        if not ratios:
            return None
        ratio = median(ratios)
        return 1 / ratio if self.more_is_better else ratio

    def take_best(self, name: str, candidates: Iterable[str]) -> None:
        """Call the best of several variants of one peer `name`; the others keep their own names."""
        better = max if self.more_is_better else min
        known = {one: value for one in candidates if (value := self.median(one)) is not None}
        if known:
            best = better(known, key=lambda one: known[one])
            self.rounds[name] = self.rounds[best]
            self.notes[name] = best

    def _values(self, peer: str) -> list[float]:
        return [value for values in self.rounds.get(peer, []) for value in values]


@dataclass(frozen=True)
class Target:
    """Something to reach: a limit on our own figure, or on how it compares with a peer's.

    With `against`, `at_most` limits our cost in units of theirs and `at_least` says how many times faster we are.
    """

    figure: str
    text: str
    against: str | None = None
    at_most: float | None = None
    at_least: float | None = None

    def judge(self, figure: Figure) -> Verdict:
        """Hold the figure against the limit."""
        if self.against is None:
            value = figure.median("ours")
        elif self.at_least is not None:
            value = figure.times(self.against, "ours")
        else:
            value = figure.times("ours", self.against)
        if value is None:
            return Verdict(self, None, None)
        reached = value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0.0)
        return Verdict(self, value, reached)


@dataclass(frozen=True)
class Verdict:
    """How a target fared; `value` and `reached` are None where it could not be measured."""

    target: Target
    value: float | None
    reached: bool | None
