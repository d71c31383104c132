"""known_hosts, ssh_config, messages, constants: the same over paramiko and over ours."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours


@pytest.fixture
def keys(paramiko: Any) -> tuple[Any, Any]:
    """Two keys of different types."""
    return paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate(bits=384)


# ---- HostKeys


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys.keys", "HostKeys.lookup")
def test_host_keys_are_a_mapping(paramiko: Any, keys: tuple[Any, Any]) -> None:
    one, other = keys
    known = paramiko.HostKeys()
    known.add("[a]:22", one.get_name(), one)
    known.add("b", one.get_name(), one)
    known.add("b", other.get_name(), other)
    assert list(known) == known.keys() == ["[a]:22", "b"] and len(known) == 2
    assert known["b"].keys() == [one.get_name(), other.get_name()]
    assert known["b"][one.get_name()] == one and known.lookup("c") is None and known.get("c") is None
    assert "b" in known and "c" not in known
    assert known.check("b", one) and not known.check("c", one)
    with pytest.raises(KeyError):
        known["c"]
    with pytest.raises(KeyError):
        known["b"]["ssh-unheard-of"]


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys.clear")
def test_host_keys_change(paramiko: Any, keys: tuple[Any, Any]) -> None:
    one, other = keys
    known = paramiko.HostKeys()
    known["a"] = {one.get_name(): one}
    known["a"][other.get_name()] = other
    assert len(known["a"]) == 2
    known["empty"] = {}
    assert known["empty"].keys() == []
    with pytest.raises(KeyError):
        del known["nobody"]
    del known["empty"]
    known.clear()
    assert not len(known)


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys.add", "HostKeys.check")
def test_a_key_of_the_same_type_takes_the_place(paramiko: Any) -> None:
    known = paramiko.HostKeys()
    old, new = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    known.add("a", old.get_name(), old)
    known.add("a", new.get_name(), new)
    assert known.check("a", new) and not known.check("a", old)


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys.load", "HostKeys.save")
def test_host_keys_in_a_file(paramiko: Any, keys: tuple[Any, Any], tmp_path: Path) -> None:
    one, other = keys
    hashed = paramiko.HostKeys.hash_host("secret.example")
    path = tmp_path / "known"
    path.write_text(
        "# comment\n\nshort line\n"
        f"{hashed} {one.get_name()} {one.get_base64()} and a comment\n"
        f"a,b,[c]:22 {other.get_name()} {other.get_base64()}\n"
        "d ssh-unheard-of AAAA\n"
    )
    known = paramiko.HostKeys(str(path))
    assert known.keys() == [hashed, "a", "b", "[c]:22"]
    assert known.check("secret.example", one) and known.check("[c]:22", other) and "d" not in known
    known.save(str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == (
        f"{hashed} {one.get_name()} {one.get_base64()}\na,b,[c]:22 {other.get_name()} {other.get_base64()}\n"
    )
    known.load(str(path))
    assert len(known) == 4, "what is known is not added again"


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys.hash_host")
def test_hashing_a_name(paramiko: Any) -> None:
    hashed = paramiko.HostKeys.hash_host("a.example")
    assert paramiko.HostKeys.hash_host("a.example", hashed) == hashed
    assert ours.HostKeys.hash_host("a.example", hashed) == hashed


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeyEntry", "HostKeyEntry.from_line", "HostKeyEntry.to_line", "InvalidHostKey")
def test_one_line(paramiko: Any, keys: tuple[Any, Any]) -> None:
    entry_class, key = paramiko.hostkeys.HostKeyEntry, keys[0]
    entry = entry_class.from_line(f"a,b {key.get_name()} {key.get_base64()}")
    assert (entry.hostnames, entry.key, entry.valid) == (["a", "b"], key, True)
    assert entry.to_line() == f"a,b {key.get_name()} {key.get_base64()}\n"
    assert entry_class().to_line() is None
    with pytest.raises(paramiko.hostkeys.InvalidHostKey) as caught:
        entry_class.from_line("a ssh-rsa AA")
    assert caught.value.line == "a ssh-rsa AA"


@pytest.mark.behaviour("host-keys")
@pytest.mark.shows("HostKeys")
def test_host_keys_of_a_file_that_is_not_there(paramiko: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        paramiko.HostKeys(str(tmp_path / "nothing"))


@pytest.mark.shows("HostKeys.load")
def test_markers_are_left_to_ssh(tmp_path: Path) -> None:
    """paramiko takes the marker for a host name, and fails."""
    key = ours.ECDSAKey.generate()
    path = tmp_path / "known"
    path.write_text(f"@cert-authority *.example {key.get_name()} {key.get_base64()}\n")
    assert not ours.HostKeys(path)


# ---- SSHConfig

CONFIG = """
User top
Host a b
    HostName %h.example
    Port=2222
    IdentityFile ~/one
    IdentityFile two-%h-%r
    LocalForward 1 x:2
    LocalForward 3 x:4
    ForwardAgent yes
    ProxyCommand ssh -W %h:%p jump
