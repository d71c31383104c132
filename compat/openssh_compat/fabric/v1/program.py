"""The command line of fabric 1: `task:argument,name=value` and its options."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from collections.abc import Sequence
from typing import Any

import openssh_core

from .collection import find, find_fabfile, load, names_in
from .connections import NetworkError, disconnect_all
from .execution import execute
from .state import GROUPS, env, output
from .utils import abort

__all__ = ["main", "parse_task"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run tasks of a fabfile; the status to exit with."""
    words = list(sys.argv[1:] if argv is None else argv)
    remainder = ""
    if "--" in words:
        at = words.index("--")
        words, remainder = words[:at], " ".join(words[at + 1 :])
    options = _parser().parse_args(words)
    try:
        return _run(options, remainder)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 1
    except NetworkError as failure:
        sys.stderr.write(f"\nFatal error: {failure}\n\nAborting.\n")
        return 1
    finally:
        disconnect_all()


def _run(options: argparse.Namespace, remainder: str) -> int:
    _set_environment(options)
    tasks = _tasks(options, need=not remainder)
    env.tasks_by_name = tasks
    if options.list or options.shortlist:
        _list(tasks, short=options.shortlist)
        return 0
    if options.display:
        _display(tasks, options.display)
        return 0
    if not options.tasks and not remainder:
        _list(tasks, short=False)
        return 1
    wanted = [parse_task(word) for word in options.tasks]
    unknown = [name for name, *_rest in wanted if find(tasks, name) is None]
    if unknown and not env.skip_unknown_tasks:
        abort(f"Command(s) not found:\n    {', '.join(unknown)}\n\nThere is: {', '.join(sorted(tasks))}")
    for name, args, kwargs, where in wanted:
        if (task := find(tasks, name)) is not None:
            execute(task, *args, **kwargs, **where)
    if remainder:
        from .operations import run

        def command() -> None:
            run(remainder)

        command.__name__ = "<remainder>"
        execute(command)
    if output.status:
        print("\nDone.")  # noqa: T201  # the program's last word
    return 0


def _tasks(options: argparse.Namespace, *, need: bool) -> dict[str, Any]:
    path = find_fabfile(options.fabfile)
    if path is None:
        if need:
            abort(f"Couldn't find any fabfiles: there is no {options.fabfile!r} here or above. -f names another")
        return {}
    env.real_fabfile = str(path)
    return names_in(load(path))


# ---- what is typed

_SPLIT = re.compile(r"(?<!\\),")
_WHERE = {"host", "hosts", "role", "roles", "exclude_hosts"}


def parse_task(word: str) -> tuple[str, list[str], dict[str, str], dict[str, Any]]:
    """Name, arguments, named arguments, places: of `name:argument,name=value,hosts=a;b`. A backslash keeps a comma."""
    name, _, rest = word.partition(":")
    args: list[str] = []
    kwargs: dict[str, str] = {}
    where: dict[str, Any] = {}
    for piece in _SPLIT.split(rest) if rest else []:
        text = piece.replace("\\,", ",")
        key, equals, value = text.partition("=")
        if not equals:
            args.append(text)
        elif key in _WHERE:
            where[key] = [part.strip() for part in value.split(";")] if key not in ("host", "role") else value
        else:
            kwargs[key] = value
    return name, args, kwargs, where


def _list(tasks: dict[str, Any], *, short: bool) -> None:
    if short:
        print("\n".join(sorted(tasks)))  # noqa: T201  # what was asked for
        return
    print("Available commands:\n")  # noqa: T201
    width = max(map(len, tasks), default=0)
    for name in sorted(tasks):
        line = next(iter((tasks[name].__doc__ or "").strip().splitlines()), "")
        print(f"    {name:<{width}}  {line}".rstrip())  # noqa: T201


def _display(tasks: dict[str, Any], name: str) -> None:
    task = find(tasks, name)
    if task is None:
        abort(f"Task '{name}' does not appear to exist. Valid task names:\n{', '.join(sorted(tasks))}")
    print(f"Displaying detailed information for task '{name}':\n\n{(task.__doc__ or '').strip()}\n")  # noqa: T201


