"""SSHClient: one host, with everything that usually goes together."""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from openssh_core import AuthenticationError, ConnectError, HostKeyChanged

from . import _way
from ._failures import connect_error
from ._host_key import FingerprintKey, from_core
from ._lent import lend
from ._login import Credentials, KeyFiles, paths_of
from ._policies import AutoAddPolicy, MissingHostKeyPolicy, RejectPolicy, WarningPolicy
from ._transport_options import gss_options
from ._trust import Trust
from .channel import Channel, ChannelFile, ChannelStderrFile, ChannelStdinFile
from .common import SSH_PORT
from .hostkeys import HostKeys
from .pkey import PKey
from .ssh_exception import BadHostKeyException, NoValidConnectionsError, SSHException
from .transport import Transport
from .util import ClosingContextManager

if TYPE_CHECKING:
    from .sftp_client import SFTPClient

__all__ = ["AutoAddPolicy", "MissingHostKeyPolicy", "RejectPolicy", "SSHClient", "WarningPolicy"]

# Seconds for the TCP connection when nobody says otherwise. (paramiko leaves that to the kernel.)
_TCP_TIMEOUT = 30.0


class SSHClient(ClosingContextManager):
    """A connection to one host, and commands on it. A context manager; thread-safe once connected.

    Attributes:
        forward_agent: set it before `connect`, or in a subclass, and channels that ask for it (`AgentRequestHandler`,
            `request_forward_agent`) may use our agent. paramiko needs no such word; ssh has to be told when it
            connects, and a server that may use the agent is one you trust.
        forward_x11: the same for our display (`Channel.request_x11`). It is forwarded as paramiko does it, trusted:
            what runs on the server can see every window and every key.
    """

    forward_agent = False
    forward_x11 = False

    def __init__(self) -> None:
        self._system_host_keys = HostKeys()
        self._host_keys = HostKeys()
        self._host_keys_filename: str | os.PathLike[str] | None = None
        self._log_channel: str | None = None
        self._policy: MissingHostKeyPolicy = RejectPolicy()
        self._transport: Transport | None = None

    # ---- host keys

    def load_system_host_keys(self, filename: str | os.PathLike[str] | None = None) -> None:
        """Know the hosts of a file that is only read: ~/.ssh/known_hosts when none is named (it may be missing).

        Raises:
            OSError: the file that was named cannot be read.
        """
        if filename is None:
            with contextlib.suppress(OSError):
                self._system_host_keys.load(os.path.expanduser("~/.ssh/known_hosts"))
        else:
            self._system_host_keys.load(filename)

    def load_host_keys(self, filename: str | os.PathLike[str]) -> None:
        """Know the hosts of a file, and let AutoAddPolicy write to it.

        Raises:
            OSError: it cannot be read; it is written to all the same.
        """
        self._host_keys_filename = filename
        self._host_keys.load(filename)

    def save_host_keys(self, filename: str | os.PathLike[str]) -> None:
        """Write the host keys to a file, but for those of `load_system_host_keys`. What is in it stays there.

        Raises:
            OSError: it cannot be written.
        """
        there = HostKeys()
        with contextlib.suppress(FileNotFoundError):
            there.load(filename)
        lines = "".join(
            f"{name} {key.get_name()} {key.get_base64()}\n"
            for name, keys in self._host_keys.items()
            for key in keys.values()
            if not there.check(name, key)
        )
        with open(filename, "a+", encoding="utf-8", errors="surrogateescape") as file:
            file.seek(0)
            text = file.read()
            file.write(lines if not text or text.endswith("\n") else f"\n{lines}")

    def get_host_keys(self) -> HostKeys:
        """What is known, but for `load_system_host_keys`. Changing it changes what is trusted."""
        return self._host_keys

    def set_missing_host_key_policy(self, policy: type[MissingHostKeyPolicy] | MissingHostKeyPolicy) -> None:
        """What happens to a host key that is not on record: a policy, or its class."""
        self._policy = policy() if isinstance(policy, type) else policy

    def set_log_channel(self, name: str) -> None:
        """Have messages logged under another name than `paramiko.transport`. Before `connect`."""
        self._log_channel = name

    # ---- the connection

    def connect(
        self,
        hostname: str,
        port: int = SSH_PORT,
        username: str | None = None,
        password: str | None = None,
        pkey: PKey | None = None,
        key_filename: KeyFiles = None,
        timeout: float | None = None,
        allow_agent: bool = True,
        look_for_keys: bool = True,
        compress: bool = False,
        sock: Any = None,
        gss_auth: bool = False,
        gss_kex: bool = False,
        gss_deleg_creds: bool = True,
        gss_host: str | None = None,
        banner_timeout: float | None = None,
        auth_timeout: float | None = None,
        channel_timeout: float | None = None,
        gss_trust_dns: bool = True,
        passphrase: str | None = None,
        disabled_algorithms: Mapping[str, Iterable[str]] | None = None,
        transport_factory: Callable[..., Transport] | None = None,
        auth_strategy: Any = None,
    ) -> Any:
        """Connect and log in. As in paramiko, no ssh_config is read.

        Args:
            hostname, port: where to.
            username: as whom; the local user when left out.
            password: the account's; also tried as passphrase when there is none.
            pkey: a key object, tried first.
            key_filename: private key file(s), tried next.
            passphrase: theirs.
            allow_agent, look_for_keys: whether to try the agent's keys, and those in ~/.ssh.
            timeout: seconds until there is a connection (30 when left out), and at most so many for the greeting, and
                for the exchange of keys.
            banner_timeout: seconds until the server has said its version (15 when left out).
            auth_timeout: seconds until it has let us in, from when keys are exchanged (30 when left out).
            compress: whether to compress.
            sock: what to go over instead of a connection of its own: a socket, a `Channel` (of a jump host), a
                `ProxyCommand`, or what behaves like a socket.
            gss_auth, gss_kex, gss_deleg_creds, gss_host, gss_trust_dns: GSSAPI, by ssh.
            channel_timeout: seconds a tunnel or a session may take to open (an hour when left out).
            disabled_algorithms: names by kind (`ciphers`, `macs`, `keys`, `pubkeys`, `kex`) that ssh is not to use.
            transport_factory: makes the transport, from a socket and `disabled_algorithms`.
            auth_strategy: its `authenticate(transport)` logs in, and what that returns is returned.

        Raises:
            BadHostKeyException: the server shows another key than the one on record.
            AuthenticationException: it did not let us in.
            SSHException: anything else about SSH.
            NoValidConnectionsError, TimeoutError, socket.gaierror, OSError: there is no connection to it.
        """
        port = int(port)
        trust = Trust(hostname, port, (self._system_host_keys, self._host_keys), self._ask_policy)
        in_steps = transport_factory or auth_strategy or type(self)._auth is not SSHClient._auth
        if sock is None and in_steps:
            way = _way.given(_dial(hostname, port, timeout), hostname, port)
        else:
            way = _way.direct(hostname, port) if sock is None else _way.given(sock, hostname, port)
        make: Callable[..., Transport] = transport_factory or Transport
        transport = self._transport = make(way, disabled_algorithms=disabled_algorithms)
        transport.forward_agent = self.forward_agent
        transport.forward_x11 = self.forward_x11
        _settle(transport, compress, banner_timeout, auth_timeout, channel_timeout)
        if self._log_channel is not None:
            transport.set_log_channel(self._log_channel)
        if gss_auth or gss_kex:
            transport.add_options(gss_options(gss_auth, gss_kex, gss_deleg_creds, gss_host, gss_trust_dns))
        transport.trust(trust, self._manners())
        try:
            if in_steps:
                self._greet(transport, trust, timeout)
            if auth_strategy is not None:
                return auth_strategy.authenticate(transport=transport)
            files = paths_of(key_filename)
            user = username or getpass.getuser()
            if in_steps:
                return self._auth(user, password, pkey, files, allow_agent, look_for_keys, passphrase)
            credentials = _credentials(password, passphrase, files, pkey, allow_agent, look_for_keys)
            return self._log_in(transport, trust, user, credentials, timeout)
        except BaseException:
            self.close()
            raise

    def _manners(self) -> dict[str, Any]:
        """Which configuration counts, and what is thought of host keys, where that is not as in paramiko: arguments for
        `openssh_core.connect`.
        """
        return {}

    def _ask_policy(self, name: str, key: PKey) -> None:
        self._policy.missing_host_key(self, name, key)

    def _greet(self, transport: Transport, trust: Trust, timeout: float | None) -> None:
        transport.start_client(timeout=timeout)
        try:
            key = transport.get_remote_server_key()
        except SSHException:
            return  # there is one go only: the login will look at it
        trust.check(key)

    def _log_in(
        self, transport: Transport, trust: Trust, username: str, credentials: Credentials, timeout: float | None
    ) -> None:
        while True:
            try:
                return transport.log_in(username, credentials, timeout)
            except ConnectError as error:
                if trust.error is not None:
                    raise trust.error from None
                refused = isinstance(error, AuthenticationError)
                rest = credentials.without_keys_in_memory() if refused else None
                if rest is None:
                    raise _explained(error, transport, trust, credentials) from error
                credentials = rest

    def _auth(
        self,
        username: str,
        password: str | None,
        pkey: PKey | None,
        key_filenames: list[str],
        allow_agent: bool,
        look_for_keys: bool,
        passphrase: str | None,
    ) -> None:
        """Log in over `self._transport`. Programs replace this in subclasses; then `connect` goes step by step."""
        transport = self._transport
        assert transport is not None
        transport.log_in_with(
            username, _credentials(password, passphrase, key_filenames, pkey, allow_agent, look_for_keys)
        )

    def get_transport(self) -> Transport | None:
        """The connection; None before `connect` and after `close`."""
        return self._transport

    def close(self) -> None:
        """End the connection. Commands that still run are not signalled. Idempotent."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    # ---- what it is for

    def _open_session(self, timeout: float | None = None) -> Channel:
        if self._transport is None:
            raise SSHException("SSH session not active")
        return self._transport.session(timeout)

    def exec_command(
        self,
        command: str | bytes,
        bufsize: int = -1,
        timeout: float | None = None,
        get_pty: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[ChannelStdinFile, ChannelFile, ChannelStderrFile]:
        """Start a command.

        Args:
            command: for the login shell, as it is.
            bufsize: of the three files: 1 for line buffered, more for a size in bytes, otherwise nothing waits.
            timeout: seconds that reading and writing may wait (TimeoutError), and that may pass until the server has a
                session for it; not a limit for the command.
            get_pty: whether it gets a terminal (vt100, 80 by 24); everything comes on stdout then.
            environment: variables for it. What the server does not take is set by the shell.

        Returns:
            stdin, stdout, stderr; each has the `channel`, with `recv_exit_status()`.

        Raises:
            ChannelException: the server opens no session, or has none left (`MaxSessions`) in time.
            SSHException: it does not run the command, or there is no connection.
        """
        channel = self._open_session(timeout)
        if get_pty:
            channel.get_pty()
        channel.settimeout(timeout)
        if environment:
            channel.update_environment(environment)
        channel.exec_command(command)
        return (
            channel.makefile_stdin("wb", bufsize),
            channel.makefile("r", bufsize),
            channel.makefile_stderr("r", bufsize),
        )

    def invoke_shell(
        self,
        term: str = "vt100",
        width: int = 80,
        height: int = 24,
        width_pixels: int = 0,
        height_pixels: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> Channel:
        """The account's shell on a terminal.

        Args:
            term: the type of the terminal.
            width, height: in characters; width_pixels, height_pixels: in pixels.
            environment: variables for it. (paramiko ignores them.)

        Raises:
            ChannelException, SSHException: as `exec_command`.
        """
        channel = self._open_session()
        channel.get_pty(term, width, height, width_pixels, height_pixels)
        if environment:
            channel.update_environment(environment)
        channel.invoke_shell()
        return channel

    def open_sftp(self) -> SFTPClient:
        """A client for files.

        Raises:
            ChannelException, SSHException: the server opens none.
        """
        if self._transport is None:
            raise SSHException("SSH session not active")
        return self._transport.open_sftp_client()

    def _log(self, level: int, msg: str) -> None:
        if self._transport is not None:
            self._transport._log(level, msg)


def _credentials(
    password: str | None,
    passphrase: str | None,
    key_files: list[str],
    pkey: PKey | None,
    allow_agent: bool,
    look_for_keys: bool,
) -> Credentials:
    return Credentials(
        password=password,
        passphrase=passphrase,
        key_filename=key_files or None,
        pkeys=() if pkey is None else (pkey,),
        agent=allow_agent,
        defaults=look_for_keys,
    )


def _settle(
    transport: Transport,
    compress: bool,
    banner_timeout: float | None,
    auth_timeout: float | None,
    channel_timeout: float | None,
) -> None:
    if compress:
        transport.use_compression(True)
    for name, value in (
        ("banner_timeout", banner_timeout),
        ("auth_timeout", auth_timeout),
        ("channel_timeout", channel_timeout),
    ):
        if value is not None:
            setattr(transport, name, value)


def _dial(hostname: str, port: int, timeout: float | None) -> socket.socket:
    """A TCP connection, as paramiko makes it.

    Raises:
        NoValidConnectionsError: no address of the host takes it.
        OSError: the name does not resolve, or something else is wrong.
    """
    errors: dict[tuple[Any, ...], Exception] = {}
    for *_, address in socket.getaddrinfo(hostname, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address[0]), port), timeout or _TCP_TIMEOUT)
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
                raise
            errors[(address[0], port)] = error
    raise NoValidConnectionsError(errors)


def _explained(error: ConnectError, transport: Transport, trust: Trust, credentials: Credentials) -> Exception:
    if isinstance(error, HostKeyChanged):
        shown = FingerprintKey(error.fingerprint) if error.key is None else from_core(error.key)
        return BadHostKeyException(trust.hostname, shown, trust.expected(shown.get_name()) or FingerprintKey())
    host, port = trust.hostname, transport.port
    return connect_error(error, host, port, tried=credentials.tried(), locked=credentials.locked())


lend(__name__)