Host c *.d !x.d
    ProxyCommand none
    SendEnv A B
Host "e"
    User second
Match host z user top
    Port 98
Match originalhost m
    Port 99
Match !originalhost m,other host o*,m*
    Port 97
Host *
    User star
    ServerAliveInterval 30
    IdentityFile last
"""


@pytest.mark.behaviour("config")
@pytest.mark.parametrize("host", ["a", "b", "c", "x.d", "y.d", "e", "z", "m", "m2", "o", "other"])
def test_looking_up_a_host(host: str) -> None:
    import paramiko

    theirs, mine = (module.SSHConfig.from_text(CONFIG) for module in (paramiko, ours))
    assert dict(mine.lookup(host)) == dict(theirs.lookup(host))


@pytest.mark.behaviour("config")
@pytest.mark.parametrize("host", ["user@a", "ssh://a", "-a", "a;b", "a b", "$(a)", "o@x", "m x", "x@x.d", "x@y.d"])
def test_looking_up_what_is_no_name_of_a_host(host: str) -> None:
    """To ssh(1) it is none, or something else; here it is looked for as it stands."""
    import paramiko

    text = CONFIG + "Host user@a a?b [a]*\n  Port 7\nMatch host ssh://*,!ssh://b\n  Port 8\nMatch all\n  Port 9\n"
    theirs, mine = (module.SSHConfig.from_text(text) for module in (paramiko, ours))
    assert dict(mine.lookup(host)) == dict(theirs.lookup(host))


@pytest.mark.shows("SSHConfig.lookup")
def test_a_match_that_asks_a_program() -> None:
    text = 'Match exec "test %n = a"\n  User yes\nMatch !exec "test %n = a"\n  User no\n'
    assert [ours.SSHConfig.from_text(text).lookup(host)["user"] for host in "ab"] == ["yes", "no"]


@pytest.mark.behaviour("config")
@pytest.mark.shows("SSHConfigDict", "SSHConfigDict.as_bool", "SSHConfigDict.as_int")
def test_what_a_lookup_gives(paramiko: Any) -> None:
    found = paramiko.SSHConfig.from_text(CONFIG).lookup("a")
    assert isinstance(found, paramiko.SSHConfigDict)
    assert found.as_int("port") == 2222 and found.as_bool("forwardagent") and not found.as_bool("user")
    assert "compression" not in found
    for ask in (found.as_bool, found.as_int, found.__getitem__):
        with pytest.raises(KeyError):
            ask("compression")
    with pytest.raises(ValueError, match="invalid literal"):
        found.as_int("user")


@pytest.mark.behaviour("config")
@pytest.mark.shows("SSHConfig.from_file", "SSHConfig.from_path", "SSHConfig.get_hostnames", "SSHConfig.parse")
def test_ways_to_read_a_configuration(paramiko: Any, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(CONFIG)
    config = paramiko.SSHConfig()
    assert config._config == []
    with path.open() as file:
        config.parse(file)
    with path.open() as file:
        again = paramiko.SSHConfig.from_file(file)
    for other in (paramiko.SSHConfig.from_path(str(path)), again):
        assert other._config == config._config
    with pytest.raises(FileNotFoundError):
        paramiko.SSHConfig.from_path(str(tmp_path / "nothing"))
    assert paramiko.SSHConfig.from_text("Host a\nUser x\nHost b* c\n").get_hostnames() == {"*", "a", "b*", "c"}


@pytest.mark.behaviour("config")
@pytest.mark.parametrize("text", ["gibberish\n", "Host\n", 'Host "a\n', "Match host\n", "Match host a all\n"])
def test_what_is_no_configuration(paramiko: Any, text: str) -> None:
    with pytest.raises(paramiko.ConfigParseError):
        paramiko.SSHConfig.from_text(text)


@pytest.mark.behaviour("config")
def test_options_that_nobody_knows_are_kept(paramiko: Any) -> None:
    found = paramiko.SSHConfig.from_text("Host a\n  FooBar baz\n  Port abc\n").lookup("a")
    assert dict(found) == {"foobar": "baz", "port": "abc", "hostname": "a"}


def test_a_name_that_is_not_canonical() -> None:
    # No name may have so long a part, so nobody is asked for it.
    domain = "x" * 64
    text = f"CanonicalizeHostname yes\nCanonicalDomains {domain}\nCanonicalizeFallbackLocal no\nHost x\n"
    with pytest.raises(ours.CouldNotCanonicalize):
        ours.SSHConfig.from_text(text).lookup("y")


@pytest.mark.shows("SSHConfig.parse")
def test_include_is_followed(tmp_path: Path) -> None:
    """paramiko keeps it as an option of that name."""
    (tmp_path / "one").write_text("User included\nHost b\n  Port 7\n")
    (tmp_path / "two").write_text("IdentityFile other\n")
    text = f"Host a\n  Include {tmp_path}/o*\n  Port 8\nHost *\n  Include {tmp_path}/two\n"
    config = ours.SSHConfig.from_text(text)
    assert config.lookup("a") == {"user": "included", "port": "8", "hostname": "a", "identityfile": ["other"]}
    assert config.lookup("b") == {"hostname": "b", "identityfile": ["other"]}
    nested = tmp_path / "nested"
    nested.write_text(f"Include {nested}\n")
    with pytest.raises(ours.ConfigParseError, match="nests deeper"):
        ours.SSHConfig.from_path(nested)


@pytest.mark.behaviour("helpers")
@pytest.mark.shows("util.load_host_keys", "util.lookup_ssh_host_config", "util.parse_ssh_config")
def test_helpers_for_files(paramiko: Any, tmp_path: Path, keys: tuple[Any, Any]) -> None:
    config = paramiko.util.parse_ssh_config(io.StringIO(CONFIG))
    assert paramiko.util.lookup_ssh_host_config("e", config)["user"] == "top"
    (tmp_path / "known").write_text(f"a {keys[0].get_name()} {keys[0].get_base64()}\n")
    assert paramiko.util.load_host_keys(str(tmp_path / "known")).check("a", keys[0])


# ---- Message


@pytest.mark.behaviour("helpers")
@pytest.mark.shows(
    "Message.add",
    "Message.add_boolean",
    "Message.add_int64",
    "Message.add_mpint",
    "Message.get_boolean",
    "Message.get_byte",
    "Message.get_int64",
    "Message.get_mpint",
    "Message.get_so_far",
    "Message.get_string",
)
def test_messages(paramiko: Any) -> None:
    message = paramiko.Message()
    message.add(True, 5, 2**40, "text", b"bytes", ["a", "b"])
    message.add_boolean(False)
    message.add_int64(2**40)
    message.add_mpint(-129)
    message.add_byte(b"x")
    same = paramiko.Message(message.asbytes())
    assert (same.get_boolean(), same.get_adaptive_int(), same.get_adaptive_int()) == (True, 5, 2**40)
    assert (same.get_text(), same.get_binary(), same.get_list()) == ("text", b"bytes", ["a", "b"])
    assert (same.get_boolean(), same.get_int64(), same.get_mpint(), same.get_remainder()) == (False, 2**40, -129, b"x")
    assert same.get_byte() == b"x" and same.get_int() == 0 and same.get_string() == b""
    assert same.get_so_far() == message.asbytes() == bytes(message)
    same.rewind()
    assert same.get_boolean() and repr(paramiko.Message(b"a")) == "paramiko.Message(b'a')"


@pytest.mark.behaviour("helpers")
@pytest.mark.shows("util.deflate_long", "util.inflate_long")
@pytest.mark.parametrize("number", [1, 127, 128, 255, 256, -1, -128, -129, 2**64, -(2**64)])
def test_long_numbers(paramiko: Any, number: int) -> None:
    data = paramiko.util.deflate_long(number)
    assert paramiko.util.inflate_long(data) == number
    assert data == ours.util.deflate_long(number)
    assert ours.util.deflate_long(abs(number), False) == paramiko.util.deflate_long(abs(number), False)


@pytest.mark.behaviour("helpers")
@pytest.mark.shows("util.b", "util.format_binary", "util.safe_string", "util.u")
def test_showing_bytes(paramiko: Any) -> None:
    assert paramiko.util.format_binary(b"ab\x00" * 6, "> ") == ours.util.format_binary(b"ab\x00" * 6, "> ")
    assert paramiko.util.safe_string(b"a\x00") == b"a%00"
    assert paramiko.util.u(b"\xc3\xa4") == "ä" and paramiko.util.b("ä") == b"\xc3\xa4"
    for convert in (paramiko.util.u, paramiko.util.b):
        with pytest.raises(TypeError):
            convert(5)


@pytest.mark.behaviour("helpers")
def test_constants_are_those_of_the_original() -> None:
    import paramiko.common

    names = [name for name in dir(paramiko.common) if name.lstrip("c").startswith(("MSG_", "OPEN", "AUTH", "o6", "o7"))]
    names = [name for name in names if name != "MSG_NAMES"] + ["DEBUG", "io_sleep", "DEFAULT_WINDOW_SIZE", "xffffffff"]
    assert {name: getattr(ours.common, name) for name in names} == {
        name: getattr(paramiko.common, name) for name in names
    }


@pytest.mark.behaviour("log-names", "helpers")
@pytest.mark.shows("util.get_logger", "util.log_to_file")
def test_logging_to_a_file(paramiko: Any, tmp_path: Path) -> None:
    import logging

    logger = logging.getLogger("paramiko")
    kept, logger.handlers, level = logger.handlers, [], logger.level
    try:
        paramiko.util.log_to_file(str(tmp_path / "log"), logging.INFO)
        paramiko.util.get_logger("paramiko.transport").info("hello")
        for handler in logger.handlers:
            handler.stream.close()  # type: ignore[attr-defined]
    finally:
        logger.handlers = kept
        logger.setLevel(level)
    text = (tmp_path / "log").read_text()
    assert text.startswith("INF [") and text.endswith("paramiko.transport: hello\n")


# ---- Agent and ProxyCommand


@pytest.mark.behaviour("agent-and-proxy")
@pytest.mark.shows("Agent", "Agent.close", "AgentSSH.get_keys")
def test_without_an_agent(paramiko: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    agent = paramiko.Agent()
    assert agent.get_keys() == ()
    agent.close()


@pytest.mark.behaviour("agent-and-proxy")
@pytest.mark.shows("ProxyCommand.close", "ProxyCommand.closed", "ProxyCommand.recv", "ProxyCommand.settimeout")
def test_a_command_in_the_place_of_a_connection(paramiko: Any) -> None:
    proxy = paramiko.ProxyCommand("cat -u")
    proxy.settimeout(5)
    assert proxy.cmd == ["cat", "-u"] and not proxy.closed
    assert proxy.send(b"hello") == 5
    assert proxy.recv(5) == b"hello"
    proxy.settimeout(0.01)
    with pytest.raises(TimeoutError):
        proxy.recv(1)
    proxy.close()
    proxy.process.wait()
    for pipe in (proxy.process.stdin, proxy.process.stdout, proxy.process.stderr):
        pipe.close()
    assert proxy.closed


@pytest.mark.behaviour("agent-and-proxy")
@pytest.mark.shows("ProxyCommand", "ProxyCommand.send")
def test_a_command_that_has_ended(paramiko: Any) -> None:
    proxy = paramiko.ProxyCommand("true")
    proxy.process.wait()
    with pytest.raises(paramiko.ProxyCommandFailure):
        proxy.send(b"x")
    for pipe in (proxy.process.stdin, proxy.process.stdout, proxy.process.stderr):
        pipe.close()


# ---- what is in a directory


@pytest.mark.behaviour("attributes-of-ones-own")
@pytest.mark.shows("SFTPAttributes.from_stat")
def test_attributes_of_a_file(paramiko: Any, tmp_path: Path) -> None:
    status = (tmp_path / "x").write_text("abc") and (tmp_path / "x").stat()
    one = paramiko.SFTPAttributes.from_stat(status, "x")
    assert (one.st_size, one.st_mode, one.filename) == (3, status.st_mode, "x")
    assert repr(paramiko.SFTPAttributes()) == "<SFTPAttributes: [ ]>"
    assert f"size=3 uid={status.st_uid} gid={status.st_gid} mode={oct(status.st_mode)} atime=" in repr(one)
    assert str(paramiko.SFTPAttributes()) == "?---------   1 0        0               0 (unknown date) ?"


@pytest.mark.behaviour("attributes-of-ones-own")
@pytest.mark.shows("SFTPAttributes", "SFTPAttributes.asbytes")
@pytest.mark.parametrize("mode", [0o100644, 0o40755, 0o120777, 0o104755, 0o41777, 0o20600, 0o140755, 0o644, 0o106644])
def test_a_line_of_a_directory(mode: int) -> None:
    import paramiko

    lines = []
    for module in (paramiko, ours):
        one = module.SFTPAttributes()
        one.st_mode, one.st_size, one.st_uid, one.st_gid, one.st_mtime = mode, 5, 1, 2, 1000000000
        one.filename = "\u00e4"
        lines.append((str(one), one.asbytes()))
    assert lines[0] == lines[1]


# ---- files over something else


def loopback_file(paramiko: Any, *mode: Any) -> Any:
    """What is written can be read again."""

    class File(paramiko.BufferedFile):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self._set_mode(*mode)
            self.data = b""

        def _read(self, size: int) -> bytes:
            data, self.data = self.data[:size], self.data[size:]
            return data

        def _write(self, data: bytes) -> int:
            self.data += data[:3]
            return len(data[:3])

    return File()


@pytest.mark.behaviour("attributes-of-ones-own")
def test_a_file_of_ones_own(paramiko: Any) -> None:
    file = loopback_file(paramiko, "r+")
    file.writelines(["first\n", b"second\n", "third"])
    assert file.readline() == "first\n" and file.readline(3) == "sec"
    assert file.read(4) == b"ond\n" and file.read() == b"third" and file.read() == b""
    assert file.readable() and file.writable() and not file.seekable()
    file.close()
    assert file.closed
    for use in (lambda: file.read(1), lambda: file.write("x")):
        with pytest.raises(OSError, match="closed"):
            use()
    with pytest.raises(ValueError, match="closed"):
        iter(file)


@pytest.mark.behaviour("attributes-of-ones-own")
@pytest.mark.shows("BufferedFile.flush")
def test_a_buffered_file_of_ones_own(paramiko: Any) -> None:
    file = loopback_file(paramiko, "wb+", 10)
    file.write(b"12345")
    assert file.data == b""
    file.write(b"67890")
    assert file.data == b"1234567890"
    lines = loopback_file(paramiko, "w+", 1)
    lines.write("a\nb")
    assert lines.data == b"a\n"
    lines.flush()
    assert lines.data == b"a\nb"


@pytest.mark.behaviour("line-ends", "attributes-of-ones-own")
def test_ends_of_lines(paramiko: Any) -> None:
    file = loopback_file(paramiko, "r+U")
    file.write("a\r\nb\nc\r\n")
    assert file.readlines() == ["a\n", "b\n", "c\n"]
    assert set(file.newlines) == {b"\r\n", b"\n"}
