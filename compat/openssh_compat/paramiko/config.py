"""ssh_config files, looked up as paramiko does it: what the file says of a host, names in lower case, values as text.

Which Host and Match blocks count for a host is asked of ssh(1) itself: `ssh -G` is given the blocks, each with a mark
of ours in it (SendEnv, which it collects), and shows the marks of those that count.
"""

from __future__ import annotations

import contextlib
import getpass
import glob
import hashlib
import os
import re
import shlex
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from ._lent import lend
from ._temporary import private_directory
from .common import SSH_PORT
from .ssh_exception import ConfigParseError, CouldNotCanonicalize

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SSH_PORT", "SSHConfig", "SSHConfigDict"]


# Seconds; a Match exec may run programs.
_PATIENCE = 60.0

_MARK = "OPENSSH_COMPAT_BLOCK_"
_LISTS = {"identityfile", "localforward", "remoteforward"}
# What decides which blocks count, and what the commands of Match exec are told.
_MATTERS = {
    "addressfamily", "canonicaldomains", "canonicalizefallbacklocal", "canonicalizehostname", "canonicalizemaxdots",
    "canonicalizepermittedcnames", "hostname", "port", "tag", "user",
}  # fmt: skip
_MATCHES = {"all", "canonical", "final", "exec", "localnetwork", "host", "originalhost", "tagged", "user", "localuser"}
_WITHOUT_VALUE = {"all", "canonical", "final"}
_NESTED = 16
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


class SSHConfigDict(dict[str, Any]):
    """What the file says of one host."""

    def as_bool(self, key: str) -> bool:
        """Whether the value is yes, true, on or 1, in any case.

        Raises:
            KeyError: the file says nothing of it.
        """
        value = self[key]
        return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "on", "1")

    def as_int(self, key: str) -> int:
        """The value as a number.

        Raises:
            KeyError: the file says nothing of it.
            ValueError: it is no number.
        """
        return int(self[key])


