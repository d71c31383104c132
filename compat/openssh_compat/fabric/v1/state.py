"""`env`, the settings that everything of fabric 1 goes by, and `output`, what is shown.

Hosts that are worked on at the same time each have an `env` of their own: a copy, so that what a task changes there is
seen by nobody else. (In fabric 1 they were processes of their own.)
"""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from copy import copy
from typing import Any

__all__ = ["Environment", "env", "output", "own_environment"]


class Environment(MutableMapping[str, Any]):
    """A mapping whose keys are attributes, too.

    Args:
        values: what it has at first.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        vars(self)["_shared"] = values
        vars(self)["_own"] = ContextVar[dict[str, Any] | None](f"environment {id(self)}", default=None)

    def _values(self) -> dict[str, Any]:
        own: dict[str, Any] | None = vars(self)["_own"].get()
        shared: dict[str, Any] = vars(self)["_shared"]
        return shared if own is None else own

    @contextlib.contextmanager
    def copied(self) -> Iterator[None]:
        """What is changed in this thread from here on is changed for it alone."""
        values = {name: copy(value) if isinstance(value, list | dict) else value for name, value in self.items()}
        token = vars(self)["_own"].set(values)
        try:
            yield
        finally:
            vars(self)["_own"].reset(token)

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._values()))

    def __len__(self) -> int:
        return len(self._values())

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values()[name]
        except KeyError:
            raise AttributeError(f"env has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values()[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._values()[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        # Secrets are kept in here.
        return f"<env of {self.get('host_string')}>"

    def first(self, *names: str) -> Any:
        """The first of these that has a value that is true."""
        return next((value for name in names if (value := self.get(name))), None)


def _user() -> str:
    try:
        return getpass.getuser()
    except KeyError:
        return str(os.getuid())


env = Environment(
    {
        "abort_exception": None,
        "abort_on_prompts": False,
        "all_hosts": [],
        "always_use_pty": True,
        "combine_stderr": True,
        "command": None,
        "command_prefixes": [],
        "command_timeout": None,
        "connection_attempts": 1,
        "cwd": "",
        "dedupe_hosts": True,
        "disable_known_hosts": False,
        "eagerly_disconnect": False,
        "echo_stdin": True,
        "effective_roles": [],
        "exclude_hosts": [],
        "fabfile": "fabfile",
        "forward_agent": False,
        "gateway": None,
        "host": None,
        "host_string": None,
        "hosts": [],
        "keepalive": 15,
        "key": None,
        "key_filename": None,
        "lcwd": "",
        "linewise": False,
        "local_user": _user(),
        "no_agent": False,
        "no_keys": False,
        "ok_ret_codes": [0],
        "output_prefix": True,
        "parallel": False,
        "passphrase": None,
        "password": None,
        "passwords": {},
        "path": "",
        "path_behavior": "append",
        "pool_size": 0,
        "port": "22",
        "prompts": {},
        "real_fabfile": None,
        "reject_unknown_hosts": False,
        "roledefs": {},
        "roles": [],
        "shell": "/bin/bash -l -c",
        "shell_env": {},
        "skip_bad_hosts": False,
        "skip_unknown_tasks": False,
        "ssh_config_path": None,
        "sudo_password": None,
        "sudo_passwords": {},
        "sudo_prefix": "sudo -S -p '%(sudo_prompt)s' ",
        "sudo_prompt": "sudo password:",
        "sudo_user": None,
        "tasks": [],
        "timeout": 10,
        "use_shell": True,
        "use_ssh_config": False,
        "user": _user(),
        "warn_only": False,
    }
)

# Levels that stand for several.
GROUPS = {
    "everything": ["aborts", "running", "status", "stderr", "stdout", "user", "warnings", "exceptions"],
    "output": ["stderr", "stdout"],
    "commands": ["running", "stderr", "stdout"],
}

output = Environment(
    {
        "aborts": True,
        "debug": False,
        "exceptions": False,
        "running": True,
        "status": True,
        "stderr": True,
        "stdout": True,
        "user": True,
        "warnings": True,
    }
)


@contextlib.contextmanager
def own_environment() -> Iterator[None]:
    """Settings of this thread's own, from here on."""
    with env.copied(), output.copied():
        yield
