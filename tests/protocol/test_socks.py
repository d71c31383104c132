"""The talk before a connection through a SOCKS proxy, by the bytes of RFC 1928 and 1929, and both sides together."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openssh_core import GatewayError, ProtocolError, RemoteProtocolError
from openssh_core._protocol.dialogue import Dialogue
from openssh_core._protocol.socks import Socks4Client, Socks5Client, SocksServer

OK_4 = bytes.fromhex("005a") + bytes(6)
OK_5 = bytes.fromhex("05000001") + bytes(6)


def hear(side: Dialogue, data: bytes) -> bytes:
    """Feed what it wants of the data; what it leaves."""
    while side.missing and data:
        size = side.missing
        side.feed(data[:size])
        data = data[size:]
    return data


@pytest.mark.parametrize(
    ("said", "host", "port"),
    [
        ("04 01 0050 0a000001 00", "10.0.0.1", 80),
        ("04 01 0050 0a000001 66726564 00", "10.0.0.1", 80),
        ("04 01 0016 00000001 66726564 00 7765623100", "web1", 22),
        ("05 01 00 05 01 00 01 0a000001 0050", "10.0.0.1", 80),
        ("05 02 0200 05 01 00 03 04 77656231 0016", "web1", 22),
        ("05 01 00 05 01 00 04 00000000000000000000000000000001 01bb", "::1", 443),
    ],
)
def test_a_client_says_where_it_wants_to_go(said: str, host: str, port: int) -> None:
    server = SocksServer()
    assert hear(server, bytes.fromhex(said) + b"and then its own data") == b"and then its own data"
    assert (server.host, server.port, server.missing) == (host, port, 0)
    assert server.granted() == (OK_4 if said.startswith("04") else OK_5)
    assert server.outgoing() == (b"" if said.startswith("04") else b"\5\0")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("47", ""),  # GET / HTTP/1.1
        ("04 02 0050 0a000001 00", "005b 000000000000"),
        ("05 01 02", "05ff"),  # only with a password
        ("05 00", ""),
        ("05 01 00 05 02 00 01 0a000001 0050", "0500 05070001 000000000000"),
        ("05 01 00 05 01 00 05", "0500 05080001 000000000000"),
        ("05 01 00 05 01 00 03 00", "0500"),
        ("04 01 0050 0a000001" + "41" * 300, ""),
    ],
)
def test_what_a_client_must_not_say(said: str, answer: str) -> None:
    server = SocksServer()
    with pytest.raises(RemoteProtocolError):
        hear(server, bytes.fromhex(said))
    assert server.outgoing() == bytes.fromhex(answer)


def test_refusals() -> None:
    four, five, nothing = SocksServer(), SocksServer(), SocksServer()
    hear(four, bytes.fromhex("04 01 0050 0a000001 00"))
    hear(five, bytes.fromhex("05 01 00 05 01 00 01 0a000001 0050"))
    assert four.refused(5) == bytes.fromhex("005b 000000000000")
    assert five.refused(5) == bytes.fromhex("05050001 000000000000")
    assert nothing.refused(5) == b""


@given(st.binary(max_size=40), st.integers(1, 7))
def test_no_client_can_do_more_than_be_refused(data: bytes, step: int) -> None:
    server = SocksServer()
    try:
        for at in range(0, len(data), step):
            if hear(server, data[at : at + step]):
                assert server.missing == 0
                break
    except ProtocolError:
        pass


def test_what_a_client_of_version_4_says() -> None:
    client = Socks4Client("10.0.0.1", 80, user="fred")
    assert client.outgoing() == bytes.fromhex("04 01 0050 0a000001 66726564 00")
    assert hear(client, OK_4 + b"SSH-2.0") == b"SSH-2.0"
    assert Socks4Client("web1", 22).outgoing() == bytes.fromhex("04 01 0016 00000001 00 7765623100")
    # As an address it would say that a name follows.
    assert Socks4Client("0.0.0.7", 22).outgoing() == bytes.fromhex("04 01 0016 00000001 00 302e302e302e3700")


@pytest.mark.parametrize(("host", "names"), [("::1", True), ("web1", False), ("0.0.0.7", False)])
def test_what_version_4_cannot_say(host: str, names: bool) -> None:
    with pytest.raises(GatewayError, match="socks5"):
        Socks4Client(host, 22, names=names)


@pytest.mark.parametrize(
    ("reply", "words"),
    [("005b", "rejected"), ("005c", "identd"), ("005d", "identd"), ("0099", "0x99")],
)
def test_what_a_proxy_of_version_4_refuses(reply: str, words: str) -> None:
    client = Socks4Client("10.0.0.1", 80)
    with pytest.raises(GatewayError, match=words):
        hear(client, bytes.fromhex(reply) + bytes(6))


def test_what_is_no_proxy() -> None:
    with pytest.raises(RemoteProtocolError, match="SOCKS 4"):
        hear(Socks4Client("10.0.0.1", 80), b"HTTP/1.1 400 Bad")
    with pytest.raises(RemoteProtocolError, match="SOCKS 5"):
        hear(Socks5Client("10.0.0.1", 80), b"HTTP/1.1 400 Bad")


def test_what_a_client_of_version_5_says() -> None:
    client = Socks5Client("web1", 22)
    assert client.outgoing() == bytes.fromhex("05 01 00")
    hear(client, b"\5\0")
    assert client.outgoing() == bytes.fromhex("05 01 00 03 04 77656231 0016")
    # The address in the reply may be of any kind; what follows is not the client's.
    for address in ("01 0a000001", "04" + "00" * 16, "03 04 77656231"):
        other = Socks5Client("::1", 22)
        assert hear(other, b"\5\0\5\0\0" + bytes.fromhex(address + "0016") + b"SSH-2.0") == b"SSH-2.0"
        assert other.missing == 0


def test_a_password_is_given_only_when_it_is_asked_for() -> None:
    client = Socks5Client("10.0.0.1", 22, user="fred", password="secret")
    assert client.outgoing() == bytes.fromhex("05 02 0002")
    hear(client, b"\5\2")
    assert client.outgoing() == b"\1\4fred\6secret"
    hear(client, b"\1\0")
    assert client.outgoing() == bytes.fromhex("05 01 00 01 0a000001 0016")
    other = Socks5Client("10.0.0.1", 22, user="fred", password="secret")
    other.outgoing()
    hear(other, b"\5\0")
    assert b"secret" not in other.outgoing()
    rejected = Socks5Client("10.0.0.1", 22, user="fred", password="secret")
    with pytest.raises(GatewayError, match="password"):
        hear(rejected, b"\5\2\1\1")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("05ff", "password"),
        ("0502", "password"),
        ("0500 05050001", "connection refused"),
        ("0500 05020001", "rules"),
        ("0500 05990001", "code 153"),
    ],
)
def test_what_a_proxy_of_version_5_refuses(reply: str, words: str) -> None:
    with pytest.raises(GatewayError, match=words):
        hear(Socks5Client("10.0.0.1", 80), bytes.fromhex(reply))


def test_what_version_5_cannot_say() -> None:
    with pytest.raises(GatewayError, match="300 bytes"):
        hear(Socks5Client("x" * 300, 80), b"\5\0")
    long = Socks5Client("10.0.0.1", 80, user="x" * 256, password="secret")
    with pytest.raises(GatewayError, match="255") as caught:
        hear(long, b"\5\2")
    assert "secret" not in str(caught.value)


hosts = st.one_of(
    st.ip_addresses().map(str),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=60).map(lambda name: "h" + name),
)


@given(hosts, st.integers(1, 65_535), st.sampled_from([4, 5]))
@example("0.0.0.1", 80, 4)  # in version 4a this address means that a name follows
def test_both_sides_understand_each_other(host: str, port: int, version: int) -> None:
    if version == 4 and ":" in host:
        return
    server = SocksServer()
    client: Dialogue = Socks4Client(host, port) if version == 4 else Socks5Client(host, port)
    while server.missing:
        words = client.outgoing()
        assert words, "both wait for the other"
        assert hear(server, words) == b""
        assert hear(client, server.outgoing()) == b""
    assert (server.host, server.port) == (host, port)
    assert hear(client, server.granted() + b"rest") == b"rest"
    assert client.missing == 0
