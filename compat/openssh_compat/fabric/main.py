"""The program that runs tasks on hosts: `python -m openssh_compat.fabric -H host task`."""

from __future__ import annotations

import getpass
from typing import Any

from invoke.collection import Collection
from invoke.parser.argument import Argument
from invoke.program import Program

import openssh_core

from .config import Config
from .executor import Executor

__all__ = ["program"]


class Fab(Program):
    """invoke's program, with hosts."""

    def core_args(self) -> list[Any]:
        return [
            *super().core_args(),
            Argument(names=("H", "hosts"), help="Comma-separated host name(s) to execute tasks against."),
            Argument(names=("i", "identity"), kind=list, help="Path to a private key. May be given repeatedly."),
            Argument(names=("S", "ssh-config"), help="Path to an SSH config file, instead of the usual ones."),
            Argument(names=("t", "connect-timeout"), kind=int, help="Seconds for each login."),
            Argument(names=("prompt-for-login-password",), kind=bool, help="Ask for the login password first."),
            Argument(names=("prompt-for-passphrase",), kind=bool, help="Ask for the keys' passphrase first."),
        ]

    @property
    def _only_a_command(self) -> bool:
        """Whether there is a command after `--` and no task."""
        return bool(self.core.remainder and not self.core.unparsed and not self.args.complete.value)

    def load_collection(self) -> None:
        if self._only_a_command:
            self.collection = Collection()
        else:
            super().load_collection()

    def no_tasks_given(self) -> None:
        if not self._only_a_command:
            super().no_tasks_given()

    def update_config(self, merge: bool = True) -> None:
        super().update_config(merge=False)
        args = self.args
        login: dict[str, Any] = {}
        if paths := args["identity"].value:
            login["key_filename"] = list(paths)
        if args["prompt-for-login-password"].value:
            login["password"] = getpass.getpass("Enter login password for use with SSH auth: ")
        if args["prompt-for-passphrase"].value:
            login["passphrase"] = getpass.getpass("Enter passphrase for use unlocking SSH keys: ")
        # In front of the configuration files, as everything that the command line says.
        overrides: dict[str, Any] = {"connect_kwargs": login} if login else {}
        if path := args["ssh-config"].value:
            overrides["ssh_config_path"] = path
        if seconds := args["connect-timeout"].value:
            overrides["timeouts"] = {"connect": seconds}
        self.config.load_overrides({**self.config._overrides, **overrides}, merge=False)
        if merge:
            self.config.merge()


program = Fab(
    name="Fabric of openssh_compat",
    binary="python -m openssh_compat.fabric",
    version=openssh_core.__version__,
    executor_class=Executor,
    config_class=Config,
)
