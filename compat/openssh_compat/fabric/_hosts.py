"""One task on several hosts: all at once or in turn, and what came of it."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from ._mishaps import is_expected, mark, report
from ._output import HostLog, Shown
from ._reason import reason

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Outcome", "on_all", "say_what_came_of_it"]


class Outcome:
    """What came of a task on one host.

    Attributes:
        connection: the host.
        value: what the task returned.
        error: what it raised, None when it did not.
        seconds: how long it took.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.value: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0

    def run(self, work: Callable[[Connection], Any]) -> None:
        """Do it, and remember."""
        began = monotonic()
        try:
            self.value = work(self.connection)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is said in the table, with the others
            mark(error, self.connection.original_host)
            self.error = error
        finally:
            self.seconds = monotonic() - began
            if self.connection.shown is not None:
                self.connection.shown.finish()

    @property
    def reason(self) -> str:
        """Why it failed, in a line; empty when it did not."""
        if self.error is None:
            return ""
        return reason(self.error)


def on_all(
    connections: Sequence[Connection], work: Callable[[Connection], Any], *, at_once: int, log_dir: str | None
) -> list[Outcome]:
    """Do the work on each host, `at_once` of them at a time. A host that fails does not keep the others.

    Args:
        log_dir: a folder for a file of each host's output, None for none.
    """
    outcomes = [Outcome(connection) for connection in connections]
    for number, connection in enumerate(connections):
        log = None if log_dir is None else HostLog(log_dir, connection.original_host)
        connection.shown = Shown(connection.original_host, number, prefix=at_once > 1, log=log)
    if at_once == 1:
        for outcome in outcomes:
            outcome.run(work)
        return outcomes
    left = deque(outcomes)

    def worker() -> None:
        while True:
            try:
                outcome = left.popleft()
            except IndexError:
                return
            outcome.run(work)

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(at_once, len(outcomes)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        # Ctrl-C: nothing new is begun, and what runs is ended with its connection.
        left.clear()
        closers = [threading.Thread(target=connection.close, daemon=True) for connection in connections]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        raise
    return outcomes


def say_what_came_of_it(outcomes: Sequence[Outcome]) -> None:
    """Print a table, and end with status 1 if anything failed.

    Raises:
        invoke.Exit: something did.
    """
    width = max(len(outcome.connection.original_host) for outcome in outcomes)
    colour = sys.stderr.isatty()
    for outcome in outcomes:
        word = "failed" if outcome.error is not None else "ok"
        if colour:
            word = f"\x1b[{31 if outcome.error is not None else 32}m{word:<6}\x1b[0m"
        line = f"{outcome.connection.original_host:<{width}}  {word:<6}  {outcome.seconds:7.2f} s  {outcome.reason}"
        print(line.rstrip(), file=sys.stderr)  # noqa: T201  # what the program is for
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed:
        _say_where_mistakes_are(failed)
        raise Exit(f"{len(failed)} of {len(outcomes)} hosts failed", code=1)


def _say_where_mistakes_are(failed: Sequence[Outcome]) -> None:
    """The way to each mistake in the tasks, once: it is often the same on all hosts."""
    said: set[str] = set()
    for outcome in failed:
        if outcome.error is None or is_expected(outcome.error) or isinstance(outcome.error, SystemExit):
            continue
        text = report(outcome.error)
        _, _, way = text.partition("\n")
        if way not in said:
            said.add(way)
            print(text, file=sys.stderr)  # noqa: T201  # what the program is for
