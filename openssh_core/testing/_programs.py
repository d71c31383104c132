"""What sshd finds on this machine, and what it would miss: the programs, their release, its directory, the account."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

# An ordinary user's PATH often lacks the directories of servers.
_SERVER_DIRECTORIES = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/lib/ssh")


def find_sshd(path: str | os.PathLike[str] | None = None) -> str | None:
    """The absolute path of sshd (it refuses to run by another one), or None when there is none."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SERVER_DIRECTORIES])
    found = shutil.which(os.fspath(path) if path else "sshd", path=places)
    return os.path.abspath(found) if found else None


@functools.cache
def sshd_version(sshd: str) -> tuple[int, int]:
    """Such as (9, 2); (0, 0) when it does not say."""
    # Releases before 9.2 do not know -V, but print the version with the usage.
    done = subprocess.run([sshd, "-V"], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    match = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stderr + done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def companions(sshd: str) -> dict[str, str]:
    """Options that make an sshd from a build directory use the helpers beside it, not installed ones (since 9.8)."""
    directory = os.path.dirname(sshd)
    names = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
    paths = {option: os.path.join(directory, name) for option, name in names.items()}
    return {option: path for option, path in paths.items() if os.access(path, os.X_OK)}


def missing(*programs: str) -> str | None:
    """Why tests cannot run, when one of these programs is not there."""
    absent = [program for program in programs if not (find_sshd() if program == "sshd" else shutil.which(program))]
    return f"not installed: {', '.join(absent)}" if absent else None


def make_missing_directory(words: str) -> bool:
    """Make the directory that sshd, run by root, locks itself into, if that is what its words complain about.

    It is missing where sshd has never run as a service. It stays: other servers use it by then.
    """
    match = re.search(r"Missing privilege separation directory: (\S+)", words)
    if match is None or os.geteuid() != 0:
        return False
    Path(match[1]).mkdir(mode=0o755, parents=True, exist_ok=True)
    return True


def is_locked(user: str, shadow: str = "/etc/shadow") -> bool:
    """Whether sshd without PAM would refuse this user altogether: root has no password on many machines (`!`)."""
    try:
        text = Path(shadow).read_text(errors="replace")
    except OSError:  # an ordinary user cannot read it, and then sshd, being one, cannot either
        return False
    return any(line.startswith(f"{user}:!") for line in text.splitlines())
