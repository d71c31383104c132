"""What calls that start a command take, for the ones that pass it on. Described at `Connection.run` and `popen`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from .._cli.quoting import Quoter
    from ..options import Pty, Sudo
    from ..redirect import Destination, Redirect
    from .commands import Encoding


class StartOptions(TypedDict, total=False):
    """How a command is started."""

    env: Mapping[str, str] | None
    cwd: str | None
    pty: Pty | bool | None
    remote_shell: str | Quoter | None
    sudo: Sudo | bool
    forward_agent: bool | None
    forward_x11: bool | None


class PopenOptions(StartOptions, total=False):
    """The same, with its streams."""

    stdin: Redirect
    stdout: Destination
    stderr: Destination
    encoding: Encoding
    errors: str | None
    bufsize: int


class RunOptions(StartOptions, total=False):
    """The same, with its limits."""

    input: str | bytes | None
    stdin: Redirect
    stdout: Destination
    stderr: Destination
    encoding: Encoding
    errors: str | None
    timeout: float | None
    idle_timeout: float | None


class LineOptions(StartOptions, total=False):
    """What `iter_lines` takes."""

    stdin: Redirect
    stderr: int | None
    encoding: Encoding
    errors: str | None
    timeout: float | None
    idle_timeout: float | None
