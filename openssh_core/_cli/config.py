"""ssh_config options as ssh(1) takes them after `-o`, and which of them somebody else decides already.

An option is trusted text: ProxyCommand, KnownHostsCommand, PKCS11Provider and their like run programs, and are allowed
here because the caller's own code wrote them. Never take a name or a value from somebody you would not let run a
program. HostName and HostKeyAlias are checked like a host all the same: ssh hands them to the shell of a ProxyCommand.

Values are spelled so that ssh reads them back as they were: `ssh -G` shows that in the tests. An ssh before 8.7 knows
no backslash in a value, so there a value with a quotation mark or a backslash arrives changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..errors import InvalidOption, InvalidTarget
from .target import check_host

Value = str | int | bool | Sequence[str]
"""A value of an option: True and False mean yes and no; several strings where ssh takes several."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_BARE = re.compile(r"[A-Za-z0-9_./:,@%+*?!^$~-]+")

# readconf.c hands these the rest of the line as it is: quotation marks would become part of the command.
_VERBATIM = frozenset(["knownhostscommand", "proxycommand", "proxyjump"])

# Each value is a line of its own, and all of them count.
_REPEATED = frozenset(["certificatefile", "identityfile"])

# Several words on one line.
_WORD_LISTS = """
    addkeystoagent canonicaldomains canonicalizepermittedcnames channeltimeout ipqos permitremoteopen rekeylimit
    revokedhostkeys sendenv setenv
"""
_MANY_WORDS = frozenset(_WORD_LISTS.split())
# Of those, the ones where a blank inside one string can only mean that there are several words.
_SPLIT = _MANY_WORDS - {"revokedhostkeys", "setenv"}

_CHECKED_AS_HOST = frozenset(["hostkeyalias", "hostname"])

_FORWARDS = "the connection's own methods open forwards"
_PROMPTS = "password= and passphrase= decide whether ssh asks"
_COMMANDS = "run() and popen() start commands"
_LIFE = "this library starts and ends the master"
_HOST_KEYS = "use host_keys="
_KNOWN_HOSTS = "use known_hosts="
_FILE_ONLY = "it belongs into a file: use config_file="
_LOG = "the log is what errors are made from"

# Lower case, as ssh compares them -> what to do instead.
_RESERVED = {
    "batchmode": _PROMPTS,
    "clearallforwardings": _FORWARDS,
    "connecttimeout": "use connect_timeout=",
    "controlmaster": _LIFE,
    "controlpath": "use control_dir= or control_path=",
    "controlpersist": _LIFE,
    "dynamicforward": _FORWARDS,
    "exitonforwardfailure": _FORWARDS,
    "forkafterauthentication": _LIFE,
    "globalknownhostsfile": _KNOWN_HOSTS,
    "host": _FILE_ONLY,
    "include": _FILE_ONLY,
    "localcommand": "it would run a program on this machine",
    "localforward": _FORWARDS,
    "loglevel": _LOG,
    "logverbose": _LOG,
    "match": _FILE_ONLY,
    "nohostauthenticationforlocalhost": _HOST_KEYS,
    "numberofpasswordprompts": _PROMPTS,
    "permitlocalcommand": "it would run a program on this machine",
    "port": "use port=",
    "remotecommand": _COMMANDS,
    "remoteforward": _FORWARDS,
    "requesttty": "use pty= of run() and popen()",
    "serveralivecountmax": "use keepalive=",
    "serveraliveinterval": "use keepalive=",
    "sessiontype": _COMMANDS,
    "stdinnull": "use stdin= of run() and popen()",
    "stricthostkeychecking": _HOST_KEYS,
    "syslogfacility": _LOG,
    "tunnel": _FORWARDS,
    "user": "use user=",
    "userknownhostsfile": _KNOWN_HOSTS,
}


def option(name: str, value: Value) -> str:
    """The word that follows `-o`.

    Args:
        name: the option's name; it may be a reserved one.
        value: see `Value`; several words go on one line.

    Raises:
        InvalidOption: the name is none, or the value cannot be written.
    """
    _check_name(name)
    return f"{name}={_spelled(name, _words(name, value))}"


def check_options(options: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    """The caller's options as pairs of a name and a value in ssh_config's own spelling: `-o NAME=VALUE` each.

    Args:
        options: names (in any case) and values. IdentityFile and CertificateFile take a list of files.

    Raises:
        InvalidOption: a name that is none, is given twice or is decided elsewhere (the message says where), or a value
            that cannot be written or is unsafe.
    """
    return tuple(_pairs(options))


def _pairs(options: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    seen = set()
    for name, value in options.items():
        _check_name(name)
        key = name.lower()
        if key in _RESERVED:
            raise InvalidOption(f"the option {name} cannot be given here: {_RESERVED[key]}")
        if key in seen:
            raise InvalidOption(f"the option {name} is given twice")
        seen.add(key)
        words = _words(name, value)
        if key in _CHECKED_AS_HOST:
            _check_host_value(name, words)
        for line in [[word] for word in words] if key in _REPEATED else [words]:
            yield name, _spelled(name, line)


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidOption(f"{name!r} is no name of an ssh_config option")


def _words(name: str, value: Value) -> list[str]:
    """The words of a value, each checked."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, str):
        words = value.split() if name.lower() in _SPLIT else [value]
    elif isinstance(value, Sequence) and all(isinstance(word, str) for word in value):
        words = list(value)
    else:
        raise InvalidOption(f"the value of {name} is {type(value).__name__}, not text, a whole number or yes and no")
    if not words or not all(words):
        raise InvalidOption(f"the value of {name} is empty")
    for word in words:
        _check_word(name, word)
    return words


def _check_word(name: str, word: str) -> None:
    if any(char < " " or char == "\x7f" for char in word):
        raise InvalidOption(f"the value of {name} contains a line end, NUL or another control character")
    try:
        word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise InvalidOption(f"the value of {name} contains half of a surrogate pair, which is no text") from None


def _check_host_value(name: str, words: list[str]) -> None:
    """%h is the host as it was given, which has been checked."""
    for word in words:
        try:
            check_host(word.replace("%h", "h"))
        except InvalidTarget as error:
            raise InvalidOption(f"the value of {name} is no host: {error.what}") from None


def _spelled(name: str, words: list[str]) -> str:
    key = name.lower()
    if len(words) > 1 and key not in _MANY_WORDS and not key.endswith("knownhostsfile"):
        raise InvalidOption(f"{name} takes one value")
    if key in _VERBATIM:
        # ssh strips blanks at both ends, and an equals sign in front.
        if words[0] != words[0].lstrip(" =").rstrip(" "):
            raise InvalidOption(f"the value of {name} begins with a blank or an equals sign, or ends with a blank")
        return words[0]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if _BARE.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
