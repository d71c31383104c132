"""Looking at a host: log in as a program would, and try what the library does there."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any

from .._backends.proxy import ProxyBackend
from .._cli.log import escaped
from .._cli.target import parse_target
from .._io.deadline import Deadline
from ..connection import Connection, connect
from ..errors import ConnectError, OpenSSHError, RequestRefused
from ..master import PrivateMaster
from ..process import RemoteProcess
from ..redirect import DEVNULL, PIPE
from .finding import Finding, bad, note, ok, warning

# Seconds one check may take on a host that is slow but well.
_PATIENCE = 20.0
# Sessions that are tried at once. Ten is what a server allows when nobody has changed it.
_MANY_SESSIONS = 20
# Seconds in which a server opens a first one, and in which a server with room opens the next.
_OPENING = 5.0
_PAUSE = 0.5
_ROUNDS = 5

# The first message of SFTP, version 3, and how its answer begins (draft-ietf-secsh-filexfer-02 section 4).
_SFTP_INIT = b"\x00\x00\x00\x05\x01\x00\x00\x00\x03"
_SFTP_VERSION = 2
_NO_SFTP = "Set `Subsystem sftp internal-sftp` in its sshd_config"


def examine_host(target: str, **options: Any) -> Iterator[Finding]:
    """Log in to a host and look at what works there. Leaves nothing behind.

    Args:
        target, options: as for `connect`.

    Yields:
        What was found. The first bad one ends it where nothing else can be tried.
    """
    try:
        yield from _resolution(target, options)
        began = monotonic()
        host = connect(target, **options)
    except OpenSSHError as error:
        yield _refusal(error)
        return
    took = monotonic() - began
    with host:
        yield ok("login", f"logged in within {took:.2f} s")
        for check in (_server, _commands, _shell, _signals, _sessions, _sftp):
            try:
                yield from check(host)
            except OpenSSHError as error:
                yield bad(check.__name__.strip("_"), error.what, error.advice)
                if host.closed or not _alive(host):
                    return


def _resolution(target: str, options: dict[str, Any]) -> Iterator[Finding]:
    """What ssh makes of the name, so that the reader sees where it will really go."""
    where = parse_target(target, user=options.get("user"), port=options.get("port"))
    words = [str(options.get("ssh") or "ssh"), "-G"]
    if (config := options.get("config_file")) is not None:
        words += ["-F", str(config)]
    if where.user is not None:
        words += ["-l", where.user]
    if where.port is not None:
        words += ["-p", str(where.port)]
    try:
        done = subprocess.run(
            [*words, "--", where.host], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # the login will say it better
    values = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    if done.returncode == 0 and {"user", "hostname", "port"} <= values.keys():
        way = "".join(
            f", by {name} {values[key]}"
            for key, name in (("proxyjump", "ProxyJump"), ("proxycommand", "ProxyCommand"))
            if values.get(key, "none") != "none"
        )
        yield note("name", escaped(f"ssh goes to {values['hostname']} port {values['port']} as {values['user']}{way}"))


def _refusal(error: OpenSSHError) -> Finding:
    what = f"{type(error).__name__}: {error.what}"
    if type(error) is ConnectError and error.last_words and error.last_words not in what:
        # Nobody knows what these words mean, or they would have become an error of their own kind.
        what += f" (ssh said: {' / '.join(error.last_words.splitlines()[-3:])})"
    return bad("login", what, error.advice)


def _alive(host: Connection) -> bool:
    try:
        host.check()
    except OpenSSHError:
        return False
    return True


def _server(host: Connection) -> Iterator[Finding]:
    master = host._live()
    if not isinstance(master, PrivateMaster):
        yield note("master", f"a shared master, process {master.pid}: signals go by process id, and no resizing")
        return
    facts = master.facts
    yield ok("server", f"{facts.version or 'it does not say what it is'}; host key {facts.host_key or 'unknown'}")
    if isinstance(master.backend, ProxyBackend):
        yield ok("master", "commands go through one connection to the master, without a process each")
    else:
        yield warning("master", "this ssh knows no proxy mode, so each command costs more", "Use OpenSSH 7.4 or newer")


def _commands(host: Connection) -> Iterator[Finding]:
    done = host.run("true", timeout=_PATIENCE, encoding=None)
    said = len(done.stdout or b"") + len(done.stderr or b"")
    if done.returncode != 0:
        last = (done.stderr or done.stdout or b"")[-200:]
        words = last.decode("utf-8", "replace") if isinstance(last, bytes) else last
        yield bad(
            "commands",
            f"`true` ended with {done.returncode} ({escaped(words.strip())!r})",
            "Look at the account's login shell, and whether the server forces a command on it (ForceCommand)",
        )
        return
    if said:
        yield warning(
            "commands",
            f"`true` put out {said} bytes: the shell's start-up files print something",
            "Print only in interactive shells (in ~/.bashrc: case $- in *i*) ...;; esac), or scp, rsync and sftp break",
        )
    times = sorted(_time(lambda: host.run("true", timeout=_PATIENCE)) for _ in range(_ROUNDS))
    yield ok(
        "commands", f"a command takes {times[len(times) // 2] * 1000:.1f} ms, the fastest {times[0] * 1000:.1f} ms"
    )


def _time(what: Callable[[], object]) -> float:
    began = monotonic()
    what()
    return monotonic() - began


def _shell(host: Connection) -> Iterator[Finding]:
    said = host.run("printf %s.%s \"$((6*7))\" '$x'", timeout=_PATIENCE).stdout
    if said == "42.$x":
        yield ok("shell", "the account has a POSIX shell: words of a command arrive as they are")
    else:
        yield warning(
            "shell",
            "the account's login shell is no POSIX shell",
            "Words of a command are quoted for POSIX shells: see remote_shell=, or give the account such a shell",
        )


def _signals(host: Connection) -> Iterator[Finding]:
    process = host.popen("sleep 60")
    try:
        process.terminate()
        code = process.wait(_PATIENCE)
    finally:
        process.close()
    if process.signal == "TERM":
        yield ok("signals", "a command can be ended (SIGTERM arrives)")
    else:
        yield warning("signals", f"a command that was sent SIGTERM ended with {code}", "Timeouts may leave it running")


def _sessions(host: Connection) -> Iterator[Finding]:
    """How many sessions the server opens at once. They would end by themselves."""
    running: deque[RemoteProcess] = deque()
    processes = [host.popen("exec sleep 5", stdout=DEVNULL, stderr=DEVNULL, wait=False) for _ in range(_MANY_SESSIONS)]
    for process in processes:
        process.add_start_callback(running.append)
    deadline = Deadline.after(_OPENING)
    try:
        while len(running) < _MANY_SESSIONS and not deadline.passed:
            before = len(running)
            sleep(_PAUSE)
            if running and len(running) == before:
                break  # whoever has not come by now waits for one that has
    finally:
        # Who is closed counts as known, too: who runs is looked at before. Those that wait go first, for they would
        # take the places of the others.
        started = list(running)
        for process in processes:
            if process not in started:
                process.close()
        for process in started:
            process.terminate()
            process.close()
    count = len(started)
    backend = host._live().backend
    if isinstance(backend, ProxyBackend) and backend.signals_work is False:
        count += 1  # the slot that is kept back for ending the others
    if count >= _MANY_SESSIONS:
        yield ok("sessions", f"at least {count} commands may run at once")
    elif count:
        yield note(
            "sessions", f"{count} sessions are open at once; more wait for their turn (MaxSessions in sshd_config)"
        )
    else:
        yield bad("sessions", f"no session was opened within {_OPENING:g} s", "Look at MaxSessions in its sshd_config")


def _sftp(host: Connection) -> Iterator[Finding]:
    try:
        process = host.popen(subsystem="sftp", stdin=PIPE, stdout=PIPE, stderr=PIPE, encoding=None)
    except RequestRefused:
        yield bad("sftp", "the server has no SFTP", _NO_SFTP)
        return
    try:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended already, with a word that is read below
            process.stdin.write(_SFTP_INIT)
            process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        answer = os.read(process.stdout.fileno(), 9) if ready else b""
        if len(answer) == 9 and answer[4] == _SFTP_VERSION:
            yield ok("sftp", f"files can be transferred (SFTP version {int.from_bytes(answer[5:], 'big')})")
        elif answer:
            yield bad(
                "sftp", f"the server's answer is no SFTP: {escaped(answer.decode('latin-1'))!r}", "See commands above"
            )
        else:
            yield bad("sftp", "the server says nothing as SFTP", _NO_SFTP)
    finally:
        process.close()
