"""Constants, helpers, what few programs use: the same over paramiko and over ours. And what only has a name here."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import LoopbackServer, shared_key

# ---- constants


@pytest.mark.shows("AUTH_*", "OPEN_*", "SFTP_*", "io_sleep")
def test_numbers_of_the_package() -> None:
    import paramiko

    names = [name for name in dir(paramiko) if re.match(r"AUTH_|OPEN_|SFTP_", name)] + ["io_sleep"]
    assert {name: getattr(ours, name) for name in names} == {name: getattr(paramiko, name) for name in names}


@pytest.mark.shows(
    "BufferedFile.FLAG_*",
    "BufferedFile.SEEK_*",
    "Message.big_int",
    "SFTPAttributes.FLAG_*",
    "SFTPFile.MAX_REQUEST_SIZE",
    "int64",
)
def test_numbers_of_classes() -> None:
    import paramiko

    for kind, pattern in (
        ("BufferedFile", "SEEK|FLAG"), ("SFTPFile", "MAX|SEEK|FLAG"), ("SFTPAttributes", "FLAG"),
    ):  # fmt: skip
        theirs, mine = getattr(paramiko, kind), getattr(ours, kind)
        names = [name for name in dir(theirs) if re.match(pattern, name)]
        assert names and {name: getattr(mine, name) for name in names} == {
            name: getattr(theirs, name) for name in names
        }
    assert ours.SFTPFile.MAX_REQUEST_SIZE == paramiko.SFTPFile.MAX_REQUEST_SIZE
    assert ours.Message.big_int == paramiko.Message.big_int
    assert ours.sftp.int64(5) == 5 == paramiko.sftp.int64(5)


@pytest.mark.shows("PKey.BEGIN_TAG", "PKey.END_TAG", "SSHConfig.SETTINGS_REGEX", "SSHConfig.TOKENS_BY_CONFIG_KEY")
def test_patterns_of_classes(paramiko: Any) -> None:
    line = "-----BEGIN OPENSSH PRIVATE KEY-----"
    assert paramiko.PKey.BEGIN_TAG.match(line)[1] == "OPENSSH" and not paramiko.PKey.BEGIN_TAG.match(
        "-----BEGIN X-----"
    )
    assert paramiko.PKey.END_TAG.match(line.replace("BEGIN", "END"))[1] == "OPENSSH"
    assert paramiko.SSHConfig.SETTINGS_REGEX.match("Port = 22").groups() == ("Port", "22")
    assert "%h" in paramiko.SSHConfig.TOKENS_BY_CONFIG_KEY["proxycommand"]


@pytest.mark.shows(
    "ECDSAKey.identifiers",
    "ECDSAKey.supported_key_format_identifiers",
    "Ed25519Key.name",
    "FileFormat",
    "FileFormat.encoding",
    "FileFormat.format",
    "RSAKey.HASHES",
    "RSAKey.generate",
    "RSAKey.identifiers",
    "RSAKey.name",
    "RSAKey.size",
    "key_classes",
)
def test_types_of_keys(paramiko: Any) -> None:
    assert [kind.__name__ for kind in paramiko.key_classes] == ["RSAKey", "Ed25519Key", "ECDSAKey"]
    assert (paramiko.RSAKey.name, paramiko.Ed25519Key.name) == ("ssh-rsa", "ssh-ed25519")
    assert "rsa-sha2-512" in paramiko.RSAKey.HASHES and "rsa-sha2-512" in paramiko.RSAKey.identifiers()
    assert paramiko.Ed25519Key.identifiers() == ["ssh-ed25519"]
    sizes = [f"ecdsa-sha2-nistp{size}" for size in (256, 384, 521)]
    assert paramiko.ECDSAKey.identifiers() == sizes == paramiko.ECDSAKey.supported_key_format_identifiers()
    key = paramiko.RSAKey.generate(2048)
    assert key.size == 2048 == key.get_bits()
    assert (paramiko.pkey.PEM, paramiko.pkey.OPENSSH) and paramiko.pkey.PEM != paramiko.pkey.OPENSSH
    assert isinstance(paramiko.pkey.PEM, paramiko.pkey.FileFormat)
    assert paramiko.pkey.PEM.encoding and paramiko.pkey.OPENSSH.format


# ---- helpers


@pytest.mark.behaviour("helpers")
@pytest.mark.shows(
    "Message",
    "util.asbytes",
    "util.bit_length",
    "util.clamp_value",
    "util.constant_time_bytes_eq",
    "util.format_binary_line",
    "util.mod_inverse",
    "util.tb_strings",
)
def test_more_helpers(paramiko: Any) -> None:
    util = paramiko.util
    assert util.format_binary_line(b"hi\x00") == f"{'68 69 00':<50} hi."
    assert (util.bit_length(5), util.mod_inverse(3, 7), util.clamp_value(1, 5, 3)) == (3, 5, 3)
    assert util.constant_time_bytes_eq(b"a", b"a") and not util.constant_time_bytes_eq(b"a", b"b")
    assert (util.asbytes("ä"), util.asbytes(b"x"), util.asbytes(paramiko.Message(b"m"))) == ("ä".encode(), b"x", b"m")
    try:
        raise ValueError("told")
    except ValueError:
        assert "ValueError: told" in util.tb_strings()


@pytest.mark.shows("PFilter", "PFilter.filter", "util.get_thread_id")
def test_numbers_of_threads(paramiko: Any, in_thread: Callable[..., Any]) -> None:
    here = paramiko.util.get_thread_id()
    assert paramiko.util.get_thread_id() == here != in_thread(paramiko.util.get_thread_id)()
    record: Any = type("Record", (), {})()
    assert paramiko.util.PFilter().filter(record) and record._threadid == here


@pytest.mark.shows("BufferedPipe.empty", "BufferedPipe.read_ready", "BufferedPipe.set_event", "PipeTimeout")
def test_a_pipe(paramiko: Any) -> None:
    from importlib import import_module

    pipe = import_module(f"{paramiko.__name__}.buffered_pipe").BufferedPipe()
    event = threading.Event()
    pipe.set_event(event)
    assert not pipe.read_ready() and not event.is_set()
    pipe.feed(b"abc")
    assert pipe.read_ready() and event.is_set() and len(pipe) == 3
    assert pipe.read(1) == b"a" and pipe.empty() == b"bc" and not event.is_set()
    with pytest.raises(import_module(f"{paramiko.__name__}.buffered_pipe").PipeTimeout):
        pipe.read(1, 0.01)
    pipe.close()
    assert pipe.read(1) == b"" and event.is_set()


@pytest.mark.shows(
    "Message.add_adaptive_int",
    "Message.add_bytes",
    "Message.add_list",
    "Message.get_adaptive_int",
    "Message.get_binary",
    "Message.get_bytes",
    "Message.get_int",
    "Message.get_list",
    "Message.get_remainder",
)
def test_more_of_messages(paramiko: Any) -> None:
    message = paramiko.Message()
    message.add_string("ä").add_int(7).add_list(["a", "b"]).add_adaptive_int(2**33).add_bytes(b"raw")
    same = paramiko.Message(message.asbytes())
    assert same.get_binary() == "ä".encode() and same.get_int() == 7 and same.get_list() == ["a", "b"]
    assert same.get_adaptive_int() == 2**33 and same.get_bytes(3) == b"raw"
    # Beyond the end there are zeros, or nothing.
    assert same.get_bytes(2) == b"\0\0" and same.get_text() == "" and same.get_remainder() == b""


@pytest.mark.shows("Channel.close", "channel.open_only")
def test_what_calls_for_an_open_channel(paramiko: Any, channel: Any) -> None:
    from importlib import import_module

    guarded = import_module(f"{paramiko.__name__}.channel").open_only(lambda self: "done")
    assert guarded(channel) == "done"
    channel.close()
    with pytest.raises(paramiko.SSHException, match="Channel is not open"):
        guarded(channel)


@pytest.mark.behaviour("config")
@pytest.mark.shows("CouldNotCanonicalize", "SSHConfig", "SSHConfig.canonicalize")
def test_names_made_canonical(paramiko: Any) -> None:
    config = paramiko.SSHConfig()
    assert config.canonicalize("nobody", {}, ["invalid"]) == "nobody"
    with pytest.raises(paramiko.CouldNotCanonicalize):
        config.canonicalize("nobody", {"canonicalizefallbacklocal": "no"}, ["invalid"])


@pytest.mark.shows("LazyFqdn")
def test_the_name_of_this_machine(paramiko: Any) -> None:
    from importlib import import_module

    lazy = import_module(f"{paramiko.__name__}.config").LazyFqdn({"addressfamily": "any"})
    assert lazy.fqdn is None and str(lazy) == str(lazy) == lazy.fqdn


@pytest.mark.shows("PublicBlob", "PublicBlob.from_file", "PublicBlob.from_message", "PublicBlob.from_string")
def test_public_keys_in_a_line(paramiko: Any, tmp_path: Path) -> None:
    key = paramiko.ECDSAKey.generate()
    blob = paramiko.PublicBlob.from_string(f"{key.get_name()} {key.get_base64()} a comment")
    assert (blob.key_type, blob.key_blob, blob.comment) == (key.get_name(), key.asbytes(), "a comment")
    (tmp_path / "key.pub").write_text(f"{key.get_name()} {key.get_base64()}\n")
    same = paramiko.PublicBlob.from_file(tmp_path / "key.pub")
    assert same == blob and same != paramiko.PublicBlob("x", b"y") and same.comment is None
    assert paramiko.PublicBlob.from_message(paramiko.Message(key.asbytes())) == blob
    assert str(blob) == f"{key.get_name()} public key/certificate- a comment"
    with pytest.raises(ValueError, match="Not enough fields"):
        paramiko.PublicBlob.from_string("x")


@pytest.mark.shows("InteractiveQuery", "InteractiveQuery.add_prompt")
def test_questions_of_a_server(paramiko: Any) -> None:
    query = paramiko.InteractiveQuery("name", "instructions", "first", ("second", False))
    query.add_prompt("third")
    assert (query.name, query.instructions) == ("name", "instructions")
    assert query.prompts == [("first", True), ("second", False), ("third", True)]


@pytest.mark.behaviour("agent-and-proxy")
@pytest.mark.shows("AgentKey.log", "AgentSSH", "agent.get_agent_connection")
def test_an_agent_that_is_asked(paramiko: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess
    from importlib import import_module

    module = import_module(f"{paramiko.__name__}.agent")
    path, key = str(tmp_path / "agent"), shared_key("stranger")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert module.get_agent_connection() is None
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE) as agent:
        try:
            assert agent.stdout is not None and agent.stdout.readline()
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            file = key.write(tmp_path / "key")
            subprocess.run(["ssh-add", "-q", str(file)], check=True, stdin=subprocess.DEVNULL)
            asked = paramiko.Agent()
            assert isinstance(asked, module.AgentSSH)
            (one,) = asked.get_keys()
            assert (one.get_name(), one.name, one.get_base64()) == (key.kind, key.kind, key.blob)
            assert one.get_bits() == 256 and one.fingerprint == key.fingerprint
            assert one.asbytes() == one.blob and isinstance(one, paramiko.PKey) and one.agent is asked
            assert type(one.inner_key) is paramiko.Ed25519Key and isinstance(one.comment, str)
            assert one.log(10, "noted") is None
            signature = one.sign_ssh_data(b"data")
            assert paramiko.Message(getattr(signature, "asbytes", lambda: signature)()).get_text() == key.kind
            asked.close()
            assert asked.get_keys() == ()
        finally:
            agent.terminate()


@pytest.mark.shows("BufferedFile.xreadlines", "SFTP", "SFTPClient.file", "SFTPClient.unlink")
def test_other_names_of_things(paramiko: Any, shared: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with paramiko.SFTP.from_transport(shared.get_transport()) as sftp:
        assert isinstance(sftp, paramiko.SFTPClient)
        with sftp.file(str(tmp_path / "f")) as file:
            assert file.xreadlines() is file and file.read() == b"x"
        sftp.unlink(str(tmp_path / "f"))
    assert not (tmp_path / "f").exists()
    assert issubclass(paramiko.ServiceRequestingTransport, paramiko.Transport)


@pytest.mark.shows(
    "ServiceRequestingTransport",
    "ServiceRequestingTransport.auth_interactive",
    "ServiceRequestingTransport.auth_interactive_dumb",
    "ServiceRequestingTransport.auth_password",
    "ServiceRequestingTransport.auth_publickey",
    "ServiceRequestingTransport.ensure_session",
)
def test_a_transport_that_asks_for_the_service(paramiko: Any, loopback_server: LoopbackServer) -> None:
    """A subclass of its own in the original; what it can do is the same."""
    server = loopback_server
    with paramiko.ServiceRequestingTransport((server.host, server.port)) as transport:
        with pytest.raises(paramiko.SSHException, match="No existing session"):
            transport.ensure_session()
        transport.start_client(timeout=60)
        transport.ensure_session()
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password(server.user, "wrong", fallback=False)
        for ask in (transport.auth_interactive, transport.auth_interactive_dumb):
            with pytest.raises(paramiko.SSHException):
                ask(server.user, lambda *_: [])
        assert transport.auth_publickey(server.user, key_of(paramiko, server)) == []
        assert transport.is_authenticated()


def key_of(paramiko: Any, server: LoopbackServer) -> Any:
    return paramiko.Ed25519Key.from_private_key_file(str(server.key))


@pytest.mark.shows("HostKeys.values")
def test_values_of_host_keys(paramiko: Any) -> None:
    known, key = paramiko.HostKeys(), paramiko.ECDSAKey.generate()
    known.add("a", key.get_name(), key)
    known.add("b", key.get_name(), key)
    assert [list(keys) for keys in known.values()] == [[key.get_name()]] * 2


@pytest.mark.shows(
    "Transport.atfork",
    "Transport.get_log_channel",
    "Transport.get_security_options",
    "Transport.open_forward_agent_channel",
    "Transport.open_x11_channel",
    "Transport.run",
    "Transport.set_hexdump",
    "Transport.set_log_channel",
    "Transport.stop_thread",
)
def test_small_things_of_a_transport(paramiko: Any, client: Any) -> None:
    transport = client.get_transport()
    transport.set_hexdump(False)
    assert callable(transport.run) and callable(transport.start) and callable(transport.join)
    transport.set_log_channel("other")
    assert transport.get_log_channel() == "other"
    assert "none" in transport.get_security_options().compression
    for ask in (lambda: transport.open_x11_channel(("127.0.0.1", 1)), transport.open_forward_agent_channel):
        with pytest.raises(paramiko.ChannelException):
            ask()
    transport.atfork()
    transport.stop_thread()
    assert not transport.is_active()


@pytest.mark.behaviour("strategies")
@pytest.mark.shows(
    "AuthResult",
    "AuthSource",
    "AuthSource.authenticate",
    "AuthStrategy.get_sources",
    "AuthenticationException",
    "NoneAuth.authenticate",
    "Password.authenticate",
    "PrivateKey",
    "PrivateKey.authenticate",
    "SourceResult",
    "SourceResult.result",
    "SourceResult.source",
)
def test_sources_of_authentication(paramiko: Any) -> None:
    """One after the other, until something works."""
    from importlib import import_module

    module = import_module(f"{paramiko.__name__}.auth_strategy")

    class Transport:
        """Takes a password, and says what it was asked for."""

        asked: list[Any] = []  # noqa: RUF012

        def auth_none(self, username: str) -> list[str]:
            self.asked.append(("none", username))
            raise paramiko.BadAuthenticationType("Bad authentication type", ["password"])

        def auth_publickey(self, username: str, key: Any) -> list[str]:
            self.asked.append(("publickey", username, key))
            raise paramiko.AuthenticationException("Authentication failed.")

        def auth_password(self, username: str, password: str) -> list[str]:
            self.asked.append(("password", username, password))
            return []

    key = paramiko.ECDSAKey.generate()

    class Strategy(module.AuthStrategy):  # type: ignore[misc,name-defined]
        def get_sources(self) -> Any:
            yield module.NoneAuth("me")
            yield module.InMemoryPrivateKey("me", key)
            yield module.Password("me", lambda: "secret")

    Transport.asked = []
    result = Strategy(paramiko.SSHConfig()).authenticate(Transport())
    assert Transport.asked == [("none", "me"), ("publickey", "me", key), ("password", "me", "secret")]
    assert [type(one.source).__name__ for one in result] == ["NoneAuth", "InMemoryPrivateKey", "Password"]
    assert (
        isinstance(result, module.AuthResult) and result[-1].result == [] and isinstance(result[0], module.SourceResult)
    )
    assert issubclass(module.InMemoryPrivateKey, module.PrivateKey)
    with pytest.raises(NotImplementedError):
        module.AuthSource("me").authenticate(Transport())
    with pytest.raises(NotImplementedError):
        module.AuthStrategy(paramiko.SSHConfig()).get_sources()


# ---- ours alone: what only has a name

HOLLOW = """
    agent.AgentClientProxy agent.AgentLocalProxy agent.AgentProxyThread agent.AgentRemoteProxy agent.AgentServerProxy
    auth_handler.AuthHandler auth_handler.AuthOnlyHandler packet.Packetizer server.SubsystemHandler sftp.BaseSFTP
    sftp_server.SFTPServer transport.ChannelMap
