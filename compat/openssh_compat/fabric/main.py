"""The program that runs tasks on hosts: `fab-openssh -H host task`."""

from __future__ import annotations

import getpass
import subprocess
import sys
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit, UnexpectedExit
from invoke.parser.argument import Argument
from invoke.program import Program

import openssh_core

from ._mishaps import report
from .config import Config
from .executor import Executor
from .v1.choice import is_for_fabric_1
from .v1.program import main as fabric_1

__all__ = ["main", "program"]


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
            Argument(names=("list-agent-keys",), kind=bool, help="List the keys of the ssh-agent, and exit."),
            Argument(names=("role",), kind=list, help="Run on the hosts of a role of the configuration. Repeatable."),
            Argument(names=("P", "parallel"), kind=int, help="Run each task on so many hosts at once; 0 for all."),
            Argument(names=("log-dir",), help="Write what each host puts out to a file of its own in this folder."),
        ]

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:  # invoke's name
        """Do what the command line says; see invoke's `Program.run`. A failure is told in a line or two."""
        try:
            super().run(argv, exit)
        except Exception as error:
            if not exit:
                raise
            self._tell(error, debug=hasattr(self, "core") and bool(self.args.debug.value))
            sys.exit(1)

    def execute(self) -> None:
        """Run the tasks."""
        try:
            super().execute()
        except UnexpectedExit as error:
            # What it put out was shown, or is by invoke; of which host and which line is not said there.
            self._tell(error, debug=False)
            raise

    @staticmethod
    def _tell(error: BaseException, *, debug: bool) -> None:
        sys.stdout.flush()
        print(report(error, debug=debug), file=sys.stderr)  # noqa: T201  # the program's last word
        if others := getattr(error, "not_tried", None):
            print(f"Not tried: {', '.join(others)}", file=sys.stderr)  # noqa: T201

    @property
    def _only_a_command(self) -> bool:
        """Whether there is a command after `--` and no task."""
        return bool(self.core.remainder and not self.core.unparsed and not self.args.complete.value)

    def load_collection(self) -> None:
        if self._only_a_command:
            self.collection = Collection()
        else:
            super().load_collection()

    def parse_core(self, argv: list[str] | None) -> None:
        super().parse_core(argv)
        if self.args["list-agent-keys"].value:
            # ssh-add says what is wrong where something is.
            raise Exit(code=subprocess.run(["ssh-add", "-l"]).returncode)

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
        parallel = {"hosts": args["parallel"].value, "log_dir": args["log-dir"].value}
        if given := {name: value for name, value in parallel.items() if value is not None}:
            overrides["parallel"] = given
        self.config.load_overrides({**self.config._overrides, **overrides}, merge=False)
        if merge:
            self.config.merge()


program = Fab(
    name="Fabric of openssh_compat",
    binary="fab-openssh",
    version=openssh_core.__version__,
    executor_class=Executor,
    config_class=Config,
)


def main() -> None:
    """What `fab-openssh` is: for a task file of fabric 1 the command line of fabric 1, otherwise that of fabric 3."""
    if is_for_fabric_1(sys.argv[1:]):
        sys.exit(fabric_1(sys.argv[1:]))
    program.run()