def _comma(text: str) -> list[str]:
    return [word.strip() for word in _SPLIT.split(text) if word.strip()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fab-openssh", usage="%(prog)s [options] task[:argument,name=value,...] ... [-- command]", add_help=True
    )
    add = parser.add_argument
    add("tasks", nargs="*", help=argparse.SUPPRESS)
    add("-V", "--version", action="version", version=f"fab-openssh {openssh_core.__version__} (fabric 1 task files)")
    add("-f", "--fabfile", default="fabfile", metavar="PATH", help="python module file to import")
    add("-l", "--list", action="store_true", help="print list of possible tasks and exit")
    add("--shortlist", action="store_true", help="print just the names")
    add("-d", "--display", metavar="NAME", help="print detailed info about a task")
    add("-H", "--hosts", type=_comma, help="comma-separated list of hosts to operate on")
    add("-R", "--roles", type=_comma, help="comma-separated list of roles to operate on")
    add("-x", "--exclude-hosts", type=_comma, help="comma-separated list of hosts to exclude")
    add("-u", "--user", help="username to use when connecting to remote hosts")
    add("-i", dest="key_filename", action="append", metavar="PATH", help="private key file; may be repeated")
    add("-P", "--parallel", action="store_true", default=None, help="default to parallel execution")
    add("-z", "--pool-size", type=int, metavar="INT", help="number of hosts at once in parallel mode")
    add("-t", "--timeout", type=float, metavar="N", help="connection timeout in seconds")
    add("-T", "--command-timeout", type=float, metavar="N", help="remote command timeout in seconds")
    add("-n", "--connection-attempts", type=int, metavar="M", help="make M attempts to connect")
    add("-g", "--gateway", metavar="HOST", help="host to go through")
    add("-w", "--warn-only", action="store_true", default=None, help="warn, instead of abort, when commands fail")
    add("-s", "--shell", help="a shell that runs commands, instead of '/bin/bash -l -c'")
    add(
        "-a",
        "--no_agent",
        "--no-agent",
        dest="no_agent",
        action="store_true",
        default=None,
        help="do not use the agent",
    )
    add("-k", "--no-keys", action="store_true", default=None, help="for fabric's sake: ssh decides about ~/.ssh/id_*")
    add("-A", "--forward-agent", action="store_true", default=None, help="forward the local agent")
    add("-D", "--disable-known-hosts", action="store_true", default=None, help="do not look into known_hosts")
    add("-r", "--reject-unknown-hosts", action="store_true", default=None, help="refuse unknown hosts")
    add("-p", "--password", nargs="?", const="", help=argparse.SUPPRESS)
    add("-I", "--initial-password-prompt", action="store_true", help="ask for the password up front")
    add("--initial-sudo-password-prompt", action="store_true", help="ask for sudo's password up front")
    add("--abort-on-prompts", action="store_true", default=None, help="abort instead of asking anything")
    add("--skip-bad-hosts", action="store_true", default=None, help="pass over hosts that can't be reached")
    add("--skip-unknown-tasks", action="store_true", default=None, help="pass over unknown tasks")
    add("--no-pty", dest="always_use_pty", action="store_false", default=None, help="do not use a terminal")
    add("--ssh-config-path", metavar="PATH", help="path to an ssh_config file (then it counts)")
    add("--keepalive", type=int, metavar="N", help="seconds of silence after which the server is asked for a sign")
    add("--set", type=_comma, metavar="KEY=VALUE,...", help="set env variables")
    add("--hide", type=_comma, metavar="LEVELS", help="kinds of output to hide")
    add("--show", type=_comma, metavar="LEVELS", help="kinds of output to show")
    add("-c", "--config", metavar="PATH", help="a file of lines `name = value` for env")
    return parser


_ELSEWHERE = {
    "config", "display", "hide", "initial_password_prompt", "initial_sudo_password_prompt", "list", "password", "set",
    "shortlist", "show", "tasks",
}  # fmt: skip


def _set_environment(options: argparse.Namespace) -> None:
    if options.config:
        with open(options.config, encoding="utf-8") as file:
            for line in file:
                name, equals, value = line.partition("=")
                if equals and not name.lstrip().startswith(("#", ";")):
                    env[name.strip()] = value.strip()
    env.update({k: v for k, v in vars(options).items() if v is not None and k not in _ELSEWHERE})
    if options.ssh_config_path:
        env.use_ssh_config = True
    for pair in options.set or []:
        name, equals, value = pair.partition("=")
        env[name] = value if equals else True
    if options.password:
        # Every user of this machine can read it in the process list by now.
        abort("-p puts the password where all users of this machine can read it: use -I, which asks for it")
    if options.password == "" or options.initial_password_prompt:
        env.password = getpass.getpass("Initial value for env.password: ")
    if options.initial_sudo_password_prompt:
        env.sudo_password = getpass.getpass("Initial value for env.sudo_password: ")
    for levels, shown in ((options.hide, False), (options.show, True)):
        for name in levels or []:
            for level in GROUPS.get(name, [name]):
                output[level] = shown
