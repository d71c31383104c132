"""What ssh(1) said at the end becomes a typed error.

ssh ends with 255 whatever was wrong, so its words are all there is. They are the same from 7 to 10.5; the lines that
decide are looked for from the top, because what a hostile server adds to the log comes after what ssh itself has found.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from .._value import Value
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionRefused,
    ConnectTimeout,
    HostKeyChanged,
    HostKeyError,
    HostKeyRevoked,
    HostKeyUnknown,
    HostUnreachable,
    NoSSHServer,
    SSHTooOld,
    TooManyAuthenticationFailures,
    TurnedAway,
    UnknownHost,
)
from .log import ServerFacts, escaped, last_words, read_lines, server_facts, signals_work

__all__ = ["ServerFacts", "diagnose", "last_words", "server_facts", "signals_work"]


class _Case(Value):
    """A log under diagnosis: the line that decides, and what else may explain it.

    Attributes:
        match: of the line.
        texts: all lines, those of debugging included.
        facts: see `ServerFacts`.
        host: the destination as the caller named it.
        words: the last words.
    """

    match: re.Match[str]
    texts: Sequence[str]
    facts: ServerFacts
    host: str
    words: str

    def find(self, pattern: str) -> re.Match[str] | None:
        """The first line that this fits, as a whole."""
        return next((match for text in self.texts if (match := re.fullmatch(pattern, text))), None)

    def error(self, kind: type[ConnectError], what: str, advice: str | None = None) -> ConnectError:
        return kind(escaped(what), host=self.host, advice=advice, last_words=self.words)


def diagnose(log_text: str, *, host: str, exit_code: int | None) -> ConnectError:
    """The error for a login that failed.

    Args:
        log_text: all that ssh wrote, to its log (`-E`) and to stderr.
        host: the destination as the caller named it.
        exit_code: of ssh; negative for a signal, None when it has not ended.
    """
    lines = read_lines(log_text)
    texts = [line.text for line in lines]
    words = last_words(log_text)
    for line in lines:
        if line.debug:
            continue
        for pattern, explain in _RULES:
            if match := re.fullmatch(pattern, line.text):
                error = explain(_Case(match, texts, server_facts(log_text), host, words))
                if error is not None:
                    return error
    said = words.rpartition("\n")[2]
    return ConnectError(f"ssh {_ending(exit_code)}" + (f": {said}" if said else ""), host=host, last_words=words)


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "has not logged in"
    if exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended with status {exit_code}"


# ---- the network ----------------------------------------------------------------------------------------

_UNREACHABLE = ("No route to host", "Network is unreachable", "Host is down", "Network is down", "Permission denied")


def _unknown_host(case: _Case) -> ConnectError:
    return case.error(UnknownHost, f"the name {case.match[1]} does not resolve ({case.match[2]})")


def _no_connection(case: _Case) -> ConnectError:
    where, port, reason = case.match.groups()
    there = f"{where} port {port}"
    if reason == "Connection refused":
        return case.error(ConnectionRefused, f"{there} refuses the connection")
    if reason in ("Connection timed out", "Operation timed out"):
        return _at("connection", case.error(ConnectTimeout, f"{there} does not answer"))
    if reason in _UNREACHABLE:
        return case.error(HostUnreachable, f"{there} cannot be reached ({reason})")
    return case.error(ConnectError, f"there is no connection to {there} ({reason})")


def _silent_server(case: _Case) -> ConnectError:
    error = case.error(
        ConnectTimeout,
        "the server accepted the connection and then said nothing",
        "Check that it is an SSH server that listens there, and that it is not overloaded",
    )
    return _at("greeting", error)


def _login_stalled(case: _Case) -> ConnectError:
    return _at("login", case.error(ConnectTimeout, "the server stopped answering during the login"))


def _at(stage: str, error: ConnectError) -> ConnectError:
    assert isinstance(error, ConnectTimeout)
    error.stage = stage
    return error


def _no_ssh_there(case: _Case) -> ConnectError:
    return case.error(NoSSHServer, "what answers there is no SSH server, or one of another age")


def _broken_off(case: _Case) -> ConnectError:
    """The connection ended without a reason. How far it had come says where to look."""
    if case.find(r".*\bUNKNOWN port 65535\b.*"):
        return case.error(
            ConnectError,
            "the ProxyCommand or the jump host gave no connection",
            "ssh hides their messages here. Run ssh by hand to the jump host, with the same options",
        )
    if case.find(r"banner line [0-9]+: (Not allowed at this time|Exceeded MaxStartups)"):
        return case.error(
            TurnedAway,
            "the server turns connections away at the moment",
            "Too many logins at once (its MaxStartups), or too many failed ones (its PerSourcePenalties). Wait, then "
            "retry with fewer at a time",
        )
    if case.find(r"banner line [0-9]+: .*"):
        return _no_ssh_there(case)
    if case.facts.version is None:
        return case.error(TurnedAway, "the server closed the connection before it said a word")
    return case.error(
        ConnectError, "the server closed the connection during the login", "Its log says why; this side is not told"
    )


def _disconnected(case: _Case) -> ConnectError:
    """RFC 4253 section 11.1: the server gives a reason, in its own words."""
    return case.error(ConnectError, f"the server ended the login ({case.match[1]})")


def _packet_trouble(case: _Case) -> ConnectError:
    if "UNKNOWN port 65535" in case.match[0]:
        return _broken_off(case)
    return case.error(ConnectError, f"the connection broke during the login ({case.match[1]})")


def _nothing_in_common(case: _Case) -> ConnectError:
    return case.error(
        ConnectError,
        f"ssh and the server have no {case.match[1]} in common; the server offers {case.match[2]}",
        "Where you trust the server all the same, allow one by an option such as HostKeyAlgorithms='+ssh-rsa', "
        "KexAlgorithms= or Ciphers=",
    )


# ---- the host key ---------------------------------------------------------------------------------------


def _key_shown(case: _Case) -> str:
    return case.facts.host_key or "its host key"


def _host_key_unknown(case: _Case) -> ConnectError:
    return case.error(HostKeyUnknown, f"its host key is not on record ({_key_shown(case)})")


def _host_key_changed(case: _Case) -> ConnectError:
    on_record = case.find(r"Offending (?:.* )?key(?: for IP)? in (.+:[0-9]+)")
    shown = case.find(r"(SHA256:[A-Za-z0-9+/=]+|MD5:[0-9a-f:]+)\.?")
    fingerprint = shown[1] if shown else (case.facts.host_key or "").rpartition(" ")[2]
    where = escaped(on_record[1]) if on_record else ""
    what = "it shows another host key than the one on record"
    facts = ", ".join(filter(None, [fingerprint, f"on record in {where}" if where else ""]))
    return HostKeyChanged(
        f"{what} ({facts})" if facts else what,
        host=case.host,
        last_words=case.words,
        fingerprint=fingerprint,
        recorded_in=where,
    )


def _host_key_revoked(case: _Case) -> ConnectError:
    return case.error(HostKeyRevoked, f"its host key is revoked ({_key_shown(case)})")


def _known_hosts_command(case: _Case) -> ConnectError:
    failed = case.find(r"KnownHostsCommand\S* (.+)")
    why = f" ({failed[1]})" if failed else ""
    return case.error(HostKeyError, f"the KnownHostsCommand failed{why}", "Without it no host key can be checked")


# ---- who logs in ----------------------------------------------------------------------------------------

# How ssh complains about a key file, and what to do then.
_KEY_TROUBLE = (
    (
        r'Load key "(.+)": bad permissions',
        "Others can read the key file {0}, so ssh does not use it: chmod 600",
    ),
    (
        r'Load key "(.+)": (?:invalid format|error in libcrypto|.*unsupported.*)',
        "ssh cannot read the key file {0}: it is damaged, a public key, or of a format that needs ssh-keygen -i",
    ),
    (
        r'Load key "(.+)": (.+)',
        "ssh cannot use the key file {0}: {1}",
    ),
    (
        r"(?:no such identity: (.+)|Warning: Identity file (.+) not accessible): .*",
        "There is no key file {0}",
    ),
    (
        r'sign_and_send_pubkey: signing failed for \S+ "(.*)"(?: from agent)?: (.+)',
        "The key {0} could not sign: {1}",
    ),
)


_PARTIAL = r'Authenticated using "([A-Za-z0-9@._-]+)" with partial success\.'


_OFFERED = r"Authentications that can continue: (.*)"


def _permission_denied(case: _Case) -> ConnectError:
    methods = _methods(case.match["methods"])
    who = f" as {case.facts.user}" if case.facts.user else ""
    offered = f"; it takes {', '.join(methods)}" if methods else ""
    partial = _taken_as_a_part(case)
    if partial and methods:
        offered = f"; it took {', '.join(partial)} as a part of it, and wants {' or '.join(methods)} as well"
    error = AuthenticationError(
        escaped(f"the server refused the login{who}{offered}"),
        host=case.host,
        advice=_key_advice(case),
        last_words=case.words,
        methods=methods,
    )
    error.partial = partial
    return error


def _taken_as_a_part(case: _Case) -> tuple[str, ...]:
    """What stands before the line that decides: the server's banner, which may be anything, comes last."""
    return _first_groups(_PARTIAL, itertools.takewhile(lambda text: text != case.match[0], case.texts))


