"""How far a login has come, and whether one of its stages takes too long.

ssh writes into its log what it does, but not when. A stage that is found to have begun has done so when the log was
last written to, as near as that matters here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from time import monotonic

from .._cli import log
from ..options import StageTimeouts


class Stages:
    """The clock of one login.

    Args:
        limits: seconds for each.
        log_path: where ssh writes.
        read: what it has written.
    """

    def __init__(self, limits: StageTimeouts, log_path: str, read: Callable[[], str]) -> None:
        self._limits = limits.ordered()
        self._log_path = log_path
        self._read = read
        self._stage = log.STAGES[0]
        self._begun = self._looked = monotonic()

    def pause(self, seconds: float) -> None:
        """Somebody was asked something, and thought about it for so long."""
        self._begun += seconds

    def next_look(self) -> float:
        """Seconds until the present stage, or a later one that may have begun meanwhile, can have taken too long."""
        later = [limit for stage, limit in self._limits.items() if log.STAGES.index(stage) > self._number]
        now = self._limits.get(self._stage)
        left = [] if now is None else [max(self._begun + now - monotonic(), 0.0)]
        return min([*left, *later], default=_FOR_EVER)

    @property
    def _number(self) -> int:
        return log.STAGES.index(self._stage)

    def overrun(self) -> float | None:
        """How long the present stage was allowed to take, if it has taken longer."""
        stage = log.stage_of(self._read())
        if stage != self._stage:
            self._stage, self._begun = stage, self._last_written()
        limit = self._limits.get(stage)
        self._looked = now = monotonic()
        return limit if limit is not None and now >= self._begun + limit else None

    def _last_written(self) -> float:
        now = monotonic()
        try:
            ago = time.time() - os.stat(self._log_path).st_mtime
        except OSError:
            return now
        # Who has set the clock meanwhile is not believed.
        return min(max(now - ago, self._looked), now)


# Seconds.
_FOR_EVER = 1e6
