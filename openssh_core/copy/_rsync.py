"""Runs of rsync: which one it is, and how far it is."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Sequence

from .._cli import rsync
from .._cli.names import Name, Names, name_of, names_of
from .._cli.rsync import RsyncOptions
from .._cli.slave import Slave
from ..errors import CopyError, ProgramNotFound
from ..results import CompletedCommand
from ._local import fitting, local_name, local_names
from ._tool import Tool, not_found
from ._way import Way
from .progress import Callback, Progress, told

_PATIENCE = 10.0
# What would take the place of our own options.
_WITHOUT = ("RSYNC_RSH", "RSYNC_OLD_ARGS", "RSYNC_PROTECT_ARGS", "RSYNC_CONNECT_PROG")

_Argv = Callable[[str, tuple[int, int, int], Slave, RsyncOptions, Sequence[str], str], list[str]]


class Order:
    """What was asked for.

    Args:
        options: in rsync's words.
        progress: who is told how far it is.
        program: rsync here.
        timeout: seconds for all of it.
        check: whether another status than 0 is an error.
    """

    def __init__(
        self, options: RsyncOptions, *, progress: Progress, program: str, timeout: float | None, check: bool
    ) -> None:
        self.options = options.replace(progress=bool(progress))
        self.progress = progress
        self.program = program
        self.timeout = timeout
        self.check = check


def get(way: Way, remote: Names, local: Name, order: Order) -> CompletedCommand:
    """See `Connection.rsync_get`."""
    return _run(way, rsync.get_argv, names_of(remote, "remote"), local_name(local), order)


def put(way: Way, local: Names, remote: Name, order: Order) -> CompletedCommand:
    """See `Connection.rsync_put`."""
    sources = local_names(local)
    if order.options.glob:
        sources = fitting(sources, way.host, "rsync")
    return _run(way, rsync.put_argv, sources, name_of(remote, "remote"), order)


def _run(way: Way, argv: _Argv, sources: list[str], target: str, order: Order) -> CompletedCommand:
    version = _version_of(order.program, way.host)
    words = argv(order.program, version, way.slave, order.options, sources, target)
    tool = Tool("rsync", way.host, reason=rsync.reason, make_room=way.make_room, without=_WITHOUT)
    with told(order.progress, f"rsync {way.host}") as callback:
        if callback is None:
            return tool.run(words, order.timeout, check=order.check)
        steps = _Steps(callback)
        return tool.run(words, order.timeout, check=order.check, on_stdout=steps, clean=rsync.without_steps)


class _Steps:
    """Tells a callback of the steps in rsync's output."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._reader = rsync.StepReader()

    def __call__(self, data: bytes) -> None:
        for step in self._reader.feed(data):
            # rsync tells whole percents, and no total.
            total = round(step.done * 100 / step.percent) if step.percent else None
            self._callback(step.done, total, None)


def _version_of(program: str, host: str) -> tuple[int, int, int]:
    """The version of this rsync.

    Raises:
        ProgramNotFound: it cannot be run.
        CopyError: it is too old, or another program of that name.
    """
    try:
        version = _version(program)
    except OSError as error:
        raise not_found("rsync", program, error, host) from error
    except subprocess.TimeoutExpired:
        raise ProgramNotFound(f"{program!r} does not tell its version", host=host, program="rsync") from None
    if version is None or version < rsync.SECLUDED_SINCE:
        what = "no rsync that is known" if version is None else "too old ({}.{}.{})".format(*version)
        raise CopyError(
            f"{program!r} is {what}: it cannot pass names of files safely",
            host=host,
            advice="Install rsync 3.0 or later (from 3.4.3 on is best), or use get() and put()",
            program="rsync",
            reason="no --secluded-args (-s)",
        )
    return version


@functools.lru_cache(maxsize=16)
def _version(program: str) -> tuple[int, int, int] | None:
    said = subprocess.run(
        [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
    )
    return rsync.parse_version(said.stdout.decode("utf-8", "replace"))