def way_to_log_in(log_text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How far a login has come that was broken off: methods that were taken as a part of it, and those that the server
    offered last.

    Args:
        log_text: what ssh wrote to its log; nothing else, for the server's banner may be anything.
    """
    texts = [line.text for line in read_lines(log_text)]
    offered = _first_groups(_OFFERED, texts)
    return _first_groups(_PARTIAL, texts), _methods(offered[-1]) if offered else ()


def _first_groups(pattern: str, texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(match[1] for text in texts if (match := re.fullmatch(pattern, text)))


def _methods(names: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[A-Za-z0-9@._-]+", names))


def _key_advice(case: _Case) -> str | None:
    for pattern, advice in _KEY_TROUBLE:
        if match := case.find(pattern):
            return escaped(advice.format(*[group for group in match.groups() if group is not None]))
    return None


def _not_authenticated(case: _Case) -> ConnectError:
    return case.error(AuthenticationError, "the server refused the login", _key_advice(case))


def _too_many(case: _Case) -> ConnectError:
    return case.error(TooManyAuthenticationFailures, "the server saw too many failed attempts")


# ---- this side ------------------------------------------------------------------------------------------

_OUR_OPTIONS = ("knownhostscommand", "logverbose", "forkafterauthentication", "permitlocalcommand", "identityagent")


def _bad_option(case: _Case) -> ConnectError:
    if case.match["file"] == "command-line" and case.match["option"].lower() in _OUR_OPTIONS:
        return case.error(SSHTooOld, f"this ssh does not know the option {case.match['option']}")
    what = f"ssh does not know the option {case.match['option']}"
    return case.error(ConfigurationError, f"{what} ({_place(case)})", _configuration_advice(case))


def _bad_line(case: _Case) -> ConnectError | None:
    reason = case.match["reason"].rstrip(".")
    fatal = case.match["file"] == "command-line" or case.find(r".+: terminating, [0-9]+ bad configuration options")
    # An option that this ssh was built without is complained about, and passed over.
    if not fatal or reason.startswith("Unsupported option"):
        return None
    if case.match["file"] == "command-line" and '"accept-new"' in reason:
        return case.error(SSHTooOld, "this ssh does not know StrictHostKeyChecking=accept-new")
    what = f"ssh does not accept its configuration ({_place(case)}: {reason})"
    return case.error(ConfigurationError, what, _configuration_advice(case))


def _place(case: _Case) -> str:
    file = case.match["file"]
    return "options=" if file == "command-line" else f"{file} line {case.match['line']}"


def _configuration_advice(case: _Case) -> str | None:
    return "Correct it in options=" if case.match["file"] == "command-line" else None


def _configuration_file(case: _Case) -> ConnectError:
    return case.error(ConfigurationError, f"ssh cannot use its configuration: {case.match[0]}")


def _bad_owner(case: _Case) -> ConnectError:
    return case.error(
        ConfigurationError,
        f"others can write to {case.match[1]}, so ssh does not read it",
        f"chmod go-w {case.match[1]}, and make it yours",
    )


def _bad_usage(case: _Case) -> ConnectError:
    return case.error(SSHTooOld, f"this ssh does not understand its command line ({case.match[0]})")


def _no_control_socket(case: _Case) -> ConnectError:
    return case.error(
        ConnectError,
        f"ssh logged in but could not make its control socket ({case.match[0]})",
        "Choose another directory: control_dir=",
    )


Explain = Callable[[_Case], ConnectError | None]

# A line as a whole, and who explains it (None: it was not that). Order matters between patterns that fit the same line.
# They are compiled when a login has failed: most programs never need them.
_RULES: tuple[tuple[str, Explain], ...] = (
    (r"(?P<file>.+): line (?P<line>[0-9]+): Bad configuration option: (?P<option>.+)", _bad_option),
    (r"(?P<file>.+?):? line (?P<line>[0-9]+): (?P<reason>.+)", _bad_line),
    (r"Bad owner or permissions on (.+)", _bad_owner),
    (r"Can't open user config file .+", _configuration_file),
    (r"(?:.+: )?(?:unknown|illegal|invalid) option -- .+", _bad_usage),
    (r"(?:ssh: )?Could not resolve hostname (.+): (.+)", _unknown_host),
    (r"(?:ssh: )?connect to (?:host|address) (.+) port ([0-9]+): (.+)", _no_connection),
    (r"(?:banner exchange: )?Connection to .+ port [0-9]+ timed out", _silent_server),
    (r"Connection timed out during banner exchange", _silent_server),
    (r"Timeout, server .+ not responding\.", _login_stalled),
    (r"Host key for .+ has changed and you have requested strict checking\.", _host_key_changed),
    (r".+ host key for .+ was revoked and you have requested strict checking\.", _host_key_revoked),
    (r"Host key .+ revoked by file .+", _host_key_revoked),
    (r"KnownHostsCommand failed", _known_hosts_command),
    (r"No .*host key is known for .+ and you have requested strict checking\.", _host_key_unknown),
    (r"Host key verification failed\.", _host_key_unknown),
    (r"(?:.+: )?Permission denied \((?P<methods>[^()]*)\)\.", _permission_denied),
    (r"Authentication failed\.", _not_authenticated),
    (r"(?:.+: )?Too many authentication failures.*", _too_many),
    (r"Received disconnect from .+? port [0-9]+:[0-9]+: (.*)", _disconnected),
    (r"Unable to negotiate with .+: no matching (.+) found\. Their offer: (.*)", _nothing_in_common),
    (r"(?:(?:kex|ssh)_exchange_identification: )?Connection closed by remote host", _broken_off),
    (r"(?:(?:kex|ssh)_exchange_identification: )?read: Connection reset by peer", _broken_off),
    (r"Connection (?:closed|reset) by .+ port [0-9]+", _broken_off),
    (r"Disconnected from .+ port [0-9]+", _broken_off),
    (
        r"(?:(?:kex|ssh)_exchange_identification: )?banner line (?:contains invalid characters|too long)",
        _no_ssh_there,
    ),
    (r"(?:(?:kex|ssh)_exchange_identification: )?[Cc]lient sent invalid protocol identifier .*", _no_ssh_there),
    (r"Bad remote protocol version identification: .*", _no_ssh_there),
    (r"Protocol major versions differ: .*", _no_ssh_there),
    (r"(?:.+: )?Connection to .+ port [0-9]+: (.+)", _packet_trouble),
    (r"(?:unix_listener: |ControlPath |ControlSocket ).+", _no_control_socket),
)
