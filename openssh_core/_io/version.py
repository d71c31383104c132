"""Which ssh(1) there is. Asked once for each program; 4 ms."""

from __future__ import annotations

import functools
import subprocess

from .._cli.log import openssh_version
from ..errors import SSHNotFound

_PATIENCE = 10.0


@functools.lru_cache(maxsize=16)
def ssh_version(ssh: str) -> tuple[int, int] | None:
    """The version of the program, as (9, 2); None when it does not say.

    Raises:
        SSHNotFound: it cannot be run.
    """
    try:
        said = subprocess.run(
            [ssh, "-V"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except OSError as error:
        raise SSHNotFound(f"{ssh!r} cannot be run ({error.strerror})") from error
    except subprocess.TimeoutExpired:
        return None
    return openssh_version((said.stderr + said.stdout).decode("utf-8", "replace"))
