"""Logging in: what `connect` was told becomes a master, and that a connection."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping, Sequence

from .._cli.config import check_options
from .._cli.target import parse_target
from .._io.deadline import Deadline, check_seconds
from .._io.secrets import Secret, Secrets
from ..defaults import Defaults
from ..master import Master
from ..options import HostKeys, MasterOptions
from ..starting import adopt_master, start_master
from .front import Connection

_NO_DEFAULTS = Defaults()


def connect(
    target: str,
    *,
    user: str | None = None,
    port: int | None = None,
    key: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    password: Secret = None,
    passphrase: Secret = None,
    agent: bool = True,
    host_keys: HostKeys = "strict",
    known_hosts: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    connect_timeout: float | None = 30.0,
    config_file: str | os.PathLike[str] | None = None,
    control_dir: str | os.PathLike[str] | None = None,
    control_path: str | os.PathLike[str] | None = None,
    options: Mapping[str, str | int | bool | Sequence[str]] | None = None,
    ssh: str = "ssh",
    keepalive: int = 15,
    spare: bool = True,
    encoding: str | None = "utf-8",
    errors: str = "surrogateescape",
    defaults: Defaults = _NO_DEFAULTS,
) -> Connection:
    """Log in to a host.

    Args:
        target: `host`, `user@host:port`, a Host alias of ssh_config, or an ssh:// URL.
        user, port: instead of in the target.
        key: private key file(s); nothing else is offered then, but for what the agent has of them.
        password, passphrase: the secret, or a callable that is given ssh's question and returns the answer (or None).
            Without either ssh asks nothing (BatchMode).
        agent: False to leave the ssh-agent out.
        host_keys: what happens to a host key that is in no known_hosts file: `strict` refuses it, `accept-new`
            records it, `warn` accepts it unrecorded, `config` leaves it to ssh_config. A changed key is never accepted,
            but by `config` where ssh_config says so.
        known_hosts: file(s) to use instead of the usual ones.
        connect_timeout: seconds for all of it, login and questions included; None for no limit.
        config_file: instead of ~/.ssh/config and the system's; `none` for no configuration at all.
        control_dir: an existing directory of yours for the control socket's own private directory.
        control_path: take up the master that listens there, instead of starting one; it will not be ended by us.
        options: further options of ssh_config(5).
        ssh: the ssh program.
        keepalive: seconds of silence after which ssh asks the server whether it is still there; three times
            unanswered ends the connection.
        spare: keep one session open in advance, which saves a round trip for each command.
        encoding, errors: how output is made into text; encoding=None gives bytes.
        defaults: what commands get unless a call says otherwise.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: one of its subclasses says what cannot be; nothing was started.
    """
    where = parse_target(target, user=user, port=port)
    if connect_timeout is not None:
        check_seconds(connect_timeout, "connect_timeout")
    deadline = Deadline.after(connect_timeout)
    name = str(where)
    if control_path is not None:
        master: Master = adopt_master(os.fspath(control_path), name, deadline, ssh=ssh)
        return _connection(master, name, encoding, errors, defaults)
    secrets = Secrets(where.password if password is None else password, passphrase)
    master_options = MasterOptions(
        target=where,
        keys=_paths(key),
        agent=agent,
        host_keys=host_keys,
        known_hosts=None if known_hosts is None else _paths(known_hosts),
        connect_timeout=connect_timeout,
        config_file=None if config_file is None else os.fspath(config_file),
        options=check_options(options or {}),
        ssh=ssh,
        keepalive=keepalive,
        askpass=bool(secrets),
        home=_home(),
    )
    directory = None if control_dir is None else os.fspath(control_dir)
    started = start_master(master_options, secrets, deadline, host=name, control_dir=directory, spare=spare)
    return _connection(started, name, encoding, errors, defaults)


def _connection(master: Master, name: str, encoding: str | None, errors: str, defaults: Defaults) -> Connection:
    connection = Connection(master, name, encoding=encoding, errors=errors)
    connection.defaults = defaults
    return connection


def _home() -> str:
    # ssh(1) goes by the password file, not by $HOME.
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def _paths(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str | os.PathLike):
        return (os.path.abspath(os.path.expanduser(given)),)
    return tuple(os.path.abspath(os.path.expanduser(path)) for path in given)
