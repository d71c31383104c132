"""Programs that talk with a person, or with a program that acts as one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from .._cli.quoting import Quoter, Word
from ..errors import ExitStatusMissing, InvalidInput
from ..options import Pty
from ..redirect import SOCKET
from .commands import ENCODING, Commands, Encoding

if TYPE_CHECKING:
    from ..expect import RemoteSpawn


class Terminals(Commands):
    """The part of a connection that deals in terminals."""

    def shell(
        self,
        *command: Word | Sequence[Word],
        term: str | None = None,
        escape: str | None = "~",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        remote_shell: str | Quoter | None = None,
    ) -> int:
        """Hand this program's terminal over to a remote shell, until that ends.

        Its keys go to the other side as they are (Ctrl-C, too), and so does each new size of its window. It is put
        back as it was whatever happens: an exception, a lost connection, SIGTERM. Where standard input is no terminal,
        it is passed on like a file, and there is no terminal on the other side either, as with ssh(1).

        Args:
            command: what to run instead of the account's login shell; as for `run`.
            term: the type of the terminal; default: TERM of the environment.
            escape: a character that, typed at the beginning of a line and followed by a dot, ends this at once, should
                the other side hang; None for none.
            env, cwd, remote_shell: as for `run`.

        Returns:
            The return code, as in `RemoteProcess.returncode`.

        Raises:
            ConnectionLost: the connection ended meanwhile.
            ExitStatusMissing: the server did not say how it ended, or it was left by the escape character.
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        if escape is not None and (len(escape) != 1 or not escape.isascii()):
            raise InvalidInput(f"escape={escape!r} is no single ASCII character")
        for file in (sys.stdout, sys.stderr):
            if file is not None:
                file.flush()
        named: dict[str, Any] = {"env": env, "cwd": cwd, "remote_shell": remote_shell, "encoding": None}
        if not os.isatty(0):
            with self.popen(*command, stdin=0, stdout=1, stderr=2, **named) as process:
                return process.wait()
        from .. import terminal

        pty = terminal.local_pty(0, term)
        with self.popen(*command, stdin=SOCKET, stdout=SOCKET, pty=pty, **named) as process:
            assert process.socket is not None
            keys = terminal.Escape(None if escape is None else escape.encode())
            try:
                terminal.hand_over(
                    process.socket,
                    stdin=0,
                    stdout=1,
                    keys=keys,
                    resized=lambda size: process.resize(size.columns, size.rows),
                )
            except terminal.Left:
                process.close()
                raise ExitStatusMissing("left by the escape character", host=self.host) from None
            except BaseException:
                # The channel's end hangs its terminal up: what runs there gets a SIGHUP.
                process.close()
                raise
            return process.wait()

    def expect(
        self,
        *command: Word | Sequence[Word],
        pty: Pty | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        remote_shell: str | Quoter | None = None,
        encoding: Encoding = ENCODING,
        errors: str | None = None,
        timeout: float | None = 30,
        maxread: int = 2000,
        searchwindowsize: int | None = None,
        logfile: IO[Any] | None = None,
    ) -> RemoteSpawn:
        """Start a command on a remote terminal, to be talked with in the words of pexpect.

            child = host.expect("passwd")
            child.expect("New password: ")
            child.sendline(secret)

        Args:
            command: as for `run`; without one it is the account's login shell.
            pty: its terminal; default: vt100, 80 by 24.
            env, cwd, remote_shell, encoding, errors: as for `run`; with encoding=None everything is bytes.
            timeout: seconds that `expect` waits unless told otherwise; None: for ever.
            maxread, searchwindowsize, logfile: as for `pexpect.spawn`.

        Raises:
            OpenRefused, RequestRefused, InvalidInput: as for `popen`.
        """
        from ..expect import RemoteSpawn

        how = self._coding(encoding, errors)
        terminal = pty or Pty()
        process = self.popen(
            *command,
            stdin=SOCKET,
            stdout=SOCKET,
            pty=terminal,
            env=env,
            cwd=cwd,
            remote_shell=remote_shell,
            encoding=None,
        )
        return RemoteSpawn(
            process,
            terminal,
            timeout=timeout,
            maxread=maxread,
            searchwindowsize=searchwindowsize,
            logfile=logfile,
            encoding=how[0],
            codec_errors=how[1],
        )
