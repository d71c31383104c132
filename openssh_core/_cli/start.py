"""The shell script by which a `Program` is started: its steps checked one by one, the outcome reported, then exec.

The report is a line in front of everything else on stdout: a word that nobody can guess, the process id, and behind it
what went wrong, if something did (`123:ENOENT:cwd`). One round trip tells whether the program runs; nothing of the line
is left in the output.

The script is POSIX shell. Whatever the login shell is, it can be made to run it, because it is then one word of
printable ASCII: `exec /bin/sh -c '...'` means the same in every shell. A login shell that is a POSIX shell itself runs
it directly, which spares the start of another: that it is one stands in the first report.

What is checked beforehand is what execve(2) would find, so a race is possible, and some refusals (a script whose
interpreter is missing, say) are seen by the shell only: they are the status 126 or 127.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .._value import Value
from ..errors import CommandTooLong
from ..program import Program
from .quoting import check_text, quote
from .script import LONGEST_COMMAND, PidLine, check_environment

__all__ = ["Start", "StartReport"]

# Where execve(2) is given no PATH to look in.
_DEFAULT_PATH = "/bin:/usr/bin"

# What stands behind the process id when the login shell can run the script itself.
_DIRECTLY = "sh"
_POSIX_SHELLS = "*/sh|*/bash|*/dash|*/ash|*/ksh|*/ksh93|*/mksh"

# Why a path is not there, or cannot be entered: its nearest ancestor that exists tells.
_WHY_NOT = (
    '_w(){ _p=$1;until [ -e "$_p" ]||[ "$_p" = . ]||[ "$_p" = / ];do _q=${_p%/*};[ "$_q" = "$_p" ]&&_q=.;_p=${_q:-/};'
    'done;if [ -e "$_p" ]&&[ ! -d "$_p" ];then _r ENOTDIR $2;elif [ "$_p" != "$1" ]&&[ -x "$_p" ];then _r ENOENT $2;'
    "else _r EACCES $2;fi;}"
)

# The number of a group, in _i; empty when there is none.
_FIND_GROUP = (
    '_f(){ _i=$(getent group "$1" 2>/dev/null)||while IFS=: read -r _n _x _i _q;do [ "$_n" = "$1" ]&&break;_i=;'
    "done </etc/group;_i=${_i#*:*:};_i=${_i%%:*};}"
)

# Ways to execute a program under another name; what follows is the program, the name, and the arguments.
_RENAME = (
    "if command -v perl >/dev/null;then set -- \"$@\" perl -e 'my $p=shift;exec{$p}@ARGV' --;"
    "else for _k in bash zsh ksh _;do [ $_k = _ ]&&_r ENOTSUP executable;command -v $_k >/dev/null||continue;"
    'set -- "$@" $_k -c \'_p=$0 _a=$1;shift;exec -a "$_a" "$_p" "$@"\';break;done;fi'
)

_is_plain = re.compile(r"[ -~]*").fullmatch
_ESCAPES = [chr(byte) if 32 <= byte < 127 and byte not in b"%\\'!" else f"\\{byte:03o}" for byte in range(256)]


class Start(Value):
    """The start of a program.

    Args:
        program: what is started.
        merge_stderr: whether stderr goes where stdout goes, from the first step on.
        discard: which of stdout and stderr nobody wants; it is not even sent.
    """

    program: Program
    merge_stderr: bool = False
    discard: tuple[bool, bool] = (False, False)

    def command(
        self, *, exports: Iterable[tuple[str, str]] = (), line: PidLine | None = None, directly: bool = False
    ) -> bytes:
        """The string for the login shell.

        Args:
            exports: variables to set first.
            line: the line that reports.
            directly: whether the login shell is known to run such a script itself.

        Raises:
            InvalidCommand, InvalidEnvironment: it can never run.
        """
        script = ";".join(self._steps(check_environment(exports), line, directly))
        check_text(script, "an argument")
        if not directly:
            script = f"exec /bin/sh -c {quote(_printable(script))}"
        data = script.encode("utf-8", "surrogateescape")
        if len(data) > LONGEST_COMMAND:
            raise CommandTooLong(f"the command has {len(data)} bytes; a server takes {LONGEST_COMMAND} at most")
        return data

    def _steps(self, exports: Iterable[tuple[str, str]], line: PidLine | None, directly: bool) -> Iterator[str]:
        program = self.program
        if self.merge_stderr:
            yield "exec 2>&1"
        yield _give_up(line if program.report else None)
        if assignments := [f"{name}={quote(value)}" for name, value in exports]:
            yield f"export {' '.join(assignments)}"
        if program.cwd is not None:
            yield self._change_directory(program.cwd)
        if program.umask is not None:
            yield f"umask {program.umask:04o}"
        if program.ignored_signals:
            yield f"trap '' {' '.join(program.ignored_signals)}"
        yield from self._become_another()
        if program.report:
            yield self._look_for_it()
        if self._is_wrapped:
            if program.env is not None:
                yield f'set -- "$@" {self._env()}'
            if self._is_renamed:
                yield _RENAME
        if line is not None:
            yield _report(line, hint=program.report and not directly)
        if redirections := [f"{number}>/dev/null" for number, given in enumerate(self.discard, 1) if given]:
            yield f"exec {' '.join(redirections)}"
        yield self._exec()

    def _change_directory(self, cwd: str) -> str:
        if not cwd:
            return "_r ENOENT cwd"
        # In front of a relative path `./` keeps CDPATH and the meanings of -, +1 and ~ out.
        path = quote(cwd if cwd.startswith("/") else f"./{cwd}")
        return f"command cd {path} 2>/dev/null||_w {path} cwd"

    def _look_for_it(self) -> str:
        name = quote(self.program.file)
        if "/" in self.program.file:
            found = f"_p={name};[ -f {name} ]&&[ -x {name} ]||{{ [ -e {name} ]&&_r EACCES program;_w {name} program;}}"
            return found + self._whoever_runs_it()
        path = f"${{PATH-{_DEFAULT_PATH}}}"
        if self.program.env is not None:
            path = quote(self.program.env.get("PATH", _DEFAULT_PATH))
        return (
            f'_q={path};_k=ENOENT;set -f;IFS=:;for _d in $_q;do _p=${{_d:-.}}/{name};[ -e "$_p" ]||continue;'
            '[ -f "$_p" ]&&[ -x "$_p" ]&&{ _k=;break;};_k=EACCES;done;[ -z "$_k" ]||_r $_k program'
            f"{self._whoever_runs_it()}"
        )

    def _whoever_runs_it(self) -> str:
        """Whether whom it runs as may run it, too."""
        return ';"$@" test -x "$_p"||_r EACCES program' if self._is_another else ""

    # ---- who it runs as

    def _become_another(self) -> Iterator[str]:
        program = self.program
        named = {"user": program.user, "group": program.group, "extra_groups": program.extra_groups}
        first = next((name for name, who in named.items() if who is not None), None)
        if first is None:
            return
        yield f"{_FIND_GROUP};_u=$(id -u);_g=$(id -g);_l="
        words = ["setpriv"]
        if program.user is not None:
            words.append("--reuid=$_u")
            user = str(program.user) if isinstance(program.user, int) else f"$(id -u {quote(program.user)} 2>/dev/null)"
            yield f"_u={user}||_r EINVAL user"
        if program.group is not None:
            words.append("--regid=$_g")
            yield f"{_group(program.group)};[ $_i ]||_r EINVAL group;_g=$_i"
        for group in program.extra_groups or ():
            yield f"{_group(group)};[ $_i ]||_r EINVAL extra_groups;_l=$_l${{_l:+,}}$_i"
        if program.extra_groups is None:
            words.append("--keep-groups")
        else:
            words.append("--groups=$_l" if program.extra_groups else "--clear-groups")
        is_us = '[ "$_u:$_g" = "$(id -u):$(id -g)" ]' if program.extra_groups is None else "false"
        yield (
            f'{is_us}||{{ [ "$(id -u)" = 0 ]||_r EPERM {first};command -v setpriv >/dev/null||_r ENOSYS {first};'
            f"set -- {' '.join(words)};}}"
        )

    # ---- the last step

    @property
    def _is_renamed(self) -> bool:
        return self.program.executable not in (None, self.program.words[0])

    @property
    def _is_wrapped(self) -> bool:
        """Whether other programs come before it, which are gathered in "$@"."""
        return self._is_renamed or self._is_another

    @property
    def _is_another(self) -> bool:
        program = self.program
        return any(who is not None for who in (program.user, program.group, program.extra_groups))

    def _env(self) -> str:
        """A command that sets the whole environment, and what it needs to find the program behind it."""
        assert self.program.env is not None
        pairs = [quote(f"{name}={value}") for name, value in self.program.env.items()]
        first = next(iter(self.program.env), self.program.words[0])
        words = ["env", "-i", *(["--"] if first.startswith("-") else []), *pairs]
        if "=" in self.program.words[0] and not self._is_renamed:
            # env(1) would take it for a variable.
            words += ["/bin/sh", "-c", quote('exec "$0" "$@"')]
        return " ".join(words)

    def _exec(self) -> str:
        program = self.program
        words = " ".join(quote(word) for word in program.words)
        if self._is_renamed:
            words = f"{quote(program.file)} {words}"
        if self._is_wrapped:
            return f'exec "$@" {words}'
        if program.env is not None:
            return f"exec {self._env()} {words}"
        # Not always: an old dash takes even this for the name of a program.
        return f"exec -- {words}" if words.startswith("-") else f"exec {words}"


def _give_up(line: PidLine | None) -> str:
    """What to do when a step fails."""
    if line is None:
        return "_r(){ exit 127;};_w(){ exit 127;}"
    return f'_r(){{ echo "{line.token}$$:$1:$2";exit 127;}};{_WHY_NOT}'


def _report(line: PidLine, *, hint: bool) -> str:
    if not hint:
        return f"echo {line.token}$$"
    # In quotes, because IFS may be a colon by now.
    return f'case $SHELL in {_POSIX_SHELLS})_k=:{_DIRECTLY};;*)_k=;;esac;echo "{line.token}$$$_k"'


def _group(group: str | int) -> str:
    return f"_i={group}" if isinstance(group, int) else f"_f {quote(group)}"


def _printable(script: str) -> str:
    """The script as one line of printable ASCII: csh refuses newlines, and it and fish other bytes of some locales."""
    if _is_plain(script):
        return script
    data = script.encode("utf-8", "surrogateescape")
    return f"eval \"$(printf '{''.join(map(_ESCAPES.__getitem__, data))}')\""


class StartReport(Value):
    """What stood behind the process id in the line.

    Attributes:
        error: the name of the errno, None when the program was started.
        what: the step that failed: `cwd`, `program`, `executable`, `user`, `group` or `extra_groups`.
        directly: whether the login shell runs such scripts itself.
    """

    error: str | None = None
    what: str = ""
    directly: bool = False


def read_report(text: str) -> StartReport:
    """The report in `text`, which comes from the host and may be anything."""
    error, _, what = text.partition(":")
    if error and what:
        return StartReport(error, what)
    return StartReport(directly=error == _DIRECTLY)
