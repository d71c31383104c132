"""Reading the log of ssh(1): plain lines without the marks of its debugging, and the facts that stand in it.

Part of the text is the server's own (its version, a banner, a farewell), and it may hold anything, forged lines
included. So a fact is taken from the first line that states it: that one ssh itself has written, before the server
could say anything. What is shown to people is escaped.
"""

from __future__ import annotations

import re

from .._value import Value
from ..handshake import Handshake

# Before a line: its level, then (for lines that LogVerbose brought in) where in the source it was written.
_LEVEL = re.compile(r"debug[123]: ")
_TAG = re.compile(r"[A-Za-z0-9_.-]+\.c:[A-Za-z0-9_]+\(\):[0-9]+ \(")
_TAG_END = re.compile(r"pid=[0-9]+\): ")
# ssh cuts the mark at this length, in the middle of the program's path if need be (log.c).
_LONGEST_TAG = 127

# ssh's own lines have 1,024 bytes at most. A server's banner can have any length, and must not keep us busy.
_LONGEST_LINE = 1_300
_MUCH = 100_000

_VERSION = re.compile(r"Remote protocol version [0-9.]{1,20}, remote software version (.*)")
_WHO = re.compile(r"Authenticating to (.+):([0-9]{1,5}) as '(.*)'")
_CONNECTING = re.compile(r"Connecting to .+ \[(.+)\] port ([0-9]{1,5})\.")
_CONNECTED = "Connection established."
_HOST_KEY = re.compile(r"Server host (?:key|certificate): (\S+ \S+?)(?:, .*)?")
_NEW_KEY = re.compile(r"Warning: Permanently added .* to the list of known hosts\.")
# Compiled when a login has been made.
_KEX = r"kex: algorithm: (\S+)"
_HOST_KEY_ALGORITHM = r"kex: host key algorithm: (\S+)"
_TO_SERVER = r"kex: client->server cipher: (\S+) MAC: (\S+) compression: (\S+)"
_FROM_SERVER = r"kex: server->client cipher: (\S+) MAC: (\S+) compression: (\S+)"
_LOGGED_IN = re.compile(r"Authenticated to .* using .*")

_OPENSSH = re.compile(r"OpenSSH_([0-9]{1,3})\.([0-9]{1,3})")


class Line(Value):
    """One line of the log.

    Attributes:
        text: without level and mark.
        debug: whether ssh counts it as debugging.
    """

    text: str
    debug: bool = False


class ServerFacts(Value):
    """What the log of a login tells about the other side; None where it does not.

    Attributes:
        version: the server's software and its version, in the server's own words (RFC 4253 section 4.2).
        user: as whom ssh logs in.
        host_key: type and fingerprint of the key the server showed.
        host, port: where ssh connected to, after all aliases.
        address: the same as an IP address and a port, None where ssh did not connect itself.
        host_key_is_new: whether the key was in no known_hosts file and has been accepted.
        handshake: what was agreed on.
    """

    version: str | None = None
    user: str | None = None
    host_key: str | None = None
    host: str | None = None
    port: int | None = None
    address: tuple[str, int] | None = None
    host_key_is_new: bool = False
    handshake: Handshake | None = None


def read_lines(log_text: str) -> list[Line]:
    """The lines of a log that ssh wrote with `-E`, or to stderr. Of very long ones, the beginning and the end."""
    if len(log_text) > 2 * _MUCH:
        log_text = f"{log_text[:_MUCH]}\n{log_text[-_MUCH:]}"
    return [_read_line(line[:_LONGEST_LINE].rstrip("\r")) for line in log_text.split("\n")]


def server_facts(log_text: str) -> ServerFacts:
    """The facts in the log of a login; see `argv.master_argv` for how they come there (ssh 8.5 and newer)."""
    texts = [line.text for line in read_lines(log_text)]
    version = _first(_VERSION, texts)
    who = _first(_WHO, texts)
    key = _first(_HOST_KEY, texts)
    return ServerFacts(
        version=escaped(version[1]) if version else None,
        user=who[3] if who else None,
        host_key=escaped(key[1]) if key else None,
        host=who[1] if who else None,
        port=int(who[2]) if who else None,
        address=_address(texts),
        host_key_is_new=_first(_NEW_KEY, texts) is not None,
        handshake=_handshake(texts, escaped(version[1])) if version else None,
    )


