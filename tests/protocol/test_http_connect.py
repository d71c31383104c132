"""The talk before a connection through an HTTP proxy, by RFC 9110 and RFC 9112."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core import GatewayError, InvalidInput, ProtocolError, RemoteProtocolError
from openssh_core._protocol.http_connect import HttpConnect


def hear(client: HttpConnect, data: bytes) -> bytes:
    """Feed what it wants of the data; what it leaves."""
    while client.missing and data:
        size = client.missing
        client.feed(data[:size])
        data = data[size:]
    return data


def test_what_is_asked() -> None:
    assert HttpConnect("web1", 22).outgoing() == b"CONNECT web1:22 HTTP/1.1\r\nHost: web1:22\r\n\r\n"
    assert HttpConnect("::1", 22).outgoing() == b"CONNECT [::1]:22 HTTP/1.1\r\nHost: [::1]:22\r\n\r\n"
    asked = HttpConnect("web1", 22, user="fred", password="se:cret ü").outgoing().decode()
    word = asked.split("Proxy-Authorization: Basic ")[1].split("\r\n")[0]
    assert base64.b64decode(word).decode() == "fred:se:cret ü"
    with pytest.raises(InvalidInput, match="colon"):
        HttpConnect("web1", 22, user="fr:ed")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nVia: x\r\nContent-Length: 9\r\n\r\n",  # RFC 9110 section 9.3.6: to be ignored
        b"HTTP/1.1 204\r\n\r\n",
        b"HTTP/1.1 200 OK\nVia: x\n\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_what_follows_the_answer_is_the_servers(answer: bytes) -> None:
    client = HttpConnect("web1", 22)
    assert hear(client, answer + b"SSH-2.0-x\r\n") == b"SSH-2.0-x\r\n"
    assert client.missing == 0


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "502", "301 Moved", "403 \x1b[31mForbidden"])
def test_refusals(status: str) -> None:
    with pytest.raises(GatewayError) as caught:
        hear(HttpConnect("web1", 22), f"HTTP/1.1 {status}\r\n\r\n".encode())
    assert status[:3] in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-OpenSSH\r\n", b"\0", b"HTTP/1.1 200 " + b"x" * 70_000, b"HTTPS"])
def test_nonsense(nonsense: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        hear(HttpConnect("web1", 22), nonsense)


@given(st.binary(max_size=60))
def test_no_proxy_can_do_more_than_refuse(data: bytes) -> None:
    client = HttpConnect("web1", 22)
    try:
        hear(client, b"HTTP/1.1 " + data)
    except (GatewayError, ProtocolError):
        pass
