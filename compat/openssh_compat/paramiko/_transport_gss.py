"""Logging in with GSSAPI (Kerberos), which ssh does; the names are those of paramiko 3."""

from __future__ import annotations

from ._login import Credentials
from ._transport_auth import Authentication
from ._transport_options import gss_options

__all__ = ["GssAuthentication"]


class GssAuthentication(Authentication):
    """The part of a transport that logs in with a ticket.

    Attributes:
        gss_host: the name in the server's ticket, where it is not the host's.
        gss_kex_used: False: ssh does not tell how it has exchanged keys by GSSAPI.
    """

    gss_host: str | None = None
    gss_kex_used = False

    def set_gss_host(self, gss_host: str | None, trust_dns: bool = True, gssapi_requested: bool = True) -> None:
        """Expect a ticket for another name than the host's. Before the login.

        Args:
            trust_dns: whether the name service may say which name that is (builds of ssh with GSSAPI key exchange).
            gssapi_requested: False: nothing of it.
        """
        if gssapi_requested:
            self.gss_host = gss_host
            self.add_options(gss_options(True, not trust_dns, False, gss_host, trust_dns))

    def auth_gssapi_with_mic(self, username: str, gss_host: str | None, gss_deleg_creds: bool) -> list[str]:
        """Log in with a ticket (RFC 4462 section 3). See `auth_password`.

        Args:
            gss_host: the name in the server's ticket; None for the host's.
            gss_deleg_creds: whether the server gets our ticket.
        """
        self.add_options(gss_options(True, False, gss_deleg_creds, gss_host, True))
        return self._log_in(username, Credentials(methods=["gssapi-with-mic"]))

    def auth_gssapi_keyex(self, username: str) -> list[str]:
        """Log in by how keys were exchanged (RFC 4462 section 4): for an ssh that was built with that. See
        `auth_password`."""
        self.add_options(gss_options(True, True, False, self.gss_host, True))
        return self._log_in(username, Credentials(methods=["gssapi-keyex"]))
