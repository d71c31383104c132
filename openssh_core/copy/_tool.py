"""One run of a program that copies, and what its end means."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from time import sleep

from .._io import program as _program
from .._io.deadline import Deadline
from .._io.program import Finished, TooSlow
from ..errors import ConnectionLost, CopyError, CopyTimeout, OpenRefused, OpenSSHError, ProgramNotFound
from ..results import CompletedCommand

# Seconds a refused session is asked for again: somebody else's may end, or none will ever be there.
PATIENCE = 10.0
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5

# What ssh says when it could not go through the master, and then fails at the guard: to ssh, what is behind a
# ProxyCommand has no name, and how the end of `false` is noticed depends on who is faster.
_REFUSED = re.compile(r"^mux_client_request_session: session request failed: (.*?)\r?$", re.MULTILINE)
_NO_MASTER = re.compile(
    r"^(Control socket connect\(.*|.*\bUNKNOWN port 65535\b.*|mux_client_\w+: .*failed.*?)\r?$",
    re.MULTILINE,
)


class Tool:
    """How to run one program for one host.

    Args:
        name: of the program, for messages.
        host: the destination as the caller named it.
        reason: tells what a status means, given what the program said.
        make_room: called when the server has no session to spare.
        without: variables that would change what the program does.
    """

    def __init__(
        self,
        name: str,
        host: str,
        *,
        reason: Callable[[int, str], str],
        make_room: Callable[[], None],
        without: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._host = host
        self._reason = reason
        self._make_room = make_room
        self._without = without

    def run(
        self,
        argv: Sequence[str],
        timeout: float | None,
        *,
        check: bool,
        on_stdout: Callable[[bytes], None] | None = None,
        clean: Callable[[bytes], bytes] = bytes,
    ) -> CompletedCommand:
        """Run it to its end. A session that the server refuses is asked for again: nothing has happened yet.

        Args:
            timeout: seconds for all of it.
            check: raise when it ends with another status than 0.
            on_stdout: is given its output as it comes.
            clean: makes the output that is kept out of what came.

        Raises:
            ProgramNotFound: there is no such program.
            CopyTimeout: the limit passed.
            OpenRefused: the server has no session for it.
            ConnectionLost: the master is gone.
            CopyError: the program ended with an error.
        """
        deadline = Deadline.after(timeout)
        # A refusal is told as such, so there must be time left for the last attempt.
        patience = Deadline.after(PATIENCE if timeout is None else min(timeout / 2, PATIENCE))
        pause = _FIRST_PAUSE
        while True:
            done = self._run_once(argv, deadline, timeout, on_stdout)
            out, said = clean(done.stdout), _text(done.stderr)
            error = self._ssh_failed(done, said) if done.returncode else None
            if not isinstance(error, OpenRefused) or patience.passed:
                break
            self._make_room()
            sleep(min(pause, patience.left() or 0.0))
            pause = min(2 * pause, _LONGEST_PAUSE)
        if error is not None:
            raise error
        if done.returncode and check:
            raise self._failed(done, _text(out), said)
        return CompletedCommand(list(argv), done.returncode, _text(out), said, None, self._host)

    def _run_once(
        self,
        argv: Sequence[str],
        deadline: Deadline,
        timeout: float | None,
        on_stdout: Callable[[bytes], None] | None,
    ) -> Finished:
        try:
            return _program.run(argv, deadline, without=self._without, on_stdout=on_stdout)
        except OSError as error:
            if error.filename is None:
                raise
            raise not_found(self._name, argv[0], error, self._host) from error
        except TooSlow as late:
            failure = CopyTimeout(
                f"{self._name} did not end within {timeout:g} s and was killed",
                host=self._host,
                program=self._name,
                stdout=_text(late.stdout),
                stderr=_text(late.stderr),
            )
            failure.seconds = timeout or 0.0
            raise failure from None

    def _ssh_failed(self, done: Finished, said: str) -> OpenSSHError | None:
        return ssh_failed(self._name, said, _text(done.stdout), self._host)

    def _failed(self, done: Finished, out: str, said: str) -> CopyError:
        why = self._reason(done.returncode, said)
        how = f"was killed by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
        lines = [line for line in said.splitlines() if line.strip()]
        words = f" ({lines[0].strip()[:200]!r})" if lines and lines[0].strip() != why else ""
        return CopyError(
            f"{self._name} {how}: {why[:300]}{words}",
            host=self._host,
            program=self._name,
            returncode=done.returncode,
            reason=why,
            stdout=out,
            stderr=said,
        )


def ssh_failed(name: str, said: str, out: str, host: str) -> OpenSSHError | None:
    """What the ssh that a program brought along says about the way through the master; None when nothing."""
    if refused := _REFUSED.search(said):
        return OpenRefused(
            f"the server has no session for {name} ({refused[1].strip()})",
            host=host,
            advice="End something that runs there, or raise MaxSessions in its sshd_config",
        )
    if gone := _NO_MASTER.search(said):
        error = ConnectionLost(
            f"{name} had no connection any more ({gone[0].strip()[:200]})", host=host, advice="Connect again"
        )
        error.stdout, error.stderr = out, said
        return error
    return None


def not_found(name: str, program: str, error: OSError, host: str) -> ProgramNotFound:
    """The error for a program that cannot be run."""
    reason = error.strerror or str(error)
    return ProgramNotFound(
        f"{program!r} cannot be run ({reason})",
        host=host,
        advice=f"Install {name}, or say where it is",
        program=name,
        reason=reason,
    )


def beside(ssh: str, name: str) -> str:
    """The program of that name which belongs to this ssh."""
    if "/" in ssh:
        path = os.path.join(os.path.dirname(ssh), name)
        if os.access(path, os.X_OK):
            return path
    return name


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
