"""The command line that is sent: what `cd`, `prefix`, `path` and `shell_env` ask for, the shell, and sudo."""

from __future__ import annotations

import re
import shlex
from typing import Any

from .state import env

__all__ = ["for_local", "for_remote", "with_wildcards"]


def for_remote(command: str, *, shell: bool, sudo: bool, user: str | None = None, group: str | None = None) -> str:
    """A command with everything that comes before it.

    Args:
        shell: have `env.shell` run it.
        sudo: have sudo run that; as `user` and `group`, root where neither is given.
    """
    text = _with_prefixes(command, env.cwd)
    variables = _variables()
    # The variables are set inside, where a login shell cannot unset them again.
    text = f"{env.shell} {shlex.quote(variables + text)}" if shell else variables + text
    if sudo:
        return _sudo(user, group) + text
    return text


def for_local(command: str, shell: str | None) -> list[str]:
    """The words to run a command on this machine."""
    return [shell or "/bin/sh", "-c", _variables() + _with_prefixes(command, env.lcwd)]


def with_wildcards(path: Any) -> str:
    """Quoted for the shell, but for a home directory in front and wildcards: they mean what they mean there."""
    text = str(path)
    home, slash, rest = text.partition("/") if text.startswith("~") else ("", "", text)
    pieces = re.split(r"([*?\[\]{},])", rest)
    quoted = "".join(piece if at % 2 else (shlex.quote(piece) if piece else "") for at, piece in enumerate(pieces))
    return home + slash + quoted


def _with_prefixes(command: str, directory: str) -> str:
    steps = list(env.command_prefixes)
    if directory:
        steps.insert(0, f"cd {_directory(directory)} >/dev/null")
    return " && ".join([*steps, command])


def _directory(path: str) -> str:
    """Quoted, but for a home directory in front, which only the other side knows."""
    if path.startswith("~"):
        home, slash, rest = path.partition("/")
        return home + slash + (shlex.quote(rest) if rest else "")
    return shlex.quote(path)


def _variables() -> str:
    parts = []
    if env.path:
        given = shlex.quote(env.path)
        value = {"append": f'"$PATH":{given}', "prepend": f'{given}:"$PATH"', "replace": given}[env.path_behavior]
        parts.append(f"export PATH={value}")
    parts += [f"export {name}={shlex.quote(str(value))}" for name, value in env.shell_env.items()]
    return "".join(f"{part} && " for part in parts)


def _sudo(user: str | None, group: str | None) -> str:
    text: str = env.sudo_prefix % {"sudo_prompt": env.sudo_prompt}
    if user is not None:
        # sudo takes a number as the name of a user unless there is a `#` in front.
        text += f"-u {shlex.quote(f'#{user}' if str(user).isdigit() else str(user))} "
    if group is not None:
        text += f"-g {shlex.quote(f'#{group}' if str(group).isdigit() else str(group))} "
    return text
