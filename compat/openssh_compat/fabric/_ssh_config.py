"""What ssh_config says about a host: asked of ssh itself (`ssh -G`), so that it is what ssh will do."""

from __future__ import annotations

import os
import re
import subprocess

__all__ = ["identity_files", "known_hosts_files", "resolve"]

# Seconds. It asks no network; a Match exec may take its time.
_PATIENCE = 30.0


def resolve(host: str, config_file: str | None) -> dict[str, str]:
    """All options for a host, names in lower case. Of an option that is given several times, the first; of
    `identityfile` all, a line each.

    Args:
        host: as ssh would be given it; a Host alias, usually.
        config_file: instead of the user's and the system's; `none` for none.

    Returns:
        the options; nothing when ssh cannot say (it will, when it is to connect).
    """
    command = ["ssh", "-G", *(["-F", config_file] if config_file else []), "--", host]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    options: dict[str, str] = {}
    for line in done.stdout.splitlines() if done.returncode == 0 else []:
        name, _, value = line.partition(" ")
        if name == "identityfile" and name in options:
            options[name] += f"\n{value}"
        options.setdefault(name.lower(), value)
    return options


def identity_files(options: dict[str, str]) -> list[str]:
    """The keys that ssh_config names for a host; none where ssh would take those it always takes."""
    files = options.get("identityfile", "").split("\n")
    if all(re.fullmatch(r"~/\.ssh/id_[a-z0-9_]+", file) for file in files):
        return []
    return [os.path.expanduser(file) for file in files if os.path.exists(os.path.expanduser(file))]


def known_hosts_files(options: dict[str, str]) -> list[str]:
    """The known_hosts files of a host; none where that cannot be told (ssh does not quote blanks here)."""
    words = f"{options.get('userknownhostsfile', '')} {options.get('globalknownhostsfile', '')}".split()
    files = [os.path.expanduser(word) for word in words]
    return files if all(map(os.path.isabs, files)) else []