"""


@pytest.mark.shows(
    "AgentClientProxy",
    "AgentLocalProxy",
    "AgentProxyThread",
    "AgentRemoteProxy",
    "AgentServerProxy",
    "AuthHandler",
    "AuthOnlyHandler",
    "BaseSFTP",
    "ChannelMap",
    "Packetizer",
    "SFTPServer",
    "SubsystemHandler",
)
@pytest.mark.parametrize("name", HOLLOW.split())
def test_what_cannot_be_made(name: str) -> None:
    from importlib import import_module

    home, _, kind = name.partition(".")
    made = getattr(import_module(f"openssh_compat.paramiko.{home}"), kind)
    arguments = () if kind == "ChannelMap" else (object(),)
    with pytest.raises(NotImplementedError, match="openssh_compat"):
        made(*arguments)


@pytest.mark.shows("SFTPHandle", "SFTPServerInterface", "ServerInterface")
def test_a_server_is_a_name_to_subclass() -> None:
    class Interface(ours.ServerInterface):
        pass

    class Files(ours.SFTPServerInterface):
        pass

    assert Interface() and Files(Interface()) and ours.SFTPHandle(1).flags == 1


@pytest.mark.shows("GSSAuth", "GSS_AUTH_AVAILABLE", "GSS_EXCEPTIONS")
def test_what_is_left_of_older_versions() -> None:
    from openssh_compat.paramiko.packet import NeedRekeyException

    assert ours.GSS_AUTH_AVAILABLE and isinstance(ours.GSS_EXCEPTIONS, tuple)
    assert issubclass(NeedRekeyException, Exception)
    with pytest.raises(NotImplementedError, match="gss_auth"):
        ours.GSSAuth("gssapi-with-mic")


@pytest.mark.shows(
    "ServiceRequestingTransport.auth_none",
    "ServiceRequestingTransport.get_auth_handler",
    "Transport.add_server_key",
    "Transport.get_server_key",
    "Transport.load_server_moduli",
    "Transport.set_subsystem_handler",
    "Transport.start_server",
)
def test_the_side_of_a_server(loopback_server: LoopbackServer) -> None:
    server = loopback_server
    assert ours.Transport.load_server_moduli() is False
    with ours.ServiceRequestingTransport((server.host, server.port)) as transport:
        for refused in (
            transport.start_server,
            lambda: transport.add_server_key(None),
            transport.get_server_key,
            lambda: transport.set_subsystem_handler("sftp", ours.SFTPServer),
            transport.get_auth_handler,
        ):
            with pytest.raises(NotImplementedError, match="openssh_compat"):
                refused()
        transport.start_client(timeout=60)
        with pytest.raises(ours.BadAuthenticationType):
            transport.auth_none(server.user)  # a TypeError in the original, for this kind of transport


@pytest.mark.shows("__version__")
def test_versions(paramiko: Any) -> None:
    assert [part.isdigit() for part in paramiko.__version__.split(".")[:2]] == [True, True]


@pytest.mark.shows(
    "ECDSAKey.private_key",
    "ECDSAKey.verify_ssh_sig",
    "Ed25519Key.can_verify",
    "Ed25519Key.verify_ssh_sig",
    "Ed25519Key.verifying_key",
    "PKey.verify_ssh_sig",
    "RSAKey.private_key",
    "RSAKey.public_numbers",
    "RSAKey.verify_ssh_sig",
    "util.generate_key_bytes",
)
def test_what_would_be_cryptography() -> None:
    rsa, ecdsa, ed25519 = ours.RSAKey.generate(2048), ours.ECDSAKey.generate(), ours.Ed25519Key.generate()
    for use in (
        lambda: rsa.private_key,
        lambda: rsa.public_numbers,
        lambda: ecdsa.private_key,
        lambda: ed25519.verifying_key,
        lambda: rsa.verify_ssh_sig(b"", ours.Message()),
        lambda: ecdsa.verify_ssh_sig(b"", ours.Message()),
        lambda: ed25519.verify_ssh_sig(b"", ours.Message()),
        lambda: ours.util.generate_key_bytes(object, b"", "", 1),
    ):
        with pytest.raises(NotImplementedError, match="openssh_compat"):
            use()
    assert not ed25519.can_verify()
