"""Logging in, step by step.

ssh(1) does all of it in one go, so each step here is a go of its own: `start_client` connects, looks at the host key
and leaves; each `auth_...` logs in with what it is given, and with what was accepted before as a part.
"""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable, Sequence
from typing import Any

import openssh_core
from openssh_core import AuthenticationError, ConnectError, Prompt

from ._host_key import from_core
from ._login import Credentials
from ._transport_greeting import Greeting
from ._transport_options import SecurityOptions, gss_options
from .common import INFO
from .pkey import PKey
from .ssh_exception import BadAuthenticationType, SSHException

__all__ = ["Authentication", "SecurityOptions"]

# (title, instructions, [(prompt, whether the answer may be shown)]) -> answers
Handler = Callable[[str, str, "list[tuple[str, bool]]"], Sequence[str]]


class Authentication(Greeting):
    """The part of a transport that logs in."""

    _username: str | None = None
    _parts: Credentials | None = None
    _taken = 0
    auth_handler: Any = None

    def _log_in(self, username: str, credentials: Credentials) -> list[str]:
        """Log in; what methods are still needed (none: it is done)."""
        if self.connection is not None or not self._open or not self._started:
            raise SSHException("No existing session")
        self._username = username
        together = credentials if self._parts is None else self._parts.and_then(credentials)
        try:
            connection = self._launch(together, username, self._accept)
        except AuthenticationError as error:
            if credentials.methods == ():
                raise BadAuthenticationType("Bad authentication type", list(error.methods)) from error
            if self._was_a_part(error, username, credentials):
                self._parts, self._taken = together, len(error.partial)
                return list(error.methods)
            raise self._explain(error, credentials) from error
        except ConnectError as error:
            raise self._explain(error, credentials) from error
        self.take_over(connection)
        return []

    def log_in(self, username: str, credentials: Credentials, timeout: float | None) -> None:
        """Greeting and login in one go.

        Args:
            timeout: as for `start_client`.

        Raises:
            ConnectError: the core's own errors. Why a host key was refused, whoever is trusted knows.
        """
        self._username = username
        self._started = True
        try:
            self.take_over(self._launch(credentials, username, self._accept, timeout))
        except BaseException:
            self._started = self._host_key is not None and not self._way.once
            raise

    def log_in_with(self, username: str, credentials: Credentials) -> None:
        """After the greeting: everything there is, in one go.

        Raises:
            SSHException: it did not work.
        """
        self._log_in(username, credentials)

    def take_over(self, connection: openssh_core.Connection) -> None:
        """Go on with a connection that is logged in."""
        self.connection = connection
        if self._host_key is None and connection.host_key is not None:
            self._host_key = from_core(connection.host_key)
        self._started = True
        software = (connection.server_version or "unknown").split()[0]
        self._log(INFO, "Connected (version 2.0, client %s)", software)
        self._log(INFO, "Authentication successful!")

    def _was_a_part(self, error: AuthenticationError, username: str, credentials: Credentials) -> bool:
        """Whether the server took what it got, and wants something else as well."""
        if error.handshake is not None:
            return len(error.partial) > self._taken
        # This ssh does not tell. It was, when the server does not offer that method any more and did so at first.
        methods = set(credentials.methods or ())
        if not error.methods or methods & set(error.methods) or self._way.once or not methods:
            return False
        before = Credentials(methods=()) if self._parts is None else self._parts
        try:
            self._launch(before, username, self._accept).close()
        except AuthenticationError as first:
            return bool(methods & set(first.methods))
        except ConnectError:
            pass
        return False

    def auth_none(self, username: str) -> list[str]:
        """Log in with nothing.

        Raises:
            BadAuthenticationType: the server wants something; `allowed_types` says what.
        """
        return self._log_in(username, Credentials(methods=()))

    def auth_password(
        self, username: str, password: str, event: threading.Event | None = None, fallback: bool = True
    ) -> list[str]:
        """Log in with a password.

        Args:
            event: set at the end; errors are for `get_exception` then.
            fallback: whether it is also the answer where the server asks for it (keyboard-interactive).

        Returns:
            the methods that are still needed; none when it is done.

        Raises:
            AuthenticationException: it is wrong.
            BadAuthenticationType: the server takes no passwords.
            SSHException: anything else.
        """
        methods = ["password", "keyboard-interactive"] if fallback else ["password"]
        return self._maybe_later(event, username, Credentials(password=password, methods=methods))

    def auth_publickey(self, username: str, key: PKey, event: threading.Event | None = None) -> list[str]:
        """Log in with a key that has a private part, or is an agent's. See `auth_password`."""
        return self._maybe_later(event, username, Credentials(pkeys=[key], methods=["publickey"]))

    def auth_interactive(self, username: str, handler: Handler, submethods: str = "") -> list[str]:
        """Log in by answering the server's questions. See `auth_password`.

        Args:
            handler: is given title and instructions (both empty, ssh keeps them) and a list of one question with
                whether its answer may be shown; returns a list with the answer.
            submethods: for the server.
        """

        def answer(prompt: Prompt) -> str | None:
            answers = handler("", "", [(prompt.words or prompt.text, bool(prompt.echo))])
            return answers[0] if answers else ""

        credentials = Credentials(answer=answer, methods=["keyboard-interactive"])
        if submethods:
            self._options["KbdInteractiveDevices"] = submethods
        return self._log_in(username, credentials)

    def auth_interactive_dumb(self, username: str, handler: Handler | None = None, submethods: str = "") -> list[str]:
        """The same, asking on the terminal where no handler is given."""
        return self.auth_interactive(username, handler or _on_the_terminal, submethods)

    def _maybe_later(self, event: threading.Event | None, username: str, credentials: Credentials) -> list[str]:
        if event is None:
            return self._log_in(username, credentials)
        try:
            self._log_in(username, credentials)
        except Exception as error:  # noqa: BLE001  # it is for get_exception()
            self._error = error
        event.set()
        return []

    def connect(
        self,
        hostkey: PKey | None = None,
        username: str = "",
        password: str | None = None,
        pkey: PKey | None = None,
        gss_host: str | None = None,
        gss_auth: bool = False,
        gss_kex: bool = False,
        gss_deleg_creds: bool = True,
        gss_trust_dns: bool = True,
    ) -> None:
        """Connect and log in, if there is something to log in with.

        Args:
            hostkey: what the server must show; anything is accepted without.
            pkey: tried first; the password is not tried then.
            gss_auth, gss_kex, gss_deleg_creds, gss_host, gss_trust_dns: GSSAPI, by ssh.

        Raises:
            SSHException: the host key is another one, or anything else.
            AuthenticationException: the server did not let us in.
        """
        if gss_auth or gss_kex:
            self._options.update(gss_options(gss_auth, gss_kex, gss_deleg_creds, gss_host, gss_trust_dns))
        if hostkey is not None or not (pkey or password is not None or gss_auth):
            # Otherwise the login sees the key, and saves a connection.
            self.start_client()
            if hostkey is not None and self._host_key is not None and self._host_key.asbytes() != hostkey.asbytes():
                self.close()
                raise SSHException("Bad host key from server")
        self._started = True
        if pkey is not None:
            self.auth_publickey(username, pkey)
        elif password is not None:
            self.auth_password(username, password)
        elif gss_auth:
            self._log_in(username, Credentials(methods=["gssapi-with-mic"]))

    # ---- what is known of it

    def is_authenticated(self) -> bool:
        """Whether the login is complete, and the connection there."""
        return self.connection is not None and self.is_active()

    def get_username(self) -> str | None:
        """As whom it is logged in; None before that, and when the connection is gone."""
        return self._username if self.is_authenticated() else None


def _on_the_terminal(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
    return [input(prompt) if echo else getpass.getpass(prompt) for prompt, echo in prompts]
