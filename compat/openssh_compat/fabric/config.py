"""fabric's configuration: invoke's, with a few more names, from files and variables that are called fabric."""

from __future__ import annotations

import getpass
from typing import Any

from invoke.config import Config as InvokeConfig

from .runners import Remote, RemoteShell

__all__ = ["Config"]


class Config(InvokeConfig):
    """Configuration for a `Connection`; see invoke.Config for where it comes from.

    New here are

    - `parallel.hosts`: on how many hosts a task runs at once (1: one after the other, 0: all);
    - `parallel.log_dir`: a folder for a file of each host's output;
    - `roles`: lists of hosts by name, for `--role`;
    - `host_keys`: what happens to a host key that is not on record. `None` accepts it and remembers nothing, unless
      ssh_config says `StrictHostKeyChecking yes`; otherwise as `host_keys=` of `openssh_core.connect`. A key that
      differs from the one on record is never accepted, which fabric itself does.
    """

    prefix = "fabric"

    @staticmethod
    def global_defaults() -> dict[str, Any]:
        """The values that nobody has changed."""
        defaults: dict[str, Any] = InvokeConfig.global_defaults()
        defaults["runners"]["remote"] = Remote
        defaults["runners"]["remote_shell"] = RemoteShell
        defaults["tasks"]["collection_name"] = "fabfile"
        defaults["timeouts"]["connect"] = None
        return {
            **defaults,
            "connect_kwargs": {},
            "forward_agent": False,
            "gateway": None,
            "host_keys": None,
            "inline_ssh_env": True,
            "load_ssh_configs": True,
            "parallel": {"hosts": 1, "log_dir": None},
            "port": 22,
            "roles": {},
            "ssh_config_path": None,
            "user": getpass.getuser(),
        }
