"""The one place where a command line for ssh(1) is made.

For ssh the first value of an option counts, and the command line comes before every file. So what stands here cannot be
overridden; what does not stand here is left to the user's configuration: HostName, Port, User, keys, certificates,
ProxyJump, ProxyCommand, Match, algorithms and all the rest. No secret is ever in it.

How the master is run: `-M -N` with ControlPersist. The process that is started (the launcher) exits with 0 at the
moment the login is complete, and the master lives on in a session of its own, until some seconds after its last user.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ..errors import InvalidControlPath, InvalidInput, InvalidOption
from ..options import MasterOptions
from .config import option
from .target import check_target

__all__ = ["check_control_path", "default_known_hosts", "master_argv", "query_argv"]

# ssh first binds PATH.<16 random characters>, and the name of a socket has 107 bytes on Linux, 103 on macOS.
LONGEST_CONTROL_PATH = 90
LONGEST_CONTROL_PATH_MACOS = 86

SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")

# Nine functions of ssh's source, the same from 8.5 to 10.5. They speak during the login (some also when keys are
# renewed), and tell what `log.server_facts` and `diagnosis` read; a command through the master adds nothing to the log.
_LOG_VERBOSE = ",".join(
    [
        "kex.c:kex_exchange_identification():*",
        "kex.c:choose_kex():*",
        "kex.c:choose_hostkeyalg():*",
        "kex.c:kex_choose_conf():*",
        "sshconnect.c:ssh_connect_direct():*",
        "sshconnect.c:ssh_login():*",
        "sshconnect.c:verify_host_key():*",
        "sshconnect2.c:ssh_userauth2():*",
        "sshconnect2.c:input_userauth_failure():*",
    ]
)

# Options that are younger than the oldest ssh we can work with, and the version that brought them.
_SINCE = {
    "KnownHostsCommand": (8, 5),
    "LogVerbose": (8, 5),
    "ForkAfterAuthentication": (8, 7),
}

# A file may have an IgnoreUnknown of its own, and ours takes its place. This is what such lines are written for.
# Before this release a server's own prompt could look like ssh's question for a passphrase.
_MARKS_PROMPTS = (8, 5)

_OFTEN_IGNORED = ("UseKeychain",)

# The longest time that ssh, which counts milliseconds in 32 bits, takes for one.
_LONGEST_TIME = 2_000_000

_SERVER_ALIVE_COUNT = 3

# As ssh's own, but that a password goes by its own method where it can. What is not switched on is not tried.
_ORDER = "gssapi-keyex,gssapi-with-mic,hostbased,publickey,password,keyboard-interactive"


def master_argv(options: MasterOptions, *, control_path: str, log_path: str) -> list[str]:
    """The command line that logs in and leaves a master behind.

    Args:
        options: what the caller asked for.
        control_path: where the master listens; nothing may be there yet.
        log_path: where ssh writes what it has to say. What is wrong with this command line itself goes to stderr.

    Raises:
        InvalidTarget, InvalidControlPath, InvalidOption, InvalidInput: a part that ssh would not take as it is meant.
    """
    check_control_path(control_path)
    _check_word("log_path", log_path)
    argv = [*_program(options), "-M", "-N", "-T", "-S", control_path, "-E", log_path]
    chosen = {name.lower() for name, _ in options.options}
    # The last of these on a command line counts, and it is needed to allow what a session may then ask for.
    agent = ["-A"]
    if options.forward_agent and options.forwarded_agent and _goes_without_the_agent(options):
        agent = ["-o", option("ForwardAgent", _expanded(options.forwarded_agent, "SSH_AUTH_SOCK", ""))]
    for name, off, on, wanted in (
        ("forwardagent", "-a", agent, options.forward_agent),
        ("forwardx11", "-x", ["-X"], options.forward_x11),
    ):
        if wanted:
            argv += on
        elif name not in chosen:
            argv.append(off)
    for name, value in _known(options, list(_ours(options, chosen))):
        argv += ["-o", option(name, value)]
    for name, text in options.options:
        if name.lower() != "ignoreunknown" or options.ssh_version is not None:
            argv += ["-o", f"{name}={text}"]
    return [*argv, *_destination(options)]


def query_argv(options: MasterOptions) -> list[str]:
    """The command line that prints what ssh would do for this destination (`-G`), from the user's configuration.

    Raises:
        InvalidTarget, InvalidInput: a part that ssh would not take as it is meant.
    """
    argv = [*_program(options), "-G"]
    for name, text in options.options:
        argv += ["-o", f"{name}={text}"]
    return [*argv, *_destination(options)]


def _program(options: MasterOptions) -> list[str]:
    _check_word("ssh", options.ssh, for_shell=True)
    if options.config_file is None:
        return [options.ssh]
    _check_word("config_file", options.config_file, for_shell=True)
    return [options.ssh, "-F", options.config_file]


def _destination(options: MasterOptions) -> list[str]:
    target = options.target
    check_target(target)
    words = [] if target.user is None else ["-l", target.user]
    if target.port is not None:
        words += ["-p", str(target.port)]
    return [*words, "--", target.host]


def check_control_path(path: str, *, longest: int = LONGEST_CONTROL_PATH) -> None:
    """See that ssh can use a path for its control socket, as it is.

    Args:
        longest: bytes it may have; `LONGEST_CONTROL_PATH_MACOS` on macOS.

    Raises:
        InvalidControlPath: it is relative or too long, or contains what ssh expands or what is no text.
    """
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidControlPath("the control path is not an absolute path")
    for char, why in (("%", "expands"), ("$", "expands"), ("~", "expands"), ("\0", "cannot take")):
        if char in path:
            raise InvalidControlPath(f"the control path contains {char!r}, which ssh {why}")
    if not path.isprintable():
        raise InvalidControlPath("the control path contains a character that cannot be printed, or is no UTF-8")
    size = len(path.encode())
    if size > longest:
        raise InvalidControlPath(
            f"the control path has {size} bytes; ssh can use {longest} at most",
            advice="Use a directory with a shorter name: control_dir=",
        )


def default_known_hosts(home: str) -> tuple[str, ...]:
    """Where ssh looks for host keys when nobody says otherwise (ssh_config(5)).

    Args:
        home: the user's home directory, an absolute path.
    """
    return (f"{home}/.ssh/known_hosts", f"{home}/.ssh/known_hosts2", *SYSTEM_KNOWN_HOSTS)


Setting = tuple[str, "str | int | list[str]"]


def _ours(options: MasterOptions, chosen: set[str]) -> Iterator[Setting]:
    """What the library decides. `chosen`: options of the caller, in lower case."""
    yield "ControlPersist", min(options.persist, _LONGEST_TIME)
    # Should the control path be taken, ssh would go on without a master: better where it can be seen and ended.
    yield "ForkAfterAuthentication", "no"
    # A user's QUIET would hide every reason.
    yield "LogLevel", "INFO"
    yield "LogVerbose", _LOG_VERBOSE
    yield "PermitLocalCommand", "no"
    yield "ClearAllForwardings", "yes"
    yield "Tunnel", "no"
    if options.connect_timeout is not None:
        yield "ConnectTimeout", _whole_seconds(options.connect_timeout)
    yield "ServerAliveInterval", _whole_seconds(options.keepalive)
    yield "ServerAliveCountMax", _SERVER_ALIVE_COUNT
    if options.proxy:
        yield from _proxy(options.proxy, chosen)
    yield from _authentication(options, chosen)
    yield from _host_keys(options, chosen)


def _goes_without_the_agent(options: MasterOptions) -> bool:
    """Whether ssh is told to log in without the agent of the environment; it would then forward no other either."""
    return options.identity_agent is not None or not options.agent


def _proxy(command: str, chosen: set[str]) -> Iterator[Setting]:
    for name in ("ProxyCommand", "ProxyJump", "ProxyUseFdpass"):
        if name.lower() in chosen:
            raise InvalidOption(f"a socket or gateway of yours and the option {name} contradict each other")
    # Of ProxyCommand and ProxyJump the one that ssh reads first counts: nothing in a file does.
    yield "ProxyCommand", command
    yield "ProxyUseFdpass", "yes"


def _authentication(options: MasterOptions, chosen: set[str]) -> Iterator[Setting]:
    asks = options.askpass or options.dialogue or options.host_keys == "ask"
    yield "BatchMode", "no" if asks else "yes"
    if options.askpass:
        # A second prompt for the same thing means that the first answer was wrong.
        yield "NumberOfPasswordPrompts", 1
        if "preferredauthentications" not in chosen:
            yield "PreferredAuthentications", _ORDER
        if options.ssh_version is not None and options.ssh_version < _MARKS_PROMPTS:
            yield "KbdInteractiveAuthentication", "no"
    elif options.host_keys == "ask":
        # The question for the host key is the only one.
        yield "NumberOfPasswordPrompts", 0
    if _goes_without_the_agent(options):
        if "identityagent" in chosen:
            reason = "agent=False" if options.identity_agent is None else "A private key in memory"
            raise InvalidOption(f"{reason} and the option IdentityAgent contradict each other")
        yield "IdentityAgent", _expanded(options.identity_agent, "agent", "") if options.identity_agent else "none"
    if options.keys and "identitiesonly" not in chosen:
        yield "IdentitiesOnly", "yes"
    for key in options.keys:
        # Not -i: there a percent sign can be written in no way, and a missing file is reported on stderr.
        yield "IdentityFile", _expanded(key, "key", options.home)
    for certificate in options.certificates:
        yield "CertificateFile", _expanded(certificate, "certificate", options.home)


def _host_keys(options: MasterOptions, chosen: set[str]) -> Iterator[Setting]:
    policy = options.host_keys
    if policy != "config":
        yield "StrictHostKeyChecking", _CHECKING[policy]
        # Whoever listens on localhost is no more known than others.
        yield "NoHostAuthenticationForLocalhost", "no"
    files = options.known_hosts
    if policy in ("warn", "ask"):
        if files is None:
            files = options.user_known_hosts
        if files is None:
            if not options.home:
                raise InvalidInput(
                    f"host_keys={policy!r} needs known_hosts= or the home directory, or it could not tell"
                )
            files = default_known_hosts(options.home)[:2]
        # ssh reads them all, and records in the first.
        files = ("/dev/null", *files)
    if files is not None:
        yield "UserKnownHostsFile", [_expanded(file, "known_hosts", options.home) for file in files] or "/dev/null"
    if options.known_hosts is not None:
        # These files, and no other source of keys.
        yield "GlobalKnownHostsFile", "/dev/null"
        for name, value in (("KnownHostsCommand", "none"), ("VerifyHostKeyDNS", "no")):
            if name.lower() not in chosen and (policy != "ask" or name != "KnownHostsCommand"):
                yield name, value
    if policy == "ask":
        if "knownhostscommand" in chosen:
            raise InvalidOption("a function as host_keys= and the option KnownHostsCommand contradict each other")
        yield "KnownHostsCommand", f"/bin/sh {_argument(options.host_key_reporter or '')} %I %H %t %K %f"


_CHECKING = {"strict": "yes", "accept-new": "accept-new", "warn": "accept-new", "ask": "ask"}


def _argument(path: str) -> str:
    """A word of a command that ssh splits itself, without a shell (argv_split in misc.c)."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _known(options: MasterOptions, settings: list[Setting]) -> Iterable[Setting]:
    """Only what this ssh knows; what it does not know it has no use for either."""
    version = options.ssh_version
    if version is not None:
        return [(name, value) for name, value in settings if version >= _SINCE.get(name, (0, 0))]
    theirs = [text for name, text in options.options if name.lower() == "ignoreunknown"]
    return [("IgnoreUnknown", ",".join([*_SINCE, *_OFTEN_IGNORED, *theirs])), *settings]


