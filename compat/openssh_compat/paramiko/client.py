"""SSHClient and the host key policies."""

from __future__ import annotations

import getpass
import os
import warnings
from collections.abc import Mapping
from typing import Any

import openssh_core

from .._shim import not_yet, refuse
from ._failures import connect_error
from ._login import KeyFiles, Login
from ._trust import Trust
from .channel import ChannelFile, ChannelStderrFile, ChannelStdinFile
from .pkey import PKey
from .ssh_exception import SSHException
from .transport import Transport
from .util import ClosingContextManager

__all__ = ["AutoAddPolicy", "MissingHostKeyPolicy", "RejectPolicy", "SSHClient", "WarningPolicy"]

SSH_PORT = 22


class MissingHostKeyPolicy:
    """What happens to a host key that is not on record. This one accepts it, and remembers nothing.

    ssh(1) decides by these, so `missing_host_key` is never called, and one of your own is refused for now.
    """

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Stands for: accept it."""


class AutoAddPolicy(MissingHostKeyPolicy):
    """Accept the key and record it: in the file of `load_host_keys`, or for the life of this client."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Stands for: accept and record it."""


class RejectPolicy(MissingHostKeyPolicy):
    """Refuse the connection. The default."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Stands for: refuse it."""


class WarningPolicy(MissingHostKeyPolicy):
    """Accept the key with a warning (module `warnings`), and remember nothing."""

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Stands for: accept it with a warning."""


_POLICIES = {
    MissingHostKeyPolicy.missing_host_key: "accept",
    AutoAddPolicy.missing_host_key: "record",
    RejectPolicy.missing_host_key: "strict",
    WarningPolicy.missing_host_key: "warn",
}


class SSHClient(ClosingContextManager):
    """A connection to one host, and commands on it. A context manager; thread-safe once connected."""

    def __init__(self) -> None:
        self._transport: Transport | None = None
        self._trust = Trust()

    # ---- host keys

    def load_system_host_keys(self, filename: str | os.PathLike[str] | None = None) -> None:
        """Know the hosts of a file that is only read: ~/.ssh/known_hosts when none is named (it may be missing).

        Raises:
            OSError: the file that was named cannot be read.
        """
        if filename is None:
            path = os.path.expanduser("~/.ssh/known_hosts")
            if not os.access(path, os.R_OK):
                return
        else:
            path = os.path.expanduser(os.fspath(filename))
            _check_readable(path)
        self._trust.system.append(path)

    def load_host_keys(self, filename: str | os.PathLike[str]) -> None:
        """Know the hosts of a file, and let AutoAddPolicy write to it.

        Raises:
            OSError: it cannot be read; it is written to all the same.
        """
        path = os.path.expanduser(os.fspath(filename))
        self._trust.own.insert(0, path)
        _check_readable(path)

    def set_missing_host_key_policy(self, policy: type[MissingHostKeyPolicy] | MissingHostKeyPolicy) -> None:
        """What happens to a host key that is not on record: one of the policies of this module, or its class.

        Raises:
            NotImplementedError: for a policy with a `missing_host_key` of its own.
        """
        kind = policy if isinstance(policy, type) else type(policy)
        own: Any = getattr(kind, "missing_host_key", None)
        known = _POLICIES.get(own)
        if known is None:
            raise NotImplementedError(
                "set_missing_host_key_policy: a policy with a missing_host_key() of its own is not supported by this "
                "version of openssh_compat; use RejectPolicy, AutoAddPolicy or WarningPolicy"
            )
        self._trust.policy = known

    # ---- the connection

    def connect(
        self,
        hostname: str,
        port: int = SSH_PORT,
        username: str | None = None,
        password: str | None = None,
        pkey: Any = None,
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
        disabled_algorithms: Any = None,
        transport_factory: Any = None,
        auth_strategy: Any = None,
    ) -> None:
        """Connect and log in. As in paramiko, no ssh_config is read.

        Args:
            hostname, port: where to.
            username: as whom; the local user when left out.
            password: the account's; also tried as passphrase when there is none.
            key_filename: private key file(s), tried first.
            passphrase: theirs.
            allow_agent, look_for_keys: whether to try the agent's keys, and those in ~/.ssh.
            timeout: seconds for all of it, greeting and login included; when left out, 30 s are added for the
                connection to `banner_timeout` (15) and `auth_timeout` (30).
            compress: whether to compress.
            pkey, sock, gss_..., channel_timeout, disabled_algorithms, transport_factory, auth_strategy: not supported
                by this version, and refused.

        Raises:
            BadHostKeyException: the server shows another key than the one on record.
            AuthenticationException: it did not let us in.
            SSHException: anything else about SSH.
            NoValidConnectionsError, TimeoutError, socket.gaierror, OSError: there is no connection to it.
            NotImplementedError: an argument that is not supported.
        """
        refuse(
            "connect",
            pkey=(pkey, None),
            sock=(sock, None),
            gss_auth=(gss_auth, False),
            gss_kex=(gss_kex, False),
            gss_deleg_creds=(gss_deleg_creds, True),
            gss_host=(gss_host, None),
            gss_trust_dns=(gss_trust_dns, True),
            channel_timeout=(channel_timeout, None),
            disabled_algorithms=(disabled_algorithms, None),
            transport_factory=(transport_factory, None),
            auth_strategy=(auth_strategy, None),
        )
        login = Login(
            password=password,
            passphrase=passphrase,
            key_filename=key_filename,
            allow_agent=allow_agent,
            look_for_keys=look_for_keys,
            compress=compress,
            timeout=timeout,
            banner_timeout=banner_timeout,
            auth_timeout=auth_timeout,
        )
        self._transport = Transport(self._log_in(hostname, port, username or getpass.getuser(), login))

    def _manners(self) -> dict[str, Any]:
        """Which configuration counts, and what is thought of host keys: arguments for `openssh_core.connect`."""
        return {"config_file": "none", **self._trust.prepare(self)}

    def _log_in(self, hostname: str, port: int, username: str, login: Login) -> openssh_core.Connection:
        target = f"[{hostname}]" if ":" in hostname else hostname
        options = {**login.options(), **self._manners()}
        try:
            connection = openssh_core.connect(target, user=username, port=port, **options)
        except openssh_core.ConnectError as error:
            raise connect_error(error, hostname, port, tried=login.tried(), locked=login.locked()) from error
        for key in self._trust.passing_keys():
            if self._trust.policy == "warn":
                name = hostname if port == SSH_PORT else f"[{hostname}]:{port}"
                warnings.warn(f"Unknown {key.get_name()} host key for {name}: {key.fingerprint}", stacklevel=3)
        return connection

    def get_transport(self) -> Transport | None:
        """The connection; None before `connect` and after `close`."""
        return self._transport

    def close(self) -> None:
        """End the connection. Commands that still run are not signalled. Idempotent."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    # ---- commands

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
            timeout: seconds that reading and writing may wait (TimeoutError); not a limit for the command.
            get_pty: whether it gets a terminal (vt100, 80 by 24); everything comes on stdout then.
            environment: variables for it. What the server does not take is set by the shell.

        Returns:
            stdin, stdout, stderr; each has the `channel`, with `recv_exit_status()`.

        Raises:
            ChannelException: the server opens no session.
            SSHException: it does not run the command, or there is no connection.
        """
        if self._transport is None:
            raise SSHException("SSH session not active")
        text = command.decode("utf-8", "surrogateescape") if isinstance(command, bytes) else command
        channel = self._transport.start(text, openssh_core.Pty() if get_pty else None, environment)
        channel.settimeout(timeout)
        return (
            channel.makefile_stdin("wb", bufsize),
            channel.makefile("r", bufsize),
            channel.makefile_stderr("r", bufsize),
        )

    invoke_shell = not_yet("SSHClient.invoke_shell")
    open_sftp = not_yet("SSHClient.open_sftp")
    get_host_keys = not_yet("SSHClient.get_host_keys")
    save_host_keys = not_yet("SSHClient.save_host_keys")
    set_log_channel = not_yet("SSHClient.set_log_channel")


def _check_readable(path: str) -> None:
    with open(path, "rb"):
        pass
