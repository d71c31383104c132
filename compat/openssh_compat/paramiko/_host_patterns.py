"""Which blocks of an ssh_config count for a name that ssh(1) cannot be asked about: it refuses some characters, and
takes `user@host` and `ssh://host` apart, while to paramiko each is a name like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["block_counts", "is_plain"]

# What ssh refuses in a name (valid_hostname() of OpenSSH), and what makes it something else to it.
_NOT_PLAIN = re.compile(r"""^-|://|[@\s'`"$\\;&<>|(){},\x00-\x20\x7f]""")


def is_plain(hostname: str) -> bool:
    """Whether ssh takes it for the name of a host, and for nothing else."""
    return _NOT_PLAIN.search(hostname) is None


def block_counts(block: Mapping[str, Any], hostname: str) -> bool:
    """Whether a block counts. Of Match only what is about the name, and `all`, can hold for such a name."""
    if "host" in block:
        return _matches(block["host"], hostname)
    return all(_holds(one, hostname) is not one["negate"] for one in block["matches"])


def _holds(criterion: Mapping[str, Any], hostname: str) -> bool:
    if criterion["type"] in ("host", "originalhost"):
        return _matches(str(criterion["param"]).split(","), hostname)
    return bool(criterion["type"] == "all")


def _matches(patterns: Iterable[str], hostname: str) -> bool:
    """ssh_config(5), PATTERNS: one that is negated and matches decides alone."""
    found = False
    for pattern in patterns:
        # Only * and ? mean something.
        if fnmatchcase(hostname, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found
