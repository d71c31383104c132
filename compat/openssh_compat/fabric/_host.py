"""What a connection is, when it is made and when it ends; what can be done over it is in `connection`."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from invoke.config import Config as InvokeConfig
from invoke.context import Context

import openssh_core

from .. import paramiko
from ._output import Shown
from ._ssh_config import identity_files, known_hosts_files, resolve
from .config import Config
from .exceptions import InvalidV1Env

if TYPE_CHECKING:
    from typing_extensions import Self


__all__ = ["Host"]


class _Client(paramiko.SSHClient):
    """The client of a connection: unlike paramiko's it lets ssh read ssh_config.

    Args:
        manners: see `SSHClient._manners`.
    """

    def __init__(self, manners: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._manners_of_connection = manners

    def _manners(self) -> dict[str, Any]:
        return self._manners_of_connection()


class Host(Context):
    """A host, connected to when something is first done on it. A context manager that closes it.

    Attributes:
        original_host: as it was given, without user and port.
        connect_kwargs: for `SSHClient.connect`: key_filename, password, ...
        connect_timeout: seconds for the login, None for the usual.
        client: what the connection is made with; `transport` is the connection itself.
        shown: where output goes instead of straight to this program's; None for straight.
    """

    # invoke.Context keeps what is not declared here in its configuration.
    original_host: str = ""
    connect_kwargs: dict[str, Any] = {}  # noqa: RUF012
    connect_timeout: float | None = None
    client: paramiko.SSHClient = None  # type: ignore[assignment]  # there from the start
    _given_user: str | None = None
    _given_port: int | None = None
    _given_forward_agent: bool | None = None
    _resolved: dict[str, str] | None = None
    _twin: int = 0
    shown: Shown | None = None
    gateway: Any = None

    def __init__(
        self,
        host: str,
        user: str | None = None,
        port: int | None = None,
        config: InvokeConfig | None = None,
        gateway: Any = None,
        forward_agent: bool | None = None,
        connect_timeout: float | None = None,
        connect_kwargs: Mapping[str, Any] | None = None,
        inline_ssh_env: bool | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            host: `host`, `user@host` or `user@host:port`; a Host alias of ssh_config is fine. IPv6 without port.
            user, port: instead of in the host. Left out, ssh_config decides, then the configuration.
            config: the configuration; fabric's own when left out.
            connect_timeout: seconds for the login.
            connect_kwargs: more for the login: key_filename, password, passphrase, allow_agent, look_for_keys,
                compress, banner_timeout, auth_timeout.
            inline_ssh_env: for fabric's sake; variables are sent as such, and set by the shell where the server takes
                none.
            gateway: another connection to go through, or a ProxyCommand (`%h`, `%p` and `%r` are the host, port and
                user). False: none, whatever ssh_config says; left out, ssh_config decides.
            forward_agent: whether all commands may use this machine's ssh-agent. Left out, ssh_config decides, then the
                configuration.

        Raises:
            ValueError: user or port are given twice.
        """
        super().__init__(config=_as_ours(config))
        self._given_forward_agent = forward_agent
        self.gateway = self.config.gateway if gateway is None else gateway
        name, its_user, its_port = _shorthand(host)
        self.original_host = name
        self._given_user = _only_one("user", its_user, user)
        self._given_port = _only_one("port", its_port, port)
        self.connect_timeout = self.config.timeouts.connect if connect_timeout is None else connect_timeout
        self.connect_kwargs = self._login_arguments(connect_kwargs)
        self.client = _Client(self._manners)

    @classmethod
    def from_v1(cls, env: Any, **kwargs: Any) -> Self:
        """A connection to the host that fabric 1 is at.

        Args:
            env: of fabric 1, or of `openssh_compat.fabric.api`. See `Config.from_v1` for what is taken from it.
            kwargs: for the connection itself; they win over `env`.

        Raises:
            InvalidV1Env: `env.host_string` is empty.
        """
        if not env.host_string:
            raise InvalidV1Env("env.host_string is empty: call Connection.from_v1() where a task of fabric 1 runs")
        kwargs.setdefault("host", env.host_string)
        _, user, port = _shorthand(kwargs["host"])
        # What nobody has chosen is left to ssh_config.
        if user is None and env.user != getpass.getuser():
            kwargs.setdefault("user", env.user)
        if port is None and str(env.port) != "22":
            kwargs.setdefault("port", int(env.port))
        if "config" not in kwargs:
            kwargs["config"] = Config.from_v1(env)
        elif env.key_filename is not None:
            login = dict(kwargs.get("connect_kwargs") or kwargs["config"].connect_kwargs)
            kwargs["connect_kwargs"] = {"key_filename": env.key_filename, **login}
        if env.gateway and "gateway" not in kwargs:
            # A host, in fabric 1; as a string it would be a ProxyCommand here.
            kwargs["gateway"] = cls(env.gateway, config=Config.from_v1(env, overrides={"gateway": None}))
        return cls(**kwargs)

    def resolve_connect_kwargs(self, connect_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
        """What a login is made with: these arguments, or those of the configuration; of key files those of the
        configuration (`fab -i`), of the arguments and of ssh_config, in this order.
        """
        final = self._login_arguments(connect_kwargs)
        keys = _listed(final.pop("key_filename", None))
        keys += [file for file in identity_files(self.ssh_config) if file not in keys]
        return {**final, "key_filename": keys} if keys else final

    def _login_arguments(self, connect_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
        """The same without asking ssh what ssh_config says."""
        final = dict(connect_kwargs or self.config.connect_kwargs)
        keys = _listed(self.config.connect_kwargs.get("key_filename"))
        keys += [file for file in _listed(final.pop("key_filename", None)) if file not in keys]
        return {**final, "key_filename": keys} if keys else final

    def __repr__(self) -> str:
        way = "proxyjump" if isinstance(self.gateway, Host) else "proxycommand" if self.gateway else None
        facts = {"host": self.original_host, "user": self._given_user, "port": self._given_port, "gw": way}
        return f"<Connection {' '.join(f'{name}={value}' for name, value in facts.items() if value is not None)}>"

    def _identity(self) -> tuple[str, str, int, int]:
        return self.original_host, self._given_user or "", self._given_port or 0, self._twin

    def tell_apart(self, number: int) -> None:
        """Be equal only to connections to the same host that have the same number; it is 0 unless a group says so."""
        self._twin = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and self._identity() == other._identity()

    def __lt__(self, other: Host) -> bool:
        return self._identity() < other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    # ---- what it is

    @property
    def ssh_config(self) -> dict[str, str]:
        """What ssh_config says about the host (`ssh -G`), names in lower case."""
        if self._resolved is None:
            self._resolved = resolve(self.original_host, self._config_file())
        return self._resolved

    @property
    def host(self) -> str:
        """The name or address that is connected to: ssh_config's HostName."""
        return self.ssh_config.get("hostname", self.original_host)

    @property
    def user(self) -> str:
        """As whom: given, or by ssh_config, or by the configuration."""
        by_ssh = self.ssh_config.get("user", getpass.getuser())
        by_config: str = self.config.user
        return self._given_user or (by_ssh if by_ssh != getpass.getuser() else by_config)

    @property
    def port(self) -> int:
        """Given, or by ssh_config, or by the configuration."""
        by_ssh = int(self.ssh_config.get("port", 22))
        by_config: int = self.config.port
        return self._given_port or (by_ssh if by_ssh != 22 else by_config)

    @property
    def forward_agent(self) -> bool:
        """Whether commands may use this machine's ssh-agent: given, or by ssh_config, or by the configuration."""
        if self._given_forward_agent is not None:
            return self._given_forward_agent
        return self.ssh_config.get("forwardagent", "no") != "no" or bool(self.config.forward_agent)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        transport = self.transport
        return transport is not None and transport.is_active()

    @property
    def transport(self) -> paramiko.Transport | None:
        """The connection as the paramiko adapter shows it; None without one."""
        return self.client.get_transport()

    @property
    def core(self) -> openssh_core.Connection:
        """The connection itself: everything `openssh_core` can do, this can. Connects if need be."""
        self.open()
        transport = self.transport
        assert transport is not None and transport.connection is not None
        return transport.connection

    def _config_file(self) -> str | None:
        if not self.config.load_ssh_configs:
            return "none"
        path: str | None = self.config.ssh_config_path
        return None if path is None else os.path.expanduser(path)

    def _manners(self) -> dict[str, Any]:
        """Which ssh_config counts, and what happens to a host key that is not on record."""
        manners: dict[str, Any] = {"config_file": self._config_file(), "host_keys": self.config.host_keys}
        if manners["host_keys"] is None:
            strict = self.ssh_config.get("stricthostkeychecking") in ("yes", "true")
            files = known_hosts_files(self.ssh_config)
            # Accepting without a record means to name the files; if they cannot be told, ssh has to do it its way.
            manners["host_keys"] = "strict" if strict else "warn" if files else "accept-new"
            manners["known_hosts"] = None if strict else files or None
        if self.forward_agent:
            manners["forward_agent"] = "always"
        if self.gateway and not isinstance(self.gateway, str):
            manners["gateway"] = self.gateway.core
        return manners

    # ---- the connection

    def open(self) -> None:
        """Log in, unless that was done.

        Raises:
            paramiko.SSHException, NoValidConnectionsError, TimeoutError, socket.gaierror: as `SSHClient.connect`.
        """
        if self.transport is not None:
            return
        for name in ("hostname", "port", "username"):
            if name in self.connect_kwargs:
                raise ValueError(f"Connection: give {name!r} to the connection itself, not in connect_kwargs")
        kwargs = self.resolve_connect_kwargs(self.connect_kwargs)
        limit = self.connect_timeout or self.ssh_config.get("connecttimeout", "none")
        if limit != "none":
            kwargs["timeout"] = float(limit)
        if self.gateway is False:
            kwargs["sock"] = socket.create_connection((self.host, self.port), kwargs.get("timeout"))
        elif isinstance(self.gateway, str):
            kwargs["sock"] = self.open_gateway()
        self.client.connect(self.original_host, username=self.user, port=self.port, **kwargs)

    def open_gateway(self) -> Any:
        """What the gateway leads to: a channel to this host, or a ProxyCommand.

        Raises:
            ValueError: there is no gateway.
        """
        if isinstance(self.gateway, str):
            words = {"%h": self.host, "%p": str(self.port), "%r": self.user, "%%": "%"}
            command = re.sub("%[hpr%]", lambda token: words[token[0]], self.gateway)
            return paramiko.ProxyCommand(command)
        if not self.gateway:
            raise ValueError(f"Connection: {self.original_host} has no gateway")
        self.gateway.open()
        return self.gateway.transport.open_channel("direct-tcpip", (self.host, self.port), ("", 0))

    def close(self) -> None:
        """End the connection. Idempotent; running something connects again."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _as_ours(config: InvokeConfig | None) -> Config:
    """The configuration with fabric's names in it; one that was made for invoke alone lacks them."""
    if config is None:
        return Config()
    if isinstance(config, Config):
        return config
    ours: Any = config.clone(into=Config)
    return cast(Config, ours)


def _shorthand(host: str) -> tuple[str, str | None, int | None]:
    """Host, user and port of `user@host:port`. More than one colon is an IPv6 address, without a port."""
    user, at, rest = host.rpartition("@")
    name, colon, port = rest.partition(":")
    if not colon or ":" in port:
        return rest, user if at else None, None
    if not port.isdecimal():
        raise ValueError(f"Connection: {port!r} in {host!r} is no port")
    return name, user if at else None, int(port)


def _listed(value: Any) -> list[Any]:
    return [] if not value else [value] if isinstance(value, str | os.PathLike) else list(value)


def _only_one(name: str, in_host: Any, given: Any) -> Any:
    if in_host is not None and given is not None:
        raise ValueError(f"Connection: the {name} is given twice, in the host and as an argument")
    return given if in_host is None else in_host
