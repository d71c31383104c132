"""The arguments of `connect`: their types for type checkers, their defaults, and the order for a login made of them."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from .._cli.config import check_options
from .._cli.target import parse_target
from .._io.deadline import check_seconds
from .._io.secrets import Answer, Secret, Secrets
from .._io.socket_like import Connected
from .._value import Value
from ..defaults import Defaults
from ..errors import InvalidInput
from ..keys import PrivateKey
from ..options import HostKeys, MasterOptions, StageTimeouts, Target
from ..starting import HostKeyPolicy, Order
from .access import Reconnect

if TYPE_CHECKING:
    from .gateways import GatewayLike

Path = str | os.PathLike[str]
Key = Path | bytes | PrivateKey
PathOrText = Path | bytes
Forwarding = bool | Literal["always"]

# A line of a known_hosts file (sshd(8)): a marker perhaps, names, the type, the key. No path looks like this.
_KNOWN_HOSTS_LINE = re.compile(r"(@(cert-authority|revoked)\s+)?\S+\s+[a-z0-9@.-]+\s+AAAA[A-Za-z0-9+/]+=*(\s.*)?")
_CERTIFICATE = re.compile(r"[a-z0-9-]+-cert-v01@openssh\.com AAAA")


# Seconds a master of our own outlives its last control connection: long enough for us to make the first.
_PRIVATE_PERSIST = 5

# Where ssh looks for the agent (ssh-agent(1)).
_AGENT = "SSH_AUTH_SOCK"

# What also holds for hosts on the way.
_TRUST = ("key", "certificate", "passphrase", "answer", "agent", "host_keys", "known_hosts")
_FOR_HOPS = (*_TRUST, "config_file", "control_dir", "ssh", "keepalive")


class ConnectOptions(TypedDict, total=False):
    """What `connect` takes besides the target, and everything else that connects; described there."""

    user: str | None
    port: int | None
    key: Key | Iterable[Key] | None
    certificate: PathOrText | Iterable[PathOrText] | None
    password: Secret
    passphrase: Secret
    answer: Answer | None
    login_handler: Callable[[Any], object] | None
    agent: bool
    host_keys: HostKeys | HostKeyPolicy
    known_hosts: PathOrText | Iterable[PathOrText] | None
    connect_timeout: float | None
    stage_timeouts: StageTimeouts | None
    config_file: Path | None
    control_dir: Path | None
    control_path: Path | None
    sock: Connected | None
    gateway: GatewayLike | None
    options: Mapping[str, str | int | bool | Sequence[str]] | None
    ssh: str
    keepalive: int
    forward_agent: Forwarding
    forward_x11: Forwarding
    persist: int | None
    lazy: bool
    reconnect: Reconnect | bool | None
    spare: bool
    encoding: str | None
    errors: str
    defaults: Defaults


class Arguments(Value):
    """The same with their defaults. Nothing of it is shown, for secrets are among it."""

    user: str | None = None
    port: int | None = None
    key: Key | Iterable[Key] | None = None
    certificate: PathOrText | Iterable[PathOrText] | None = None
    password: Secret = None
    passphrase: Secret = None
    answer: Answer | None = None
    login_handler: Callable[[Any], object] | None = None
    agent: bool = True
    host_keys: HostKeys | HostKeyPolicy = "strict"
    known_hosts: PathOrText | Iterable[PathOrText] | None = None
    connect_timeout: float | None = 30.0
    stage_timeouts: StageTimeouts | None = None
    config_file: Path | None = None
    control_dir: Path | None = None
    control_path: Path | None = None
    sock: Connected | None = None
    gateway: GatewayLike | None = None
    options: Mapping[str, str | int | bool | Sequence[str]] | None = None
    ssh: str = "ssh"
    keepalive: int = 15
    forward_agent: Forwarding = False
    forward_x11: Forwarding = False
    persist: int | None = None
    lazy: bool = False
    reconnect: Reconnect | bool | None = None
    spare: bool = True
    encoding: str | None = "utf-8"
    errors: str = "surrogateescape"
    defaults: Defaults = Defaults()

    def __repr__(self) -> str:
        return "<Arguments>"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Arguments:
        """What was given by name.

        Raises:
            TypeError: there is no such argument.
        """
        for name in given:
            if name not in cls._fields:
                raise TypeError(f"connect() got an unexpected keyword argument {name!r}")
        return cls(**given)

    def __post_init__(self) -> None:
        if self.connect_timeout is not None:
            check_seconds(self.connect_timeout, "connect_timeout")
        if not isinstance(self.stage_timeouts, StageTimeouts | None):
            raise InvalidInput("stage_timeouts= is no StageTimeouts")
        ways = [name for name in ("control_path", "sock", "gateway") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise InvalidInput(f"{'= and '.join(ways)}= are different ways to the host", advice="Give one of them")
        if self.sock is not None and (self.persist is not None or self.reconnect):
            raise InvalidInput(
                "sock= leads to the server once; persist= and reconnect= need a way there each time",
                advice="Give a ProxyCommand or ProxyJump in options=",
            )
        if self.gateway is not None and self.persist is not None:
            raise InvalidInput(
                "what gateway= leads through ends with this program, and a master with persist= does not",
                advice="Give a ProxyCommand or ProxyJump in options=",
            )
        if self.forward_agent and not self.agent and not os.environ.get(_AGENT):
            raise InvalidInput(
                f"with agent=False and no {_AGENT} in the environment there is no agent that could be forwarded",
                advice=f"Set {_AGENT} to the agent's socket, or leave agent=False out",
            )
        for name in ("forward_agent", "forward_x11"):
            if getattr(self, name) not in (False, True, "always"):
                raise InvalidInput(f"{name}={getattr(self, name)!r} is neither True nor False nor 'always'")
        if self.persist is not None and self.control_path is not None:
            raise InvalidInput("persist= is for a master of ours, and control_path= names somebody else's")

    def for_hops(self) -> dict[str, Any]:
        """What also holds for hosts on the way: how they are known, and who we are."""
        return {name: getattr(self, name) for name in _FOR_HOPS}

    def target(self, text: str) -> Target:
        """Where to, by the target's text and the user and port that were given apart.

        Raises:
            InvalidTarget: it is none.
        """
        return parse_target(text, user=self.user, port=self.port)

    def order(self, target: Target) -> Order:
        """The login that is meant.

        Raises:
            InvalidInput: one of its subclasses says what cannot be.
        """
        secrets = Secrets(target.password if self.password is None else self.password, self.passphrase, self.answer)
        files, lines = _known_hosts(self.known_hosts)
        if self.login_handler is not None and (secrets or callable(self.host_keys)):
            raise InvalidInput(
                "login_handler= answers everything itself",
                advice="Leave password=, passphrase=, answer= and a function as host_keys= out",
            )
        policy = self.host_keys if callable(self.host_keys) else None
        checking: HostKeys | Literal["ask"] = "ask" if callable(self.host_keys) else self.host_keys
        return Order(
            options=MasterOptions(
                target=target,
                agent=self.agent,
                host_keys=checking,
                known_hosts=files,
                connect_timeout=self.connect_timeout,
                config_file=None if self.config_file is None else os.fspath(self.config_file),
                options=check_options(self.options or {}),
                ssh=self.ssh,
                keepalive=self.keepalive,
                forward_agent=bool(self.forward_agent),
                forward_x11=bool(self.forward_x11),
                forwarded_agent=os.environ.get(_AGENT, "") if self.forward_agent else "",
                persist=_PRIVATE_PERSIST if self.persist is None else self.persist,
                askpass=bool(secrets),
                dialogue=self.login_handler is not None,
                home=_home(),
            ),
            secrets=secrets,
            host=str(target),
            keys=tuple(map(_key, _each(self.key))),
            certificates=tuple(map(_certificate, _each(self.certificate))),
            known_hosts_lines=lines,
            policy=policy,
            login_handler=self.login_handler,
            control_dir=None if self.control_dir is None else os.fspath(self.control_dir),
            spare=self.spare,
            persist=self.persist,
            stage_timeouts=self.stage_timeouts,
        )


def _each(given: Any) -> list[Any]:
    """One, several or none, as a list."""
    if given is None:
        return []
    return [given] if isinstance(given, str | bytes | os.PathLike | PrivateKey) else list(given)


def _path(given: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.path.expanduser(given))


def _key(given: Key) -> str | PrivateKey:
    if isinstance(given, PrivateKey):
        return given
    if isinstance(given, bytes) or (isinstance(given, str) and PrivateKey.looks_like_one(given)):
        return PrivateKey(given)
    return _path(given)


def _certificate(given: PathOrText) -> str | bytes:
    if isinstance(given, os.PathLike):
        return _path(given)
    text = given.decode("utf-8", "replace") if isinstance(given, bytes) else given
    if _CERTIFICATE.match(text):
        return text.strip().encode() + b"\n"
    if isinstance(given, bytes) or "\n" in given:
        raise InvalidInput("certificate= is no certificate of OpenSSH's", advice="Give the text of a ...-cert.pub file")
    return _path(given)


def _known_hosts(given: PathOrText | Iterable[PathOrText] | None) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The files, and the lines that are in none; no files at all where nothing was given."""
    if given is None:
        return None, ()
    files, lines = [], []
    for each in _each(given):
        if isinstance(each, bytes):
            lines += each.decode("utf-8", "surrogateescape").splitlines()
        elif isinstance(each, str) and ("\n" in each or _KNOWN_HOSTS_LINE.fullmatch(each)):
            lines += each.splitlines()
        else:
            files.append(_path(each))
    return tuple(files), tuple(lines)


def _home() -> str:
    # ssh(1) goes by the password file, not by $HOME.
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")
