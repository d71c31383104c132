"""Values survive the way through ssh's own parser, and what others decide is refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openssh_core._cli.config import Value, check_options, option
from openssh_core.errors import InvalidOption

NASTY = [
    "plain",
    "/a/b.c",
    "a b",
    "  a  ",
    'a"b',
    '"quoted"',
    "it's",
    "'a b'",
    "#comment",
    "a #b",
    "a\\b",
    "end\\",
    "\\",
    "\\\\",
    '\\"',
    "\\ ",
    "=x",
    "a=b",
    ",",
    "*",
    "!x",
    "$HOME",
    "jürgen",
    "`id`",
    "(a|b)",
    "%%h",
]

# What ssh would run, in the words of a shell.
COMMANDS = ["nc %h %p", "nc 'a b' \"c\" # d", "a\\b", "/bin/x  two  blanks"]


def ssh_says(*words: str) -> list[str]:
    """The lines of `ssh -G`: the configuration as ssh has understood it."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("there is no ssh")
    done = subprocess.run([ssh, "-G", "-F", "none", *words, "--", "host"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "surrogateescape").splitlines()


def as_arguments(options: dict[str, Value]) -> list[str]:
    return [word for name, text in check_options(options) for word in ("-o", f"{name}={text}")]


@pytest.mark.live
@pytest.mark.parametrize("value", NASTY)
def test_ssh_reads_a_value_back_as_it_was(value: str) -> None:
    assert f"bindinterface {value}" in ssh_says("-o", option("BindInterface", value))


@pytest.mark.live
@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40))
def test_ssh_reads_any_text_back_as_it_was(value: str) -> None:
    assert f"bindinterface {value}" in ssh_says("-o", option("BindInterface", value))


@pytest.mark.live
@pytest.mark.parametrize("name", ["ProxyCommand", "KnownHostsCommand"])
@pytest.mark.parametrize("value", COMMANDS)
def test_a_command_arrives_as_it_is(name: str, value: str) -> None:
    assert f"{name.lower()} {value}" in ssh_says(*as_arguments({name: value}))


@pytest.mark.live
def test_what_has_several_words() -> None:
    said = ssh_says(
        *as_arguments(
            {
                "IdentityFile": ["/a b", "/c"],
                "CertificateFile": "/d e",
                "SendEnv": "LANG LC_*",
                "SetEnv": ["A=b c", "D=e"],
                "RekeyLimit": "1G 1h",
                "CanonicalDomains": ["a.example", "b.example"],
                "ProxyJump": "u@jump:23",
                "Compression": True,
                "VisualHostKey": False,
                "ConnectionAttempts": 3,
            }
        )
    )
    for line in (
        "identityfile /a b",
        "identityfile /c",
        "certificatefile /d e",
        "sendenv LANG",
        "sendenv LC_*",
        "setenv A=b c",
        "setenv D=e",
        "rekeylimit 1073741824 3600",
        "canonicaldomains a.example b.example",
        "proxyjump u@jump:23",
        "compression yes",
        "visualhostkey no",
        "connectionattempts 3",
    ):
        assert line in said


@pytest.mark.live
def test_known_hosts_files_with_blanks() -> None:
    said = ssh_says("-o", option("UserKnownHostsFile", ["/a b", "/c"]))
    assert "userknownhostsfile /a b /c" in said


def test_names_keep_their_case() -> None:
    assert check_options({"compression": True, "HostKeyAlias": "x"}) == (("compression", "yes"), ("HostKeyAlias", "x"))
    assert check_options({}) == ()


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("ControlPath", "control_path="),
        ("controlmaster", "master"),
        ("ControlPersist", "master"),
        ("BATCHMODE", "password="),
        ("ForkAfterAuthentication", "master"),
        ("RemoteCommand", "run"),
        ("SessionType", "run"),
        ("StdinNull", "stdin="),
        ("RequestTTY", "pty="),
        ("StrictHostKeyChecking", "host_keys="),
        ("NoHostAuthenticationForLocalhost", "host_keys="),
        ("UserKnownHostsFile", "known_hosts="),
        ("GlobalKnownHostsFile", "known_hosts="),
        ("PermitLocalCommand", "program"),
        ("LocalCommand", "program"),
        ("LocalForward", "forwards"),
        ("RemoteForward", "forwards"),
        ("DynamicForward", "forwards"),
        ("ConnectTimeout", "connect_timeout="),
        ("ServerAliveInterval", "keepalive="),
        ("LogLevel", "log"),
        ("User", "user="),
        ("Port", "port="),
        ("Match", "config_file="),
        ("Host", "config_file="),
        ("Include", "config_file="),
    ],
)
def test_reserved_options_name_the_argument_to_use(name: str, instead: str) -> None:
    with pytest.raises(InvalidOption, match=name) as caught:
        check_options({name: "no"})
    assert instead in str(caught.value)


@pytest.mark.parametrize("name", ["", "A B", "A=b", "-x", "Ä", "A\n", "1A", None, 5, "Compression "])
def test_names_that_are_none(name: object) -> None:
    with pytest.raises(InvalidOption, match="no name"):
        check_options({name: "x"})  # type: ignore[dict-item]
    with pytest.raises(InvalidOption, match="no name"):
        option(name, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["a\nProxyCommand x", "a\0", "\t", "\x7f", "\r", "", [], [""], ["a", ""], "\ud800", None, 1.5, b"x", [1], {"a": 1}],
)
def test_values_that_cannot_be(value: object) -> None:
    with pytest.raises(InvalidOption, match="value of IdentityFile"):
        check_options({"IdentityFile": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("value", [" nc", "=nc", "nc ", " = nc"])
def test_commands_that_ssh_would_trim(value: str) -> None:
    with pytest.raises(InvalidOption, match="blank"):
        check_options({"ProxyCommand": value})


def test_one_value_is_one_value() -> None:
    with pytest.raises(InvalidOption, match="Ciphers takes one value"):
        check_options({"Ciphers": ["a", "b"]})


def test_twice_in_different_case() -> None:
    with pytest.raises(InvalidOption, match="twice"):
        check_options({"Compression": True, "compression": False})


@pytest.mark.parametrize("name", ["HostName", "HostKeyAlias"])
def test_names_of_hosts_are_checked(name: str) -> None:
    for good in ("real.example", "%h.example", "::1", "10.0.0.1"):
        assert check_options({name: good}) == ((name, good),)
    for bad in ("$(touch x)", "-x", "a b", "a;b", "%d"):
        with pytest.raises(InvalidOption, match="no host"):
            check_options({name: bad})


@given(
    st.dictionaries(
        st.text() | st.sampled_from(["ProxyCommand", "Ciphers", "HostName", "SendEnv", "IdentityFile"]),
        st.text() | st.integers() | st.booleans() | st.lists(st.text()),
    )
)
def test_anything_is_written_or_refused(options: dict[str, Value]) -> None:
    try:
        pairs = check_options(options)
    except InvalidOption:
        return
    for name, text in pairs:
        assert text
        assert not any(char < " " for char in name + text)
