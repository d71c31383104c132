"""The measurements in words: a table for people, the same in Markdown, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import Figure, Verdict

__all__ = ["COLUMNS", "as_json", "as_markdown", "as_text", "put_between_markers", "split_at_markers"]

COLUMNS = {
    "ours": "openssh-compat",
    "floor": "C floor",
    "asyncssh": "asyncssh",
    "ssh": "ssh -S",
    "paramiko": "paramiko",
    "fabric": "fabric",
    "local": "local",
}
"""The columns and their headings, in order."""

LEGEND = "Medians; in brackets the cost in units of ours: 2× is twice as slow"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def reference(figure: Figure) -> str:
    """Whose cost is 1.0: ours, or the floor's where ours is not measured."""
    return "ours" if figure.median("ours") is not None else "floor"


def number(value: float) -> str:
    """Three figures are what a measurement like this is good for."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _cell(figure: Figure, column: str) -> str:
    value = figure.median(column)
    if value is None:
        return "–"
    times = figure.times(column, reference(figure))
    return number(value) if times is None else f"{number(value)} ({number(times)}×)"


def _table(figures: Sequence[Figure]) -> list[list[str]]:
    head = ["", *COLUMNS.values()]
    return [head, *([f"{one.title}, {one.unit}", *(_cell(one, name) for name in COLUMNS)] for one in figures)]


def _verdict(verdict: Verdict) -> tuple[str, str, str]:
    target = verdict.target
    limit = f"at most {target.at_most:g}" if target.at_most is not None else f"at least {target.at_least:g}"
    measured = "–" if verdict.value is None else number(verdict.value)
    return limit, measured, {None: "not measured", True: "reached", False: "MISSED"}[verdict.reached]


def _notes(figures: Sequence[Figure]) -> list[str]:
    where: dict[str, list[str]] = {}
    for figure in figures:
        for peer, note in figure.notes.items():
            where.setdefault(f"{COLUMNS.get(peer, peer)}: {note}", []).append(figure.name)
    return [f"{note} ({', '.join(names)})" for note, names in where.items()]


def as_text(about: dict[str, Any], figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> str:
    """For a terminal."""
    rows = _table(figures)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    lines += ["", f"{LEGEND} (of the C floor's where ours is missing)."]
    lines += [f"{name}: {value}" for name, value in about.items()]
    lines += [f"note: {note}" for note in _notes(figures)]
    lines += ["", "Targets"]
    for verdict in verdicts:
        limit, measured, outcome = _verdict(verdict)
        lines.append(f"  {outcome:<12}  {measured:>6}  {limit:<13}  {verdict.target.text}")
    return "\n".join(lines)


def as_markdown(about: dict[str, Any], figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> str:
    """For the README, between the markers that `put_between_markers` looks for."""
    head, *rows = _table(figures)
    lines = [BEGIN, "", "| " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", ". ".join([LEGEND, *(f"{name.capitalize()}: {value}" for name, value in about.items())]) + "."]
    lines += ["", "| target | limit | measured | |", "| --- | ---: | ---: | --- |"]
    for verdict in verdicts:
        limit, measured, outcome = _verdict(verdict)
        lines.append(f"| {verdict.target.text} | {limit} | {measured} | {outcome} |")
    return "\n".join([*lines, "", END])


def split_at_markers(path: Path) -> tuple[str, str]:
    """What stands before and after the place for the table in a file.

    Raises:
        ValueError: the file does not have each marker once, in order.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in before + after:
        raise ValueError(f"{path} needs one line {BEGIN} and after it one line {END}")
    return before, after


def put_between_markers(path: Path, table: str) -> None:
    """Replace the table in a file by a new one, which brings its own markers."""
    before, after = split_at_markers(path)
    path.write_text(before + table + after, encoding="utf-8")


def as_json(about: dict[str, Any], figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> str:
    """Everything: medians, spreads, ratios, every single measurement."""
    return json.dumps(
        {
            "about": about,
            "figures": [_figure(figure) for figure in figures],
            "targets": [
                {
                    "figure": one.target.figure,
                    "text": one.target.text,
                    "at_most": one.target.at_most,
                    "at_least": one.target.at_least,
                    "value": one.value,
                    "reached": one.reached,
                }
                for one in verdicts
            ],
        },
        indent=1,
    )


def _figure(figure: Figure) -> dict[str, Any]:
    base = reference(figure)
    return {
        "name": figure.name,
        "title": figure.title,
        "unit": figure.unit,
        "more_is_better": figure.more_is_better,
        "reference": base,
        "notes": figure.notes,
        "peers": {
            name: {
                "median": figure.median(name),
                "spread": figure.spread(name),
                "times": figure.times(name, base),
                "rounds": rounds,
            }
            for name, rounds in figure.rounds.items()
        },
    }
