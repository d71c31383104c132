"""What can be asked for, as values that cannot be changed. Nothing here is a secret, and nothing starts anything."""

from __future__ import annotations

import math
from typing import Literal, get_args

from ._value import Value
from .errors import InvalidInput, InvalidSecret

__all__ = ["HostKeys", "MasterOptions", "Pty", "Sudo", "Target"]

HostKeys = Literal["strict", "accept-new", "warn", "config"]
"""What to do about the server's host key.

    strict       it must be on record
    accept-new   a host not on record is recorded; a changed key is refused
    warn         a host not on record is accepted and not recorded; a changed key is refused
    config       whatever ssh_config says
"""

# The kernel keeps each side of a terminal's size in 16 bits.
_LARGEST_SIZE = 0xFFFF


class Target(Value):
    """Where to log in, and as whom. `_cli.target` makes and checks these.

    Attributes:
        host: a name, an address, or a Host alias of ssh_config. IPv6 without brackets.
        user: None leaves it to ssh_config.
        port: None leaves it to ssh_config.
        password: one that stood in the text; never shown.
    """

    host: str
    user: str | None = None
    port: int | None = None
    password: str | None = None

    _hidden = frozenset({"password"})

    def __str__(self) -> str:
        host = self.host
        if self.port is not None:
            host = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        return host if self.user is None else f"{self.user}@{host}"


class Pty(Value):
    """A terminal on the server (RFC 4254 section 6.2).

    Args:
        term: its type, as in TERM.
        columns, rows: its size in characters, 0 to 65535; 0 means unknown.
        width_pixels, height_pixels: its size in pixels, 0 to 65535; 0 means unknown.

    Raises:
        InvalidInput: for a size or a type that no terminal has.
    """

    term: str = "vt100"
    columns: int = 80
    rows: int = 24
    width_pixels: int = 0
    height_pixels: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.term, str) or not self.term or not self.term.isascii() or not self.term.isprintable():
            raise InvalidInput(f"term={self.term!r} is no type of terminal")
        for name in ("columns", "rows", "width_pixels", "height_pixels"):
            size = getattr(self, name)
            if not _is_int(size) or not 0 <= size <= _LARGEST_SIZE:
                raise InvalidInput(f"{name}={size!r} is no size of a terminal (0 to {_LARGEST_SIZE})")


class StageTimeouts(Value):
    """How long each stage of a login may take, for `stage_timeouts=` of `connect`. What is left out has no limit.

    ssh tells its stages since 8.5; with an older one, and with `login_handler=`, all of them together may take as long
    as their sum. The time in which a function of yours answers a question does not count.

    Args:
        connection: seconds until there is a connection: the name resolved, TCP connected.
        greeting: seconds until the server has said its version (RFC 4253 section 4.2).
        handshake: seconds until keys are exchanged, and the host key is known.
        login: seconds until the server has let us in.

    Raises:
        InvalidInput: for what is no number of seconds above 0.
    """

    connection: float | None = None
    greeting: float | None = None
    handshake: float | None = None
    login: float | None = None

    def __post_init__(self) -> None:
        for name, seconds in self.ordered().items():
            if not _is_duration(seconds):
                raise InvalidInput(f"{name}={seconds!r} is no number of seconds above 0")

    def ordered(self) -> dict[str, float]:
        """Those that there are, in their order."""
        named = {name: getattr(self, name) for name in ("connection", "greeting", "handshake", "login")}
        return {name: seconds for name, seconds in named.items() if seconds is not None}


class Sudo(Value):
    """Have sudo(8) run a command as somebody else: for `sudo=` of `run` and `popen`.

    The password goes to sudo's own prompt, through standard input, and to nothing else: it is in no command line, no
    environment and no log. The command's own input follows when sudo has started it. A directory and variables are set
    behind sudo, as the other user; variables can be seen in the process list and sudo's log there.

    What runs as another user takes no signals from this one: a command that a limit has ended may still run there.

    Args:
        password: the account's own, which sudo asks for; never shown. None where sudoers(5) asks for none.
        user: whom to become.

    Raises:
        InvalidSecret: a password that cannot be typed.
        InvalidInput: a user's name that cannot be one.
    """

    password: str | None = None
    user: str = "root"

    _hidden = frozenset({"password"})

    def __post_init__(self) -> None:
        if self.password is not None and (not isinstance(self.password, str) or set(self.password) & set("\0\r\n")):
            raise InvalidSecret("a password is one line of text")
        if not isinstance(self.user, str) or not self.user or self.user.startswith("-") or not self.user.isprintable():
            raise InvalidInput(f"user={self.user!r} is no name of a user")


