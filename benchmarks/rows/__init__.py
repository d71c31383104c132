"""The rows: what is measured, one function each, by what they are about.

A row asks the peers' verbs (`peers/base.py`) through a team of workers and returns figures. To add one: write the
verb, write the function in the fitting file (or a new one, named here), put it in that file's ROWS, and its targets,
when it has any, in TARGETS.
"""

from __future__ import annotations

from collections.abc import Callable

from bench import Bench
from figures import Figure, Target

from rows import commands, fabric, logins, one_file, processes, start, trees, tunnels

__all__ = ["ROWS", "TARGETS"]

_FILES = (commands, start, logins, fabric, processes, tunnels, trees, one_file)

ROWS: dict[str, Callable[[Bench], list[Figure]]] = {name: row for file in _FILES for name, row in file.ROWS.items()}
TARGETS: list[Target] = [target for file in _FILES for target in file.TARGETS]
