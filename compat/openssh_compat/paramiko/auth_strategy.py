"""Ways to log in as objects, which a strategy tries one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ._kin import kin
from ._lent import lend
from .pkey import PKey
from .ssh_exception import AuthenticationException
from .util import get_logger

if TYPE_CHECKING:
    from .transport import Transport

__all__ = [
    "AuthFailure",
    "AuthResult",
    "AuthSource",
    "AuthStrategy",
    "InMemoryPrivateKey",
    "NoneAuth",
    "OnDiskPrivateKey",
    "Password",
    "PrivateKey",
    "SourceResult",
]

_ORIGINS = ("ssh-config", "python-config", "implicit-home")


class AuthSource:
    """One way to log in.

    Args:
        username: as whom.
    """

    def __init__(self, username: str) -> None:
        self.username = username

    def _repr(self, **shown: Any) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def __repr__(self) -> str:
        return self._repr()

    def authenticate(self, transport: Transport) -> Any:
        """Try it; what methods are still needed.

        Raises:
            AuthenticationException, SSHException: it did not work.
        """
        raise NotImplementedError


class NoneAuth(AuthSource):
    """With nothing: which tells what the server takes."""

    def authenticate(self, transport: Transport) -> Any:
        return transport.auth_none(self.username)


class Password(AuthSource):
    """With a password.

    Args:
        password_getter: gives it when it is needed.
    """

    def __init__(self, username: str, password_getter: Callable[[], str]) -> None:
        super().__init__(username)
        self.password_getter = password_getter

    def __repr__(self) -> str:
        return self._repr(user=self.username)

    def authenticate(self, transport: Transport) -> Any:
        return transport.auth_password(self.username, self.password_getter())


class PrivateKey(AuthSource):
    """With a key; subclasses have it as `pkey`."""

    pkey: PKey

    def authenticate(self, transport: Transport) -> Any:
        return transport.auth_publickey(self.username, self.pkey)


class InMemoryPrivateKey(PrivateKey):
    """With a key object, an agent's included."""

    def __init__(self, username: str, pkey: PKey) -> None:
        super().__init__(username)
        self.pkey = pkey

    def __repr__(self) -> str:
        from .agent import AgentKey

        return self._repr(pkey=self.pkey) + (" [agent]" if isinstance(self.pkey, AgentKey) else "")


class OnDiskPrivateKey(PrivateKey):
    """With a key that is in a file.

    Args:
        source: how one came to the file: `ssh-config`, `python-config` or `implicit-home`.
        path: the file.
        pkey: what is in it.
    """

    def __init__(self, username: str, source: str, path: str | os.PathLike[str], pkey: PKey) -> None:
        super().__init__(username)
        if source not in _ORIGINS:
            raise ValueError(f"source argument must be one of: {_ORIGINS!r}")
        self.source = source
        self.path = path
        self.pkey = pkey

    def __repr__(self) -> str:
        return self._repr(key=self.pkey, source=self.source, path=str(self.path))


class SourceResult(NamedTuple):
    """What became of one way: an exception, or what methods are still needed (none: it worked)."""

    source: AuthSource
    result: Any


class AuthResult(list[SourceResult]):
    """What became of each.

    Attributes:
        strategy: which tried them.
    """

    def __init__(self, strategy: AuthStrategy, *args: Any, **kwargs: Any) -> None:
        self.strategy = strategy
        super().__init__(*args, **kwargs)

    def __str__(self) -> str:
        return "\n".join(f"{one.source} -> {one.result or 'success'}" for one in self)


@kin("auth_strategy")
class AuthFailure(AuthenticationException):
    """None of them worked.

    Attributes:
        result: what became of each.
    """

    def __init__(self, result: AuthResult) -> None:
        Exception.__init__(self)
        self.result = result

    def __str__(self) -> str:
        return f"\n{self.result}"


class AuthStrategy:
    """Tries what `get_sources` gives, until one works.

    Args:
        ssh_config: kept for subclasses.
    """

    def __init__(self, ssh_config: Any) -> None:
        self.ssh_config = ssh_config
        self.log = get_logger("paramiko.auth_strategy")

    def get_sources(self) -> Iterable[AuthSource]:
        """The ways to try. For subclasses."""
        raise NotImplementedError

    def authenticate(self, transport: Transport) -> AuthResult:
        """Try them over a transport that was greeted.

        Raises:
            AuthFailure: none worked.
        """
        result = AuthResult(self)
        for source in self.get_sources():
            self.log.debug(f"Trying {source}")
            try:
                outcome = source.authenticate(transport)
            except Exception as error:  # noqa: BLE001  # whatever a source of somebody's raises, the next one is tried
                result.append(SourceResult(source, error))
                self.log.info(f"Authentication via {source} failed with {type(error).__name__}")
                continue
            result.append(SourceResult(source, outcome))
            # A list is of methods that are still needed; whatever else a source of somebody's gives, it did not raise.
            if not (isinstance(outcome, list) and outcome):
                return result
        raise AuthFailure(result)


lend(__name__)
