"""Runs of scp."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._cli import scp
from .._cli.names import Name, Names, name_of, names_of
from .._cli.scp import ScpOptions
from .._cli.slave import Slave
from .._io.version import ssh_version
from ..results import CompletedCommand
from ._local import fitting, local_name, local_names
from ._tool import Tool, beside
from ._way import Way

_Argv = Callable[[str, Slave, ScpOptions, Sequence[str], str], list[str]]


def get(
    way: Way, remote: Names, local: Name, options: ScpOptions, program: str | None, timeout: float | None, check: bool
) -> CompletedCommand:
    """See `Connection.scp_get`."""
    return _run(way, scp.get_argv, options, names_of(remote, "remote"), local_name(local), program, timeout, check)


def put(
    way: Way, local: Names, remote: Name, options: ScpOptions, program: str | None, timeout: float | None, check: bool
) -> CompletedCommand:
    """See `Connection.scp_put`."""
    sources = local_names(local)
    if options.glob:
        sources = fitting(sources, way.host, "scp")
    return _run(way, scp.put_argv, options, sources, name_of(remote, "remote"), program, timeout, check)


def _run(
    way: Way,
    argv: _Argv,
    options: ScpOptions,
    sources: list[str],
    target: str,
    program: str | None,
    timeout: float | None,
    check: bool,
) -> CompletedCommand:
    scp.check_version(ssh_version(way.slave.ssh))
    words = argv(program or beside(way.slave.ssh, "scp"), way.slave, options, sources, target)
    tool = Tool("scp", way.host, reason=scp.reason, make_room=way.make_room)
    return tool.run(words, timeout, check=check)
