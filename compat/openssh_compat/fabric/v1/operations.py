"""`run`, `sudo`, `local` and what asks a person."""

from __future__ import annotations

import getpass
import re
import subprocess
import sys
from collections.abc import Callable
from time import monotonic, sleep
from typing import IO, Any, NamedTuple

from openssh_core import PIPE, STDOUT, OpenSSHError, Pty

from . import shellwords
from .connections import NetworkError, connection, disconnect_all, join_host_strings, normalize
from .context import hide, settings
from .state import env, output
from .strings import AttributeString
from .talk import CommandTimeout, Ear, Talk
from .utils import abort, error, warn

__all__ = ["local", "open_shell", "password_for_sudo", "prompt", "reboot", "require", "run", "sudo"]


def run(
    command: str,
    shell: bool = True,
    pty: bool = True,
    combine_stderr: bool | None = None,
    quiet: bool = False,
    warn_only: bool = False,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    timeout: float | None = None,
    shell_escape: bool | None = None,
    capture_buffer_size: int | None = None,
) -> AttributeString:
    """Run a command on the host.

    Args:
        command: for the shell there.
        shell: by `env.shell`; False leaves it to the account's login shell.
        pty: with a terminal; everything is on stdout then.
        combine_stderr: both outputs in one, `env.combine_stderr` when left out.
        quiet: show nothing, and take no failure seriously; `warn_only` only the latter.
        stdout, stderr: where it is shown, instead of on this program's.
        timeout: seconds it may take; then it is killed, and CommandTimeout is raised.
        shell_escape: for fabric's sake: what is handed to the shell is always quoted.
        capture_buffer_size: keep only so many of the last characters.
    """
    line = shellwords.for_remote(command, shell=shell and env.use_shell, sudo=False)
    how = _How("run", command, line, pty, combine_stderr, stdout, stderr, timeout, capture_buffer_size)
    return _remote(how, quiet=quiet, warn_only=warn_only)


def sudo(
    command: str,
    shell: bool = True,
    pty: bool = True,
    combine_stderr: bool | None = None,
    user: str | None = None,
    quiet: bool = False,
    warn_only: bool = False,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    group: str | None = None,
    timeout: float | None = None,
    shell_escape: bool | None = None,
    capture_buffer_size: int | None = None,
) -> AttributeString:
    """Run a command on the host as another user; the password goes to sudo when it asks, and is never shown.

    Args:
        user, group: as whom; `env.sudo_user` or root when left out.
        the others: as for `run`.
    """
    line = shellwords.for_remote(
        command, shell=shell and env.use_shell, sudo=True, user=user or env.sudo_user, group=group
    )
    how = _How("sudo", command, line, pty, combine_stderr, stdout, stderr, timeout, capture_buffer_size)
    return _remote(how, quiet=quiet, warn_only=warn_only)


class _How(NamedTuple):
    """What is to run, and how; fields are named as the arguments of `run`."""

    name: str
    command: str
    line: str
    pty: bool
    combine_stderr: bool | None
    stdout: IO[str] | None
    stderr: IO[str] | None
    timeout: float | None
    capture_buffer_size: int | None


def _remote(how: _How, *, quiet: bool, warn_only: bool) -> AttributeString:
    managers = [hide("everything")] if quiet else []
    with settings(*managers, warn_only=quiet or warn_only or env.warn_only):
        if output.running:
            shown = how.line if output.debug else how.command
            print(f"[{env.host_string}] {how.name}: {shown}")  # noqa: T201  # so says `running`
        return _executed(how)


def _executed(how: _How) -> AttributeString:
    host = connection()
    pty = how.pty and env.always_use_pty
    combine = env.combine_stderr if how.combine_stderr is None else how.combine_stderr
    limit = env.command_timeout if how.timeout is None else how.timeout
    out = Ear("out", (how.stdout or sys.stdout) if output.stdout else None)
    err = Ear("err", (how.stderr or sys.stderr) if output.stderr else None)
    with host.popen(
        how.line,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT if combine and not pty else PIPE,
        pty=Pty() if pty else None,
        encoding=None,
        bufsize=0,
    ) as process:
        try:
            status = Talk(process, out, err, answer=_Answers(), timeout=limit).to_the_end()
        except OpenSSHError as lost:
            process.close()
            raise NetworkError(str(lost)) from lost
        except BaseException:
            # Ctrl-C, a limit, a question nobody may answer: it is not left running.
            process.kill()
            process.close()
            raise
    return _result(how.name, how.command, how.line, status, out.text, err.text, how.capture_buffer_size)


def _result(
    name: str, command: str, line: str, status: int, out: str, err: str, keep: int | None = None
) -> AttributeString:
    if keep is not None:
        out, err = out[-keep:], err[-keep:]
    result = AttributeString(out.strip())
    result.command, result.real_command = command, line
    result.return_code, result.stderr = status, err.strip()
    result.failed = status not in env.ok_ret_codes
    if result.failed:
        error(
            f"{name}() received nonzero return code {status} while executing!\n\nRequested: {command}\nExecuted: {line}"
        )
    return result


