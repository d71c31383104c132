"""Command lines for other programs, which then go through the same master."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._cli import quoting
from .._cli.config import Value, check_options
from .._cli.quoting import Word, check_text
from .._cli.slave import Slave, slave_argv, tunnel_to
from .._cli.target import parse_target
from .._io.version import ssh_version
from ..errors import InvalidInput
from .wording import Wording

_NOTHING: Mapping[str, Value] = {}


class External(Wording):
    """The part of a connection that tells other programs how to use it."""

    def make_remote_command(
        self,
        *command: Word | Sequence[Word],
        tty: bool | None = None,
        subsystem: str | None = None,
        tunnel: tuple[str, int] | str | None = None,
        options: Mapping[str, Value] = _NOTHING,
    ) -> list[str]:
        """The command line of an ssh(1) that goes through this connection's master, and never logs in itself.

            subprocess.run(host.make_remote_command("ls", "-l"))

        With the master gone, or no session to be had (MaxSessions), that ssh ends with 255. No configuration file is
        read by it.

        Args:
            command: several words, or one list of words: quoted, as for `run`. One string: passed to the account's
                login shell as it is. Nothing at all: the login shell itself.
            tty: True for a terminal there in any case, False for none, None as ssh decides.
            subsystem: the name of a subsystem to start instead, such as `sftp`.
            tunnel: connect standard input and output to a port seen from the server, (host, port), or to a socket
                there, its path (needs an ssh from 9.4 on).
            options: further options of ssh_config(5). SendEnv, ForwardAgent and ForwardX11 only work where the
                connection was made with them too.

        Raises:
            InvalidInput: one of its subclasses says what cannot be.
            ConnectionClosed: this connection was closed.
        """
        slave = self._slave(options)
        where = None
        if isinstance(tunnel, str):
            where = tunnel_to(tunnel, None, version=ssh_version(slave.ssh))
        elif tunnel is not None:
            where = tunnel_to(*_host_and_port(tunnel), version=None)
        words = self._words(command) if command else None
        if isinstance(words, list):
            words = quoting.quoter(self.defaults.remote_shell or quoting.POSIX).join(words)
        elif isinstance(words, str):
            check_text(words, "the command")
        assert words is None or isinstance(words, str)
        return slave_argv(slave, words, tty=tty, subsystem=subsystem, tunnel=where)

    def _slave(self, options: Mapping[str, Value] = _NOTHING) -> Slave:
        master = self._live()
        return Slave(
            control_path=master.control_path,
            host=parse_target(self.host).host,
            ssh=master.ssh,
            options=check_options(options),
        )


def _host_and_port(tunnel: tuple[str, int]) -> tuple[str, int]:
    try:
        host, port = tunnel
    except (TypeError, ValueError):
        raise InvalidInput(f"tunnel={tunnel!r} is neither (host, port) nor a path") from None
    return host, port
