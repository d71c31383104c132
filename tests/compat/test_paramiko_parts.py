"""The parts that hardly need a server: pipes, files over streams and keys of agents of one's own, strategies."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import LoopbackServer, generate_key


@pytest.mark.shows(
    "OrPipe",
    "OrPipe.clear",
    "OrPipe.set",
    "PosixPipe",
    "PosixPipe.clear",
    "PosixPipe.close",
    "PosixPipe.fileno",
    "PosixPipe.set",
    "PosixPipe.set_forever",
    "pipe.make_or_pipe",
    "pipe.make_pipe",
)
def test_a_pipe_is_readable_while_one_of_two_flags_is_set(paramiko: Any) -> None:
    from importlib import import_module
    from select import select

    module = import_module(f"{paramiko.__name__}.pipe")
    pipe = module.make_pipe()
    one, other = module.make_or_pipe(pipe)
    assert isinstance(pipe, module.PosixPipe) and isinstance(one, module.OrPipe) and pipe.fileno() >= 0
    seen = []
    for step in (one.set, other.set, one.clear, other.clear, pipe.clear, pipe.set_forever, pipe.clear):
        step()
        seen.append(bool(select([pipe], [], [], 0)[0]))
    pipe.close()
    pipe.set()
    assert seen == [True, True, True, False, False, True, True]


@pytest.mark.shows("BufferedPipe", "BufferedPipe.close", "BufferedPipe.feed", "BufferedPipe.read")
def test_a_buffered_pipe_takes_text(paramiko: Any) -> None:
    pipe = paramiko.buffered_pipe.BufferedPipe()
    pipe.feed("täxt")
    pipe.close()
    assert (pipe.read(3), pipe.read(10), pipe.read(10)) == (b"t\xc3\xa4", b"xt", b"")


@pytest.mark.shows("ChannelStderrFile")
@pytest.mark.parametrize("kind", ["ChannelFile", "ChannelStderrFile", "ChannelStdinFile"])
def test_a_file_over_a_stand_in_for_a_channel(paramiko: Any, kind: str) -> None:
    """What a MagicMock gives is true, and has no length: reading ends all the same."""
    channel = MagicMock()
    file = getattr(paramiko.channel, kind)(channel)
    file.read(100)
    asked = channel.recv_stderr if kind == "ChannelStderrFile" else channel.recv
    asked.assert_called_once_with(100)


@pytest.mark.shows("Channel", "ChannelFile", "ChannelStdinFile")
@pytest.mark.parametrize("kind", ["ChannelFile", "ChannelStdinFile"])
def test_a_channel_that_nobody_opened(paramiko: Any, kind: str) -> None:
    channel = paramiko.Channel(None)
    file = getattr(paramiko.channel, kind)(channel, "wb", 25)
    assert file.channel is channel and not channel.closed and channel.recv_ready() is False


class Stream:
    """Gives these pieces, and then nothing."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def over(self, paramiko: Any, mode: str) -> Any:
        stream = self

        class File(paramiko.file.BufferedFile):  # type: ignore[misc]
            def _read(self, size: int) -> bytes:
                assert size > 0
                return stream.pieces.pop(0) if stream.pieces else b""

        file = File()
        file._set_mode(mode)
        return file


@pytest.mark.shows("BufferedFile")
@pytest.mark.parametrize(
    ("pieces", "lines", "newlines"),
    [
        ([b"one\r", b"\ntwo\r\n"], ["one\n", "two\n"], b"\r\n"),
        ([b"one\r", b"two\rthree"], ["one\n", "two\n", "three"], b"\r"),
        ([b"one\r\ntwo\nthree\rfour"], ["one\n", "two\n", "three\n", "four"], (b"\r\n", b"\n", b"\r")),
        ([b"one\r", b"\n\n"], ["one\n", "\n"], (b"\r\n", b"\n")),
    ],
)
def test_ends_of_lines_of_every_kind(paramiko: Any, pieces: list[bytes], lines: list[str], newlines: Any) -> None:
    file = Stream(list(pieces)).over(paramiko, "rU")
    assert list(file) == lines and file.newlines == newlines


def test_a_carriage_return_ends_a_line_before_more_has_come(paramiko: Any) -> None:
    """A program that shows its progress in one line sends nothing behind the return for a while."""
    pieces = [b"10%\r"]
    file = Stream(pieces).over(paramiko, "rU")
    assert file.readline() == "10%\n"
    pieces.append(b"20%\r")
    assert file.readline() == "20%\n"


@pytest.mark.shows("SSHConfig.from_text")
@pytest.mark.parametrize("line", ["Match all canonical", "Match all host x", "Match host x all"])
def test_all_stands_alone_or_after_canonical(paramiko: Any, line: str) -> None:
    with pytest.raises(paramiko.ConfigParseError):
        paramiko.SSHConfig.from_text(f"{line}\n  User somebody\n")


@pytest.mark.shows("PKey.from_private_key")
def test_an_empty_key_file(paramiko: Any) -> None:
    with pytest.raises(paramiko.SSHException, match="no lines in RSA private key file"):
        paramiko.RSAKey.from_private_key(io.StringIO(""))


def test_a_file_of_something_else_than_a_key(paramiko: Any) -> None:
    with pytest.raises(ValueError, match="."):
        paramiko.PKey.from_path(__file__)