class SSHConfig:
    """The contents of ssh_config files.

    Raises, from all that reads: ConfigParseError, for a line that is none.
    """

    SETTINGS_REGEX = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.+)")

    TOKENS_BY_CONFIG_KEY = {  # noqa: RUF012  # the original has it on the class, too
        "controlpath": ["%C", "%h", "%l", "%L", "%n", "%p", "%r", "%u"],
        "hostname": ["%h"],
        "identityfile": ["%C", "~", "%d", "%h", "%l", "%u", "%r"],
        "certificatefile": ["%C", "~", "%d", "%h", "%l", "%u", "%r"],
        "proxycommand": ["~", "%h", "%p", "%r"],
        "proxyjump": ["%h", "%p", "%r"],
        "match-exec": ["%C", "%d", "%h", "%L", "%l", "%n", "%p", "%r", "%u"],
    }

    def __init__(self) -> None:
        # Blocks in order: {"host": patterns} or {"matches": criteria}, with "config", and for blocks of an included
        # file "within": the number of the block that includes it.
        self._config: list[dict[str, Any]] = []

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Of text."""
        return cls.from_file(text.splitlines())

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """Of a file.

        Raises:
            OSError: it cannot be read.
        """
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return cls.from_file(file)

    @classmethod
    def from_file(cls, flo: Iterable[str]) -> Self:
        """Of an open file, or any lines."""
        config = cls()
        config.parse(flo)
        return config

    def parse(self, file_obj: Iterable[str] | IO[str]) -> None:
        """Add the lines of an open file. (Unlike paramiko, this follows Include.)"""
        self._parse(file_obj, None, 0)

    def _parse(self, lines: Iterable[str], within: int | None, depth: int) -> None:
        block = self._begin({"host": ["*"]}, within)
        for line in lines:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            match = self.SETTINGS_REGEX.match(line)
            if match is None:
                raise ConfigParseError(f"Unparsable line {line}")
            key, value = match[1].lower(), match[2].strip()
            if key == "host":
                block = self._begin({"host": _words(value, line)}, within)
            elif key == "match":
                block = self._begin({"matches": _criteria(value)}, within)
            elif key == "include" and self._include(value, block, depth):
                # What follows belongs to the block that was open.
                block = self._begin({name: block[name] for name in ("host", "matches") if name in block}, within)
            else:
                _store(block["config"], key, value)

    def _begin(self, what: dict[str, Any], within: int | None) -> dict[str, Any]:
        block = {**what, "config": {}}
        if within is not None:
            block["within"] = within
        self._config.append(block)
        return block

    def _include(self, value: str, block: dict[str, Any], depth: int) -> bool:
        """Read the files an Include names: relative to ~/.ssh, with wildcards; False when there are none."""
        if depth == _NESTED:
            raise ConfigParseError(f"Include nests deeper than {_NESTED} files: {value}")
        paths = [
            path
            for word in _words(value, value)
            for path in sorted(glob.glob(os.path.join(os.path.expanduser("~/.ssh"), os.path.expanduser(word))))
        ]
        # What counts for every host puts no condition on what it includes.
        always = block.get("host") == ["*"] and "within" not in block
        number = None if always else next(n for n, one in enumerate(self._config) if one is block)
        for path in paths:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                self._parse(file, number, depth + 1)
        return bool(paths)

    # ---- looking up

    def lookup(self, hostname: str) -> SSHConfigDict:
        """What the file says of a host: the first value of each, but all of IdentityFile and of forwards.

        Tokens are expanded where OpenSSH does; `hostname` is always there.

        Raises:
            ConfigParseError: ssh(1) does not accept it.
            CouldNotCanonicalize: it demands a canonical name, and there is none.
        """
        counting = self._counting(hostname)
        options: dict[str, Any] = {}
        for block in counting:
            for key, value in block["config"].items():
                if key in _LISTS:
                    known = options.setdefault(key, [])
                    known += [one for one in value if one not in known]
                elif key not in options:
                    options[key] = value
        options["hostname"] = self._tokens("hostname", options.get("hostname", hostname), hostname, options)
        answer = SSHConfigDict(options)
        for key, value in options.items():
            if isinstance(value, list):
                answer[key] = [self._tokens(key, one, hostname, options) for one in value]
            elif key == "proxycommand" and value is not None and value.lower() == "none":
                answer[key] = None
            elif key != "hostname" and value is not None:
                answer[key] = self._tokens(key, value, hostname, options)
        return answer

    def canonicalize(self, hostname: str, options: Mapping[str, Any], domains: Iterable[str]) -> str:
        """The name with the first of some domains that makes it one that resolves. (`lookup` has ssh do this.)

        Args:
            options: of a lookup: AddressFamily counts, and CanonicalizeFallbackLocal: without a "no" there, the name
                itself is given when nothing resolves.

        Raises:
            CouldNotCanonicalize: it is "no", and nothing resolves.
        """
        family = _FAMILIES.get(str(options.get("addressfamily", "any")).lower(), socket.AF_UNSPEC)
        for domain in domains:
            with contextlib.suppress(OSError, UnicodeError):
                socket.getaddrinfo(f"{hostname}.{domain}", None, family)
                return f"{hostname}.{domain}"
        if options.get("canonicalizefallbacklocal", "yes") == "yes":
            return hostname
        raise CouldNotCanonicalize(hostname)

    def get_hostnames(self) -> set[str]:
        """The patterns of all Host lines."""
        return {name for block in self._config for name in block.get("host", ())}

    def _counting(self, hostname: str) -> list[dict[str, Any]]:
        """The blocks that count for a host."""
        if all(block.get("host") == ["*"] for block in self._config):
            return self._config
        from ._host_patterns import block_counts, is_plain

        if is_plain(hostname):
            marks = _marks("".join(f"{line}\n" for line in self._questions()), hostname)
        else:
            marks = {number for number, block in enumerate(self._config) if block_counts(block, hostname)}
        counting: list[dict[str, Any]] = []
        numbers: set[int] = set()
        for number, block in enumerate(self._config):
            if number in marks and block.get("within", number) in {number, *numbers}:
                numbers.add(number)
                counting.append(block)
        return counting

    def _questions(self) -> Iterator[str]:
        yield "IgnoreUnknown *"
        for number, block in enumerate(self._config):
            if "host" in block:
                yield f"Host {' '.join(map(_quoted, block['host']))}"
            else:
                yield f"Match {' '.join(map(_criterion, block['matches']))}"
            yield f"SendEnv {_MARK}{number}"
            for key, value in block["config"].items():
                if "within" in block:
                    continue
                if key in _MATTERS and (key != "port" or value.isdigit()):
                    yield f"{key} {value}"
                elif key in ("proxycommand", "proxyjump"):
                    # That there is one keeps ssh from looking for canonical names.
                    yield f"ProxyCommand {'none' if value.lower() == 'none' else 'true'}"

    def _tokens(self, key: str, value: str, hostname: str, options: dict[str, Any]) -> str:
        allowed = self.TOKENS_BY_CONFIG_KEY.get(key, [])
        if "~" in allowed:
            # A command may name several files.
            value = re.sub(r"(?<!\S)~\S*", lambda found: os.path.expanduser(found[0]), value)
        if "%" not in value or not allowed:
            return value
        user = getpass.getuser()
        target = str(options.get("hostname", hostname)) if key != "hostname" else hostname
        port = str(options.get("port", SSH_PORT))
        remote = str(options.get("user", user))
        local = socket.gethostname()
        known = {
            "%d": os.path.expanduser("~"),
            "%h": target,
            "%L": local.split(".")[0],
            "%l": local,
            "%n": hostname,
            "%p": port,
            "%r": remote,
            "%u": user,
            "%C": hashlib.sha1(f"{local}{target}{port}{remote}".encode(), usedforsecurity=False).hexdigest(),
            "%%": "%",
        }
        return re.sub(r"%.", lambda found: known[found[0]] if found[0] in (*allowed, "%%") else found[0], value)


class LazyFqdn:
    """The full name of this machine, found out when it is asked for.

    Args:
        config: of a lookup; AddressFamily counts.
        host: to look up where that is one family only.
    """

    def __init__(self, config: Mapping[str, Any], host: str | None = None) -> None:
        self.fqdn: str | None = None
        self.config = config
        self.host = host

    def __str__(self) -> str:
        if self.fqdn is None:
            family = _FAMILIES.get(str(self.config.get("addressfamily", "any")).lower())
            if family is not None and self.host is not None:
                with contextlib.suppress(OSError, UnicodeError):
                    found = socket.getaddrinfo(self.host, None, family, socket.SOCK_DGRAM, 0, socket.AI_CANONNAME)
                    self.fqdn = next((name for *_, name, _address in found if "." in name), None)
            self.fqdn = self.fqdn or socket.getfqdn()
        return self.fqdn


def _store(config: dict[str, Any], key: str, value: str) -> None:
    """The first value counts, but for those that make a list."""
    if len(value) > 1 and value[0] == value[-1] == '"' and '"' not in value[1:-1]:
        value = value[1:-1]
    if key in _LISTS:
        config.setdefault(key, []).append(value)
    else:
        config.setdefault(key, value)


def _words(value: str, line: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        raise ConfigParseError(f"Unparsable host {line.split(None, 1)[-1]}") from error


def _criteria(value: str) -> list[dict[str, Any]]:
    """The criteria of a Match line."""
    words = _words(value, value)
    criteria: list[dict[str, Any]] = []
    while words:
        word = words.pop(0)
        kind = word.removeprefix("!").lower()
        one = {"type": kind, "param": None, "negate": word.startswith("!")}
        if kind not in _WITHOUT_VALUE:
            if not words:
                raise ConfigParseError(f"Missing parameter to Match {kind!r} keyword")
            one["param"] = words.pop(0)
        criteria.append(one)
    kinds = [one["type"] for one in criteria]
    if "all" in kinds and (set(kinds) - {"all", "canonical"} or kinds[-1] != "all"):
        raise ConfigParseError("Match does not allow 'all' mixed with anything but 'canonical'")
    return criteria


def _quoted(word: str) -> str:
    return f'"{word}"' if re.search(r"\s", word) else word


def _criterion(one: dict[str, Any]) -> str:
    if one["type"] not in _MATCHES:
        # Nobody knows what it means, so nothing is so.
        return "!all"
    escaped = str(one["param"]).replace("\\", "\\\\").replace('"', '\\"')
    word = "" if one["param"] is None else f' "{escaped}"'
    return f"{'!' if one['negate'] else ''}{one['type']}{word}"


def _marks(questions: str, hostname: str) -> set[int]:
    """The numbers of the marks that ssh -G shows.

    Raises:
        ConfigParseError: it does not accept what it is given.
    """
    with private_directory() as directory:
        path = os.path.join(directory, "config")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(questions)
        try:
            done = subprocess.run(
                ["ssh", "-G", "-F", path, "--", hostname],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
            )
        except FileNotFoundError:
            raise ConfigParseError("there is no ssh program to look it up; install OpenSSH's client") from None
        except subprocess.TimeoutExpired:
            raise ConfigParseError(f"ssh -G did not answer within {_PATIENCE:g} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().replace(f"{path}: ", "")
        if "could not resolve" in said.lower():
            raise CouldNotCanonicalize(hostname)
        raise ConfigParseError(said)
    shown = re.findall(rf"^sendenv {_MARK}(\d+)$", done.stdout.decode("utf-8", "replace"), re.M | re.I)
    return set(map(int, shown))


lend(__name__)
