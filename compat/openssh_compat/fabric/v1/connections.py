"""One connection for each host, made when it is needed and kept until the end."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import openssh_core

from .context import settings
from .state import env
from .utils import abort

__all__ = ["NetworkError", "connection", "disconnect_all", "join_host_strings", "normalize", "password_of"]

Key = tuple[str, str, str]


class NetworkError(Exception):
    """A host could not be reached, or did not let us in; `__cause__` is the core's error."""


def normalize(host_string: str) -> tuple[str, str, str]:
    """User, host and port of `user@host:port`; what is left out comes from `env`. IPv6 with a port: `[::1]:22`."""
    user, at, rest = host_string.rpartition("@")
    port = ""
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    else:
        host = rest
    return user if at else str(env.user or ""), host, port or str(env.port)


def join_host_strings(user: str, host: str, port: str | None = None) -> str:
    """The opposite of `normalize`."""
    shown = f"[{host}]" if ":" in host and port else host
    return f"{user}@{shown}" + (f":{port}" if port else "")


class _Pool:
    """The connections, by user, host and port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Key, openssh_core.Connection] = {}
        self._making: dict[Key, threading.Lock] = {}

    def get(self, key: Key, make: Callable[[], openssh_core.Connection]) -> openssh_core.Connection:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            found = self._open.get(key)
            if found is not None:
                with contextlib.suppress(openssh_core.OpenSSHError):
                    found.check()
                    return found
                found.close()
            self._open[key] = made = make()
            return made

    def close(self) -> None:
        with self._lock:
            found, self._open = list(self._open.values()), {}
        for one in found:
            one.close()


_pool = _Pool()


def connection(host_string: str | None = None) -> openssh_core.Connection:
    """The connection to a host, `env.host_string` unless another is given.

    Raises:
        NetworkError: there is none.
    """
    where = host_string or env.host_string
    if not where:
        if env.abort_on_prompts:
            abort("there is no host to run this on: set env.hosts, or give --hosts")
        where = env.host_string = _ask("No hosts found. Please specify (single) host string for connection: ")
    key = normalize(where)
    try:
        return _pool.get(key, lambda: _log_in(key))
    except openssh_core.OpenSSHError as error:
        raise NetworkError(str(error)) from error


def disconnect_all() -> None:
    """Close every connection."""
    _pool.close()


def _log_in(key: Key) -> openssh_core.Connection:
    user, host, port = key
    options: dict[str, Any] = {"agent": not env.no_agent, "keepalive": int(env.keepalive or 0)}
    by_config = bool(env.use_ssh_config)
    # What nobody has chosen is left to ssh_config, if that counts.
    if not by_config or user != env.local_user:
        options["user"] = user
    if not by_config or port != "22":
        options["port"] = int(port)
    own = os.path.expanduser(env.ssh_config_path) if env.ssh_config_path else None
    options["config_file"] = own if by_config else "none"
    options["connect_timeout"] = float(env.timeout or 10) + 20 * (not env.abort_on_prompts)
    options.update(_host_keys())
    if env.key or env.key_filename:
        options["key"] = env.key or env.key_filename
    options["password"] = password_of(key)
    options["passphrase"] = env.passphrase or password_of(key)
    if int(env.connection_attempts or 1) > 1:
        options["options"] = {"ConnectionAttempts": int(env.connection_attempts)}
    if env.forward_agent:
        options["forward_agent"] = "always"
    if env.gateway:
        with settings(gateway=None):
            options["gateway"] = connection(env.gateway)
    return openssh_core.connect(host, **options)


def _host_keys() -> dict[str, Any]:
    """fabric 1 knows the usual files, and accepts a host that is in none of them without a record."""
    if env.disable_known_hosts:
        return {"host_keys": "warn", "known_hosts": []}
    return {"host_keys": "strict" if env.reject_unknown_hosts else "warn"}


def password_of(key: Key) -> Callable[[str], str | None] | str | None:
    """The password for a host; where none is known a person is asked, if there is one and it is allowed."""
    known = env.passwords.get(join_host_strings(*key)) or env.passwords.get(join_host_strings(*key[:2])) or env.password
    if known:
        return str(known)
    if env.abort_on_prompts or not sys.stdin or not sys.stdin.isatty():
        return None
    return _Asking(key)


class _Asking:
    """Asks a person, once for each question."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def __call__(self, question: str) -> str | None:
        answer = getpass.getpass(f"[{join_host_strings(*self._key)}] {question}")
        env.passwords[join_host_strings(*self._key)] = answer
        return answer


def _ask(question: str) -> str:
    return input(question)
