"""GSSAPI, which paramiko has dropped: here ssh(1) does it. See `gss_auth` and its like of `SSHClient.connect`."""

from __future__ import annotations

from typing import NoReturn

from .._shim import refused

__all__ = ["GSS_AUTH_AVAILABLE", "GSS_EXCEPTIONS", "GSSAuth"]

# Whether `gss_auth=True` may be tried: ssh says so when it was built without.
GSS_AUTH_AVAILABLE = True
GSS_EXCEPTIONS: tuple[type[Exception], ...] = ()


@refused
def GSSAuth(auth_method: str, gss_deleg_creds: bool = True) -> NoReturn:
    """Raises NotImplementedError: ssh does it."""
    raise NotImplementedError("GSSAuth() is not supported by openssh_compat: use connect(gss_auth=True)")
