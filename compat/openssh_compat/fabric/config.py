"""fabric's configuration: invoke's, with a few more names, from files and variables that are called fabric."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from invoke.config import Config as InvokeConfig
from invoke.config import merge_dicts

from .runners import Remote, RemoteShell

if TYPE_CHECKING:
    from typing_extensions import Self

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

    @classmethod
    def from_v1(cls, env: Any, **kwargs: Any) -> Self:
        """A configuration from an `env` of fabric 1.

        Args:
            env: of fabric 1, or of `openssh_compat.fabric.api`.
            kwargs: for the configuration itself; what `overrides` says wins over `env`.
        """
        given = kwargs.pop("overrides", {})
        password = env.password
        from_env: dict[str, Any] = {
            "connect_kwargs": {"allow_agent": not env.no_agent, "password": password},
            "forward_agent": env.forward_agent,
            "gateway": env.gateway,
            "load_ssh_configs": env.use_ssh_config,
            "run": {"pty": env.always_use_pty, "warn": env.warn_only},
            "ssh_config_path": env.ssh_config_path,
            "sudo": {"password": env.sudo_password or password, "prompt": env.sudo_prompt},
            "timeouts": {"connect": env.timeout},
        }
        if env.key_filename is not None:
            from_env["connect_kwargs"]["key_filename"] = env.key_filename
        return cls(overrides=merge_dicts(from_env, given), **kwargs)

    def set_runtime_ssh_path(self, path: str) -> None:
        """Have another ssh_config read than the usual ones."""
        self.load_overrides({**self._overrides, "ssh_config_path": path}, merge=True)

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
