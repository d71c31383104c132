"""The one place where a command line is made for an ssh(1) that goes through a master, for programs that want one.

ssh falls back silently: with the control socket gone, or the session refused, it logs in anew. So every such command
line carries a guard: it may not become a master itself, and the only way it is given to a server is a program that
fails.

No configuration file is read. Whatever a file says about the login was the master's business; the rest (RemoteCommand,
RequestTTY, SessionType, forwards, a second ControlMaster) can only change what was asked for.
"""

from __future__ import annotations

from .._value import Value
from ..errors import InvalidInput, SSHTooOld
from .argv import check_control_path
from .target import check_host, check_port

__all__ = ["Slave", "slave_argv", "tunnel_to"]

GUARD = (
    ("ControlMaster", "no"),
    # The way to the server of any login that is not through the master. A ProxyJump cannot take its place.
    ("ProxyCommand", "false"),
    ("RemoteCommand", "none"),
    ("PermitLocalCommand", "no"),
    ("ClearAllForwardings", "yes"),
)

# The release from which -W takes the path of a socket.
_SOCKETS_SINCE = (9, 4)


class Slave(Value):
    """What every ssh through one master has in common.

    Attributes:
        control_path: where the master listens.
        host: named on the command line, where it says something only to whoever reads the process list.
        ssh: the program.
        options: checked ssh_config options, `config.check_options` makes them. The guard comes before them.
    """

    control_path: str
    host: str
    ssh: str = "ssh"
    options: tuple[tuple[str, str], ...] = ()

    def program(self) -> list[str]:
        """The program and its options, without a destination: for other programs that run it (`rsync -e`).

        Raises:
            InvalidControlPath, InvalidInput: a part that ssh would not take as it is meant.
        """
        check_control_path(self.control_path)
        if not self.ssh or not self.ssh.isprintable() or self.ssh.startswith("-"):
            raise InvalidInput(f"ssh={self.ssh!r} is no program")
        argv = [self.ssh, "-F", "none", "-S", self.control_path]
        for name, value in (*GUARD, *self.options):
            argv += ["-o", f"{name}={value}"]
        chosen = {name.lower() for name, _value in self.options}
        return argv + [flag for name, flag in (("forwardagent", "-a"), ("forwardx11", "-x")) if name not in chosen]


def slave_argv(
    slave: Slave,
    command: str | None = None,
    *,
    tty: bool | None = None,
    subsystem: str | None = None,
    tunnel: str | None = None,
) -> list[str]:
    """The command line of a session through the master.

    Args:
        command: for the remote shell; None and nothing else given: a login shell.
        tty: True for a terminal in any case, False for none, None as ssh does it: a terminal for a login shell, when
            there is one at home.
        subsystem: the name of one to start instead.
        tunnel: where standard input and output go instead, `tunnel_to` makes it.

    Raises:
        InvalidControlPath, InvalidInput: a part that ssh would not take as it is meant.
    """
    if sum(part is not None for part in (command, subsystem, tunnel)) > 1:
        raise InvalidInput("more than one of command, subsystem= and tunnel= was given", advice="Give one of them")
    argv = slave.program()
    if tunnel is not None:
        argv += ["-W", tunnel]
    elif tty is not None:
        argv.append("-tt" if tty else "-T")
    if subsystem is not None:
        if not subsystem or not subsystem.isprintable():
            raise InvalidInput(f"subsystem={subsystem!r} is no name of one")
        argv.append("-s")
    check_host(slave.host)
    # After the first `--` and a host, ssh takes everything for the command, dashes and all.
    argv += ["--", slave.host]
    # ssh takes an empty word for no command, and would start a login shell.
    last = subsystem if command is None else command or ":"
    return argv if last is None else [*argv, last]


def tunnel_to(host: str, port: int | None, *, version: tuple[int, int] | None) -> str:
    """What follows `-W`.

    Args:
        host: a name or address as the server knows it, or, without a port, the path of a socket there.
        version: of the ssh program, None when it is not known.

    Raises:
        InvalidTarget: it is no host, or no port.
        InvalidInput: it is no path.
        SSHTooOld: this ssh knows no paths there.
    """
    if port is not None:
        check_host(host)
        check_port(port)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not isinstance(host, str) or not host or "\0" in host:
        raise InvalidInput(f"{host!r} is no path of a socket")
    if version is not None and version < _SOCKETS_SINCE:
        raise SSHTooOld(f"this ssh is OpenSSH {version[0]}.{version[1]}; -W takes a socket from 9.4 on")
    path = host if "/" in host else f"./{host}"
    return path.replace("\\", "\\\\").replace(":", "\\:")
