"""What ssh(1) says of itself, 4 ms for each question: its version, and what its configuration comes to."""

from __future__ import annotations

import functools
import subprocess

from .._cli.argv import query_argv
from .._cli.log import openssh_version
from ..errors import SSHNotFound
from ..options import MasterOptions

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


def resolved(options: MasterOptions) -> dict[str, str]:
    """What ssh would do for this destination (`ssh -G`): option names in lower case, of several lines the first.

    Empty where ssh does not say: the login itself will then say why. Runs what `Match exec` in the configuration runs.
    """
    try:
        said = subprocess.run(query_argv(options), stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE)
    except OSError as error:
        raise SSHNotFound(f"{options.ssh!r} cannot be run ({error.strerror})") from error
    except subprocess.TimeoutExpired:
        return {}
    lines = said.stdout.decode("utf-8", "surrogateescape").splitlines() if said.returncode == 0 else []
    return {name: value for name, _, value in (line.partition(" ") for line in reversed(lines))}


def user_known_hosts(options: MasterOptions) -> tuple[str, ...] | None:
    """The user's known_hosts files by the configuration; None where ssh does not say."""
    value = resolved(options).get("userknownhostsfile")
    if value is None:
        return None
    files: list[str] = []
    for word in value.split(" "):
        # ssh prints names with blanks as they are.
        if files and not word.startswith(("/", "~", "none")):
            files[-1] += f" {word}"
        else:
            files.append(word)
    return tuple(file for file in files if file != "none")
