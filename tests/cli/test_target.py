"""Destinations: what is understood, what is refused, and that no password is ever repeated."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._cli.target import Target, check_host, check_port, check_target, check_user, parse_target
from openssh_core.errors import InvalidTarget

UNDERSTOOD = {
    "web1": Target("web1"),
    "web_1.example.com.": Target("web_1.example.com."),
    "10.0.0.1": Target("10.0.0.1"),
    "host:22": Target("host", None, 22),
    "deploy@web1": Target("web1", "deploy"),
    "deploy@web1:2222": Target("web1", "deploy", 2222),
    "user@REALM@host": Target("host", "user@REALM"),
    "DOM\\user@host": Target("host", "DOM\\user"),
    "a b@host": Target("host", "a b"),
    "jürgen@host": Target("host", "jürgen"),
    "vault#x%y@host": Target("host", "vault#x%y"),
    "user:pw@host:22": Target("host", "user", 22, "pw"),
    "user:p@w:x/y;z@host": Target("host", "user", None, "p@w:x/y;z"),
    "user:@host": Target("host", "user", None, ""),
    "::1": Target("::1"),
    "::": Target("::"),
    "[::1]": Target("::1"),
    "[::1]:22": Target("::1", None, 22),
    "user@[::1]:22": Target("::1", "user", 22),
    "u@2001:db8::1": Target("2001:db8::1", "u"),
    "fe80::1%eth0": Target("fe80::1%eth0"),
    "[fe80::1%eth0.100]:22": Target("fe80::1%eth0.100", None, 22),
    "::ffff:10.0.0.1": Target("::ffff:10.0.0.1"),
    "ssh://host": Target("host"),
    "ssh://host/": Target("host"),
    "SSH://user@host:22": Target("host", "user", 22),
    "ssh://us%65r:p%40%2Fw@host:22/": Target("host", "user", 22, "p@/w"),
    "ssh://a%20b@host": Target("host", "a b"),
    "ssh://[::1]:22": Target("::1", None, 22),
    "ssh://u@[fe80::1%25eth0]:22": Target("fe80::1%eth0", "u", 22),
}

REFUSED = {
    "": "empty",
    "-oProxyCommand=touch x": "dash",
    "-h": "dash",
    "u@-h": "dash",
    "-u@h": "dash",
    "u@": "no host",
    "@h": "no user",
    ":pw@h": "no user",
    "h:": "port",
    ":22": "no host",
    "h:0": "port",
    "h:-1": "port",
    "h:70000": "port",
    "h:22;x": "port",
    "h:22 ": "port",
    "h:２２": "port",
    "h:1e3": "port",
    "h:999999999": "port",
    "h/path": "'/'",
    "h?x": "'[?]'",
    "a b": "blank",
    " h": "blank",
    "h ": "blank",
    "u@h ": "blank",
    "a\tb": "control",
    "h\n": "control",
    "h\0": "control",
    "u\n@h": "control",
    "h\x7f": "control",
    "h\x85": "control",
    "h%x": "percent",
    "büro": "xfc",
    "a,b": "','",
    "~": "'~'",
    "h" * 254: "longer",
    "u" * 256 + "@h": "longer",
    "u$x@h": "'[$]'",
    "u;x@h": "';'",
    "u`id`@h": "'`'",
    "u'@h": "apostrophe",
    'u"@h': "'\"'",
    "u|x@h": "'[|]'",
    "u(x)@h": "'[(]'",
    "u*@h": "'[*]'",
    "u\\@h": "backslash",
    "u -oX@h": "dash",
    "u #x@h": "number sign",
    " u@h": "blank",
    "u  x@h": "blank",
    "u\u202ex@h": "printed",
    "u\ud800@h": "printed",
    "[::1": "bracket",
    "[::1]22": "bracket",
    "[::1]:": "port",
    "[host]:22": "IPv6",
    "[]": "IPv6",
    "::1::": "IPv6",
    ":::": "IPv6",
    "1:2:3": "IPv6",
    "1:2:3:4:5:6:7:8:9": "IPv6",
    "12345::1": "IPv6",
    "fe80::1%": "IPv6",
    "fe80::1%-x": "IPv6",
    "fe80::1%a;b": "IPv6",
    "::10.0.0.256": "IPv6",
    "http://host": "http",
    "ssh://": "no host",
    "ssh://u@h:99999/": "port",
    "ssh://h/path": "path",
    "ssh://h?query": "path",
    "ssh://h#x": "path",
    "ssh://u;fingerprint=x@h": "parameters",
    "ssh://u%00@h": "control",
    "ssh://u:%0a@h": "control",
    "ssh://h%0a": "control",
    "ssh://h%2Fx": "'/'",
    "ssh://u%zz@h": "percent",
    "ssh://u%ff@h": "UTF-8",
    "ssh://u%@h": "percent",
    "ssh://-h": "dash",
    "ssh://u%27@h": "apostrophe",
}
for meta in ";$()`|&<>'\"\\{}*!^#=":
    REFUSED.setdefault(f"h{meta}x", "host contains")


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_understood(text: str) -> None:
    assert parse_target(text) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidTarget, match=REFUSED[text]):
        parse_target(text)


@pytest.mark.parametrize("text", [None, b"host", 5, ["host"], Target("h")])
def test_only_text_is_a_target(text: object) -> None:
    with pytest.raises(InvalidTarget):
        parse_target(text)  # type: ignore[arg-type]


def test_user_and_port_may_come_apart() -> None:
    assert parse_target("h", user="u", port=22) == Target("h", "u", 22)
    assert parse_target("u@h:22", user="u", port=22) == Target("h", "u", 22)
    assert parse_target("u:pw@h", user="u") == Target("h", "u", None, "pw")
    with pytest.raises(InvalidTarget, match="another user"):
        parse_target("u@h", user="v")
    with pytest.raises(InvalidTarget, match="another port"):
        parse_target("h:22", port=23)


@pytest.mark.parametrize("port", [0, -1, 70000, "22", "22;x", True, 22.0, [22]])
def test_ports_that_are_none(port: object) -> None:
    with pytest.raises(InvalidTarget, match="port="):
        parse_target("h", port=port)  # type: ignore[arg-type]


@pytest.mark.parametrize("user", ["", "-x", "a;b", "a\nb", "\0", 5, "a$b"])
def test_users_that_are_none(user: object) -> None:
    with pytest.raises(InvalidTarget, match="user"):
        parse_target("h", user=user)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("h"), "h"),
        (Target("h", "u", 22, "secret"), "u@h:22"),
        (Target("::1", "u", 22), "u@[::1]:22"),
        (Target("::1"), "::1"),
    ],
)
def test_shown_without_the_password(target: Target, text: str) -> None:
    assert str(target) == text
    assert "secret" not in repr(target)


@pytest.mark.parametrize(
    "secret", ["sec;ret", "sec@re t", "sec@-ret", "sec ret@", "sec\nret", "sec%zzret", "secret@h/x"]
)
def test_no_error_repeats_the_text(secret: str) -> None:
    for text in (f"user:{secret}", f"ssh://user:{secret}@h/p", f"user:{secret}@h;x", f"bad;user:{secret}@h"):
        with pytest.raises(InvalidTarget) as caught:
            parse_target(text)
        assert "ret" not in str(caught.value)
        assert "sec" not in str(caught.value)


@given(
    st.text()
    | st.text("ab1:@[]%./-\\ ;s")
    | st.from_regex(r"(ssh://)?(\S+(:.*)?@)?\[?\S+\]?(:[0-9]+)?/?", fullmatch=True)
)
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidTarget:
        return
    check_target(target)
    again = parse_target(str(target))
    assert (again.host, again.user, again.port) == (target.host, target.user, target.port)


@given(
    st.ip_addresses(v=6).map(str) | st.text("0123456789abcdefAF:.", min_size=1, max_size=45).filter(lambda t: ":" in t)
)
def test_ipv6_as_the_standard_library_has_it(text: str) -> None:
    try:
        ipaddress.IPv6Address(text)
        valid = True
    except ValueError:
        valid = False
    try:
        check_host(text)
        assert valid
    except InvalidTarget:
        assert not valid


@pytest.mark.live
@pytest.mark.parametrize("text", [text for text in UNDERSTOOD if not text.lower().startswith("ssh:")])
def test_ssh_takes_what_we_accept(text: str) -> None:
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("there is no ssh")
    target = parse_target(text, user=UNDERSTOOD[text].user or "u", port=UNDERSTOOD[text].port or 2)
    words = [ssh, "-G", "-F", "none", "-l", target.user or "", "-p", str(target.port), "--", target.host]
    said = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=True).stdout.splitlines()
    assert f"hostname {target.host}" in said
    assert f"user {target.user}" in said
    assert f"port {target.port}" in said


def test_the_checks_stand_alone() -> None:
    check_host("h")
    check_user("u")
    check_port(22)
    with pytest.raises(InvalidTarget, match="no host"):
        check_target(Target(""))
