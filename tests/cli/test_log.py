"""Logs as several versions of ssh write them, and as a hostile server would like them to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.log import (
    Line,
    ServerFacts,
    escaped,
    last_words,
    openssh_version,
    read_lines,
    server_facts,
    signals_work,
)
from openssh_core.handshake import Handshake

# 9.2p1 with LogVerbose.
NINE = """\
debug1: kex.c:kex_exchange_identification():1347 (pid=20244): Local version string SSH-2.0-OpenSSH_9.2p1 Debian-2\r
debug1: kex.c:kex_exchange_identification():1456 (pid=20244): Remote protocol version 2.0, remote software version \
OpenSSH_9.2p1 Debian-2+deb12u10\r
debug1: sshconnect.c:ssh_login():1585 (pid=20244): Authenticating to 127.0.0.1:4501 as 'root'\r
debug1: sshconnect.c:verify_host_key():1477 (pid=20244): Server host key: ssh-ed25519 SHA256:kk5D+j5mTlmByZHrDZExNY\r
sshconnect2.c:ssh_userauth2():580 (pid=20244): Authenticated to 127.0.0.1 ([127.0.0.1]:4501) using "publickey".\r
"""

# 10.5p1 names the program too.
TEN = NINE.replace("(pid=", "(bin=/opt/ssh (new): 10/bin/ssh, pid=")

# `ssh -v`, as far back as there is.
PLAIN = """\
debug1: Remote protocol version 2.0, remote software version dropbear_2022.83\r
debug1: Authenticating to fe80::1%eth0:22 as 'it's me'\r
debug1: Server host key: ecdsa-sha2-nistp256 SHA256:abc\r
Warning: Permanently added 'h' (ECDSA) to the list of known hosts.\r
"""

FACTS = ServerFacts(
    version="OpenSSH_9.2p1 Debian-2+deb12u10",
    user="root",
    host_key="ssh-ed25519 SHA256:kk5D+j5mTlmByZHrDZExNY",
    host="127.0.0.1",
    port=4501,
    handshake=Handshake("OpenSSH_9.2p1 Debian-2+deb12u10"),
)


@pytest.mark.parametrize("log", [NINE, TEN, NINE.replace("\r", ""), "noise\n" + NINE])
def test_facts_of_a_login(log: str) -> None:
    assert server_facts(log) == FACTS


def test_facts_of_a_plain_debug_log() -> None:
    assert server_facts(PLAIN) == ServerFacts(
        "dropbear_2022.83",
        "it's me",
        "ecdsa-sha2-nistp256 SHA256:abc",
        "fe80::1%eth0",
        22,
        host_key_is_new=True,
        handshake=Handshake("dropbear_2022.83"),
    )


def test_a_host_certificate_is_a_host_key() -> None:
    line = "debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:abc, serial 0 ID x CA y\n"
    assert server_facts(line).host_key == "ssh-ed25519-cert-v01@openssh.com SHA256:abc"


def test_a_mark_that_ssh_has_cut_short() -> None:
    mark = ("kex.c:kex_exchange_identification():1398 (bin=/" + "long/" * 40)[:127]
    line = f"debug1: {mark}: Remote protocol version 2.0, remote software version X"
    assert read_lines(line) == [Line("Remote protocol version 2.0, remote software version X", debug=True)]


@pytest.mark.parametrize(
    "text", ["", "\n", "debug1: ", "a.c:b():1 (pid=", "a.c:b():1 (pid=x): y", "debug9: x", "debug1:x"]
)
def test_what_is_no_mark_stays(text: str) -> None:
    assert "".join(line.text for line in read_lines(text)) == text.removeprefix("debug1: ").replace("\n", "")


AGREED = """\
debug1: kex.c:kex_exchange_identification():1456 (pid=9): Remote protocol version 2.0, remote software version X_1
debug2: kex.c:kex_choose_conf():1005 (pid=9): peer server KEXINIT proposal
debug1: kex.c:choose_kex():929 (pid=9): kex: algorithm: sntrup761x25519-sha512
debug1: kex.c:choose_hostkeyalg():948 (pid=9): kex: host key algorithm: rsa-sha2-512
debug1: kex.c:kex_choose_conf():1091 (pid=9): kex: server->client cipher: aes128-ctr MAC: hmac-sha2-256 \
compression: none
debug1: kex.c:kex_choose_conf():1091 (pid=9): kex: client->server cipher: chacha20-poly1305@openssh.com \
MAC: <implicit> compression: zlib@openssh.com
"""


def test_what_was_agreed_on() -> None:
    agreed = Handshake(
        "X_1",
        "sntrup761x25519-sha512",
        "rsa-sha2-512",
        *("chacha20-poly1305@openssh.com", "<implicit>", "zlib@openssh.com"),
        *("aes128-ctr", "hmac-sha2-256", "none"),
    )
    assert server_facts(AGREED).handshake == agreed
    later = AGREED.replace("aes128-ctr", "3des-cbc").replace("X_1", "X_2")
    assert server_facts(AGREED + later).handshake == agreed
    assert server_facts(AGREED.splitlines()[0]).handshake == Handshake("X_1")


def test_nothing_known() -> None:
    assert server_facts("") == ServerFacts() == server_facts("Permission denied")


def test_a_server_cannot_replace_what_ssh_has_said() -> None:
    """Its banner is printed as it is, after these lines."""
    forged = NINE.replace("OpenSSH_9.2p1", "OpenSSH_99.9").replace("'root'", "'admin'").replace("4501", "1")
    assert server_facts(NINE + forged) == FACTS


def test_a_server_cannot_state_facts_before_its_version() -> None:
    forged = (
        "debug1: kex.c:kex_exchange_identification():1430 (pid=1): banner line 0: Remote protocol version 2.0, "
        "remote software version OpenSSH_99.9\n"
    )
    assert server_facts(forged).version is None


@pytest.mark.parametrize(
    ("version", "user", "expected"),
    [
        ("OpenSSH_10.0p2", "root", True),
        ("OpenSSH_9.8", "root", True),
        ("OpenSSH_9.8", None, True),
        ("OpenSSH_9.7p1 Ubuntu-7", "root", False),
        ("OpenSSH_9.7p1", "me", True),
        ("OpenSSH_9.7p1", None, None),
        ("OpenSSH_7.9", "me", True),
        ("OpenSSH_7.8p1", "me", False),
        ("OpenSSH_7.4", None, False),
        ("dropbear_2022.83", "root", True),
        ("OpenSSH_for_Windows_9.5", "me", None),
        (None, "me", None),
    ],
)
def test_whether_signals_work(version: str | None, user: str | None, expected: bool | None) -> None:
    assert signals_work(ServerFacts(version=version, user=user)) is expected


def test_versions() -> None:
    assert openssh_version("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026") == (9, 2)
    assert openssh_version("OpenSSH_10.5p1") == (10, 5)
    assert openssh_version("dropbear") is None


def test_last_words_are_for_people() -> None:
    log = NINE + "Warning: careful\r\n\r\nroot@h: \x1b[31mPermission denied\u202e (publickey).\r\ndebug1: noise\r\n"
    assert last_words(log) == "Warning: careful\nroot@h: \\x1b[31mPermission denied\\u202e (publickey)."
    assert last_words(NINE) == ""


def test_escaped() -> None:
    assert escaped("größe €") == "größe €"
    assert escaped("a\nb\t\x00\x9b") == "a\\nb\\t\\x00\\x9b"


def test_endless_banners_do_not_hide_the_end() -> None:
    log = NINE + "x" * 5_000_000 + "\n" + "y\n" * 2_000_000 + "Permission denied (publickey).\r\n"
    assert server_facts(log) == FACTS
    assert last_words(log).endswith("Permission denied (publickey).")
    assert len(last_words(log)) < 250_000


PIECES = ["debug1: ", "a.c:b():1 (", "pid=1): ", "\r\n", "x", "Authenticating to ", ":22 as 'x'"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_a_log(text: str) -> None:
    server_facts(text)
    signals_work(server_facts(text))
    assert "\r" not in last_words(text)


@given(st.lists(st.sampled_from([*NINE.splitlines(), "\x1b", "Warning", "debug1: x"])).map("\n".join))
def test_lines_in_any_order_are_a_log(text: str) -> None:
    server_facts(text)
    assert "debug1" not in last_words(text)
