"""Every name that fabric defines is here, too, in the module of the same name; what is not is listed here, with why."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

# What belongs to how fabric does it, and not to what it does.
INSIDES = {
    "config.Config.load_ssh_config": "ssh reads ssh_config",
    "connection.Connection.derive_shorthand": "not documented",
    "connection.Connection.get_gateway": "ssh knows about ProxyJump and ProxyCommand",
    "connection.derive_shorthand": "not documented",
    "executor.Executor.normalize_hosts": "a step of its `expand_calls`",
    "executor.Executor.parameterize": "a step of its `expand_calls`",
    "group.thread_worker": "what its threads run",
    "main.make_program": "called by nothing but its own module",
    "runners.Remote.handle_window_change": "a signal handler",
    "runners.Remote.send_start_message": "how it talks to paramiko",
    "runners.RemoteShell.handle_window_change": "a signal handler",
    "runners.RemoteShell.send_start_message": "how it talks to paramiko",
    "runners.cares_about_SIGWINCH": "a question to the platform",
    "tasks.ConnectionCall.clone_kwargs": "not documented",
}


@pytest.mark.parametrize(
    "name",
    ["", "config", "connection", "exceptions", "executor", "group", "main", "runners", "tasks", "transfer", "util"],
)
def test_the_names_of_fabric(name: str) -> None:
    theirs = importlib.import_module(f"fabric.{name}".rstrip("."))
    ours = importlib.import_module(f"openssh_compat.fabric.{name}".rstrip("."))
    missing = {f"{name}.{missed}" for missed in _missing(theirs, ours)}
    assert missing <= set(INSIDES) | LATER


def _missing(theirs: Any, ours: Any) -> set[str]:
    missing = set()
    for name, thing in vars(theirs).items():
        if name.startswith("_") or not getattr(thing, "__module__", "").startswith("fabric"):
            continue
        if theirs.__name__ != "fabric" and thing.__module__ != theirs.__name__:
            continue
        if not hasattr(ours, name):
            missing.add(name)
        elif isinstance(thing, type) and theirs.__name__ == thing.__module__:
            missing |= {
                f"{name}.{part}"
                for part in dir(thing)
                if not part.startswith("_") and not hasattr(getattr(ours, name), part)
            }
    return missing


LATER = {".OpenSSHAuthStrategy"}