def password_for_sudo() -> str | None:
    """The password that sudo is given on this host, as far as it is known."""
    where = join_host_strings(*normalize(env.host_string))
    known = env.sudo_passwords.get(where) or env.sudo_password or env.passwords.get(where) or env.password
    return None if known is None else str(known)


class _Answers:
    """What is typed for a command: sudo's password, and what `env.prompts` says."""

    def __init__(self) -> None:
        self._given: str | None = None

    def __call__(self, tail: str) -> str | None:
        if tail.endswith(env.sudo_prompt):
            return self._password()
        return next((answer for question, answer in env.prompts.items() if tail.endswith(question)), None)

    def _password(self) -> str:
        where = join_host_strings(*normalize(env.host_string))
        known = password_for_sudo()
        if known is None or known == self._given:
            # sudo asks again: that was the wrong one.
            if env.abort_on_prompts or not sys.stdin or not sys.stdin.isatty():
                why = "there is none" if known is None else "the one it was given is wrong"
                abort(f"sudo on {env.host_string} wants a password, and {why}")
            known = getpass.getpass(f"[{env.host_string}] sudo password: ")
            env.sudo_passwords[where] = known
        self._given = known
        return str(known)


def local(command: str, capture: bool = False, shell: str | None = None) -> AttributeString:
    """Run a command on this machine.

    Args:
        capture: keep what it puts out, instead of showing it.
        shell: the shell that runs it, `/bin/sh` when left out.
    """
    if output.running:
        print(f"[localhost] local: {command}")  # noqa: T201  # so says `running`
    kept = subprocess.PIPE if capture else None
    words = shellwords.for_local(command, shell)
    hidden = subprocess.DEVNULL
    done = subprocess.run(
        words,
        stdout=kept if kept or output.stdout else hidden,
        stderr=kept if kept or output.stderr else hidden,
        text=True,
        errors="replace",
    )
    return _result("local", command, words[-1], done.returncode, done.stdout or "", done.stderr or "")


def prompt(text: str, key: str | None = None, default: Any = "", validate: Any = None) -> Any:
    """Ask the person at the terminal.

    Args:
        key: of `env`, under which the answer is kept.
        default: what an empty answer means.
        validate: a regular expression that the whole answer fits, or a callable that returns the value or raises.
    """
    before = env.get(key) if key else None
    shown = f"{text.rstrip()} " + (f"[{default}] " if default != "" else "")
    if env.abort_on_prompts:
        abort(f"a question would be asked, and abort_on_prompts is set: {text}")
    while True:
        answer: Any = input(shown) or default
        try:
            answer = _valid(answer, validate)
            break
        except Exception as wrong:  # noqa: BLE001 - a validation of the caller's says no in any way it likes
            print(f"Validation failed for the following reason:\n    {wrong}\n")  # noqa: T201  # it is a dialogue
    if key:
        env[key] = answer
        if before and before != answer:
            warn(f"overwrote previous env variable '{key}'; used to be '{before}', is now '{answer}'.")
    return answer


def _valid(answer: Any, validate: Callable[[Any], Any] | str | None) -> Any:
    if validate is None:
        return answer
    if callable(validate):
        return validate(answer)
    if re.fullmatch(validate, answer) is None:
        raise ValueError(f"the answer does not fit {validate!r}")
    return answer


def require(*keys: str, used_for: str = "", provided_by: Any = ()) -> None:
    """See that `env` has these, and that they are not empty; otherwise say what is missing and give up."""
    missing = [key for key in keys if not env.get(key)]
    if not missing:
        return
    lines = [f"The command '{env.command}' needs {', '.join(f'env.{key}' for key in missing)}, which is not set"]
    if used_for:
        lines.append(f"It is used for {used_for}")
    by = [provided_by] if callable(provided_by) else list(provided_by)
    if by:
        lines.append(f"Run one of these first: {', '.join(getattr(task, '__name__', str(task)) for task in by)}")
    abort(". ".join(lines))


def open_shell(command: str | None = None) -> None:
    """Hand the terminal over to a shell on the host; `command` is run first."""
    words = () if command is None else (f'{command}; exec "$SHELL"',)
    connection().shell(*words)


def reboot(wait: float = 120, command: str = "reboot", use_sudo: bool = True) -> None:
    """Start the host anew, and wait until it answers.

    Args:
        wait: seconds until it is given up.
        command: what starts it anew.
    """
    with settings(hide("running"), warn_only=True):
        try:
            (sudo if use_sudo else run)(command, timeout=10)
        except (NetworkError, CommandTimeout):
            pass  # it is gone already
    disconnect_all()
    until = monotonic() + wait
    while True:
        try:
            with settings(timeout=5):
                connection()
            return
        except NetworkError:
            if monotonic() > until:
                raise
            sleep(1)