def test_a_type_of_key_that_nobody_knows(paramiko: Any, tmp_path: Path) -> None:
    # Ed448, from RFC 8410's grammar: version 0, OID 1.3.101.113, and 57 bytes of key.
    path = tmp_path / "key"
    path.write_text(
        "-----BEGIN PRIVATE KEY-----\n"
        "MEcCAQAwBQYDK2VxBDsEOQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3OA==\n"
        "-----END PRIVATE KEY-----\n"
    )
    path.chmod(0o600)
    with pytest.raises(paramiko.UnknownKeyType) as caught:
        paramiko.PKey.from_path(path)
    assert caught.value.key_bytes == path.read_bytes()


@pytest.mark.shows("PKey.identifiers")
def test_a_class_of_keys_of_ones_own_stands_for_its_name(paramiko: Any) -> None:
    class Mine(paramiko.PKey):  # type: ignore[misc]
        name = "mine"

    assert Mine.identifiers() == ["mine"]


class OnesOwnAgent:
    """An agent as programs make their own: with the one method that keys call."""

    def __init__(self, answer: int = 14) -> None:
        self.asked: list[bytes] = []
        self.answer = answer

    def _send_message(self, message: Any) -> tuple[int, Any]:
        self.asked.append(message.asbytes())
        reply = type(message)()
        reply.add_string(b"a signature")
        reply.rewind()
        return self.answer, reply


@pytest.mark.shows(
    "AgentKey.sign_ssh_data", "Message.add_byte", "Message.add_int", "Message.add_string", "Message.asbytes"
)
@pytest.mark.parametrize(("algorithm", "flags"), [(None, 0), ("rsa-sha2-256", 2), ("rsa-sha2-512", 4)])
def test_a_key_of_an_agent_of_ones_own(paramiko: Any, algorithm: str | None, flags: int) -> None:
    public = paramiko.RSAKey.generate(1024).asbytes()
    agent = OnesOwnAgent()
    key = paramiko.AgentKey(agent, public, "a comment")
    assert key == paramiko.RSAKey(data=public) and key.asbytes() == public and key.comment == "a comment"
    assert key.sign_ssh_data(b"data", algorithm) == b"a signature"
    request = paramiko.Message()
    request.add_byte(b"\x0d")
    request.add_string(public)
    request.add_string(b"data")
    request.add_int(flags)
    assert agent.asked == [request.asbytes()]
    with pytest.raises(paramiko.SSHException, match="cannot be used for signing"):
        paramiko.AgentKey(OnesOwnAgent(answer=5), public).sign_ssh_data(b"data")


@pytest.mark.shows("AgentKey.asbytes", "AgentKey.get_bits", "AgentKey.get_name", "PKey.get_bits")
def test_a_key_of_an_agent_that_does_not_call_its_base(paramiko: Any) -> None:
    class Bare(paramiko.AgentKey):  # type: ignore[misc]
        def __init__(self) -> None:
            self.name, self.blob, self.inner_key = "mine", b"blob", None

    assert (Bare().get_name(), Bare().asbytes(), Bare().get_bits()) == ("mine", b"blob", 0)


@pytest.mark.shows("AgentKey", "ECDSAKey.asbytes")
def test_a_key_of_an_agent_in_a_strategy_is_marked(paramiko: Any) -> None:
    key = paramiko.AgentKey(None, paramiko.ECDSAKey.generate().asbytes())
    assert repr(paramiko.InMemoryPrivateKey("me", key)).endswith(" [agent]")


@pytest.mark.shows("AuthStrategy", "AuthStrategy.authenticate")
@pytest.mark.parametrize("outcome", [[], None, "logged in"])
def test_a_source_that_does_not_raise_has_logged_in(paramiko: Any, outcome: Any) -> None:
    class Strategy(paramiko.AuthStrategy):  # type: ignore[misc]
        def get_sources(self) -> Any:
            yield Mock(authenticate=Mock(side_effect=ValueError("no")))
            yield Mock(authenticate=Mock(return_value=outcome))
            raise AssertionError("asked for a third")

    results = Strategy(None).authenticate(Mock())
    assert [type(results[0].result), results[1].result] == [ValueError, outcome]


# ---- ours alone


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_a_key_of_the_originals_logs_in(kind: str, tmp_path: Path) -> None:
    import paramiko as original

    pair = generate_key(kind=kind)
    key = original.PKey.from_path(pair.write(tmp_path / "key"))
    with LoopbackServer(key=pair) as server, ours.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(server.host, server.port, server.user, pkey=key, allow_agent=False, look_for_keys=False)
        assert client.exec_command("echo yes")[1].read() == b"yes\n"


def test_what_keys_of_the_originals_become(tmp_path: Path) -> None:
    import paramiko as original

    from openssh_compat.paramiko._foreign import as_ours

    pair = generate_key()
    key = original.PKey.from_path(pair.write(tmp_path / "key"))
    blob = key.asbytes()
    key.public_blob = original.PublicBlob.from_string(pair.public)
    certified = as_ours(key)
    assert certified.can_sign() and certified.public_blob is not None and certified.public_blob.key_blob == blob
    of_agent = as_ours(original.AgentKey(OnesOwnAgent(), blob, "a comment"))
    assert isinstance(of_agent, ours.AgentKey) and of_agent.sign_ssh_data(b"") == b"a signature"
    public = as_ours(original.Ed25519Key(data=blob))
    assert public.asbytes() == blob and not public.can_sign()


def test_a_key_that_the_original_does_not_write_down() -> None:
    from openssh_compat.paramiko._foreign import as_ours

    class Old:
        def can_sign(self) -> bool:
            return True

        def get_name(self) -> str:
            return "ssh-rsa"

        def write_private_key(self, file: Any) -> None:
            raise Exception("Not implemented in PKey")  # as there

    with pytest.raises(ours.SSHException, match="load it with openssh_compat"):
        as_ours(Old())