# What is not complete yet, in order.
STAGES = ("connection", "greeting", "handshake", "login")
_LOCAL_VERSION = r"Local version string .*"


def stage_of(log_text: str) -> str:
    """How far a login has come, by its log (ssh 8.5 and newer): one of `STAGES`."""
    texts = [line.text for line in read_lines(log_text)]
    if _first(_VERSION, texts):
        return "login" if _first(_HOST_KEY, texts) else "handshake"
    return "greeting" if _CONNECTED in texts or _first(_LOCAL_VERSION, texts) else "connection"


def _handshake(texts: list[str], version: str) -> Handshake:
    """The first key exchange; later ones renew what it has settled."""
    kex, signs = _first(_KEX, texts), _first(_HOST_KEY_ALGORITHM, texts)
    out, back = _first(_TO_SERVER, texts), _first(_FROM_SERVER, texts)
    nothing = ("", "", "")
    # What both sides have to know cannot be forged, but it is printed: a name is printable ASCII (RFC 4251 section 6).
    return Handshake(
        version,
        kex[1] if kex else "",
        signs[1] if signs else "",
        *(out.groups() if out else nothing),
        *(back.groups() if back else nothing),
    )


def _address(texts: list[str]) -> tuple[str, int] | None:
    """The last address that was tried before one answered."""
    if _CONNECTED not in texts:
        return None
    for text in reversed(texts[: texts.index(_CONNECTED)]):
        if match := _CONNECTING.fullmatch(text):
            return match[1], int(match[2])
    return None


def signals_work(facts: ServerFacts) -> bool | None:
    """Whether the server will pass a signal to a command (RFC 4254 section 6.9); None when that is not known.

    OpenSSH does it for everybody since 9.8, from 7.9 on for all but root, and before that for nobody. Other servers are
    given the benefit of the doubt: a refusal is answered, so trying does no harm.
    """
    if facts.version is None:
        return None
    version = openssh_version(facts.version)
    if version is None:
        return None if "OpenSSH" in facts.version else True
    if version >= (9, 8):
        return True
    if version < (7, 9):
        return False
    return None if facts.user is None else facts.user != "root"


def openssh_version(text: str) -> tuple[int, int] | None:
    """OpenSSH's version as a pair, from a server's words or from `ssh -V`; None for other software."""
    match = _OPENSSH.search(text)
    return (int(match[1]), int(match[2])) if match else None


def last_words(log_text: str) -> str:
    """What ssh had to say to its user: no debugging, nothing that can move a cursor."""
    lines = [line.text.rstrip() for line in read_lines(log_text) if not line.debug]
    return "\n".join(escaped(line) for line in lines if line and not _LOGGED_IN.fullmatch(line))


def escaped(text: str) -> str:
    """Text that is safe on a terminal and in a log: one line, and no character that is not shown."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def shown(text: str) -> str:
    """Several lines of the server's, safe on a terminal."""
    return "\n".join(map(escaped, text.replace("\r\n", "\n").split("\n")))


def _read_line(line: str) -> Line:
    level = _LEVEL.match(line)
    text = line[level.end() :] if level else line
    if _TAG.match(text):
        end = _TAG_END.search(text, 0, _LONGEST_TAG + 2)
        if end:
            text = text[end.end() :]
        elif text[_LONGEST_TAG : _LONGEST_TAG + 2] == ": ":
            text = text[_LONGEST_TAG + 2 :]
    return Line(text, level is not None)


def _first(pattern: re.Pattern[str] | str, texts: list[str]) -> re.Match[str] | None:
    pattern = re.compile(pattern)
    return next((match for text in texts if (match := pattern.fullmatch(text))), None)