class MasterOptions(Value):
    """Everything that decides how a master is started.

    Args:
        target: where to log in. A password in it is left out: secrets travel another way.
        keys: private key files to offer, or public ones whose private part an agent has; with any, only these and
            those of ssh_config are offered.
        certificates: files with certificates for the keys.
        agent: False keeps ssh from asking an agent for keys.
        identity_agent: the socket of the agent to ask instead of the user's.
        host_keys: see `HostKeys`; and `ask`, where the answer to ssh's question decides.
        host_key_reporter: a script that is told each host key, for `ask`.
        known_hosts: files to use instead of the user's and the system's; None for those.
        user_known_hosts: where ssh looks when nobody says otherwise; needed by `warn` and `ask` without known_hosts.
        connect_timeout: seconds until a connection must stand (rounded up); None leaves it to ssh_config.
        keepalive: seconds of silence after which the server is asked for a sign of life; three such questions in
            a row without an answer end the connection. 0 never asks.
        config_file: read instead of the user's and the system's configuration; "none" reads nothing.
        options: checked ssh_config options, `_cli.config.check_options` makes them.
        ssh: the program; looked for in PATH when there is no slash in it.
        ssh_version: of that program, as (9, 2), from `ssh -V`. None when it is not known.
        askpass: whether somebody will answer ssh's questions. Without, ssh never asks.
        dialogue: whether somebody talks with ssh on a terminal.
        forward_agent, forward_x11: whether sessions may ask for the agent and the display.
        forwarded_agent: the socket of the agent for the sessions, where the login uses another one, or none.
        proxy: the command that hands ssh a connected socket (ProxyUseFdpass); empty lets ssh connect itself.
        persist: seconds the master outlives its last user, at least 1.
        home: the user's home directory, for `~` in paths.

    Raises:
        InvalidInput: for a value that cannot be; names and paths are checked where the command line is built.
    """

    target: Target
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    agent: bool = True
    identity_agent: str | None = None
    host_keys: HostKeys | Literal["ask"] = "strict"
    host_key_reporter: str | None = None
    known_hosts: tuple[str, ...] | None = None
    user_known_hosts: tuple[str, ...] | None = None
    connect_timeout: float | None = 30.0
    keepalive: float = 15
    config_file: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    ssh: str = "ssh"
    ssh_version: tuple[int, int] | None = None
    askpass: bool = False
    dialogue: bool = False
    forward_agent: bool = False
    forward_x11: bool = False
    forwarded_agent: str = ""
    proxy: str = ""
    persist: int = 5
    home: str = ""

    def __post_init__(self) -> None:
        if self.host_keys not in (*get_args(HostKeys), "ask"):
            raise InvalidInput(f"host_keys={self.host_keys!r} is none of {', '.join(get_args(HostKeys))}")
        if self.connect_timeout is not None and not _is_duration(self.connect_timeout):
            raise InvalidInput(f"connect_timeout={self.connect_timeout!r} is no number of seconds above 0")
        if not _is_duration(self.keepalive) and self.keepalive != 0:
            raise InvalidInput(f"keepalive={self.keepalive!r} is no number of seconds from 0 on")
        # ssh takes ControlPersist=0 for "for ever".
        if not _is_int(self.persist) or self.persist < 1:
            raise InvalidInput(f"persist={self.persist!r} is no whole number of seconds from 1 on")
        if self.target.password is not None:
            self._set(target=self.target.replace(password=None))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_duration(value: object) -> bool:
    """Whether it is a number of seconds. NaN compares with nothing, so it is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