def _expanded(path: str, what: str, home: str) -> str:
    """A path for an option in which ssh expands %-tokens."""
    return _literal(path, what, home).replace("%", "%%")


def _literal(path: str, what: str, home: str) -> str:
    _check_word(what, path)
    if "${" in path:
        raise InvalidInput(f"{what} contains '${{', which ssh would expand")
    if home and path.startswith("~/"):
        return home + path[1:]
    # As the name of a file ssh takes this word for "no file".
    return "./none" if path.lower() == "none" else path


def _check_word(what: str, text: str, *, for_shell: bool = False) -> None:
    """See that it can be an argument; `for_shell`: ssh puts it into the command that ProxyJump runs, unquoted."""
    if not isinstance(text, str) or not text:
        raise InvalidInput(f"{what} is empty, or no text")
    if any(char < " " or char == "\x7f" for char in text):
        raise InvalidInput(f"{what} contains NUL, a line end or another control character")
    if for_shell and (wrong := sorted(set(text) & set("'\"`\\$&;|<>(){}*?!#"))):
        raise InvalidInput(f"{what} contains {wrong[0]!r}, which ssh would hand to a shell for ProxyJump")


def _whole_seconds(seconds: float) -> int:
    """ssh takes no fractions: rounded up, for a limit may pass later than asked for but not earlier."""
    return min(math.ceil(seconds), _LONGEST_TIME)
