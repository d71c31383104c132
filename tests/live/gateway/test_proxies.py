"""Hosts behind proxies of every kind: the real programs, and one that misbehaves."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import ConnectTimeout, GatewayError, InvalidInput, InvalidTarget
from openssh_core._io import control
from openssh_core._io.deadline import Deadline
from openssh_core._wire import mux
from openssh_core.gateway import Proxy
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

RealProxy = Callable[[str], int]


def says(server: LoopbackServer, gateway: Any, word: str = "there") -> str:
    with openssh_core.connect(**server.connect_options(), gateway=gateway) as host:
        said = host.capture("echo", word)
        assert isinstance(said, str)
        return said


def test_a_real_socks_proxy(loopback_server: LoopbackServer, real_proxy: RealProxy) -> None:
    port = real_proxy("microsocks")
    assert says(loopback_server, f"socks5://fred:secret@127.0.0.1:{port}") == "there\n"
    for wrong in (f"socks5://fred:wrong@127.0.0.1:{port}", f"socks5://127.0.0.1:{port}"):
        with pytest.raises(GatewayError, match="password"):
            says(loopback_server, wrong)


def test_a_real_http_proxy(loopback_server: LoopbackServer, real_proxy: RealProxy) -> None:
    port = real_proxy("tinyproxy")
    assert says(loopback_server, f"http://fred:secret@127.0.0.1:{port}") == "there\n"
    with pytest.raises(GatewayError, match="407") as caught:
        says(loopback_server, f"http://127.0.0.1:{port}")
    assert "user:password@host" in caught.value.advice
    with pytest.raises(GatewayError, match="40[17]"):
        says(loopback_server, f"http://fred:wrong@127.0.0.1:{port}")


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5"])
def test_sshs_own_socks_proxy(loopback_server: LoopbackServer, scheme: str) -> None:
    """What `ssh -D` listens with; ours is tested by other clients elsewhere."""
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        deadline = Deadline.after(30)
        with control.greet(host.control_path, deadline) as conversation:
            conversation.open_forward(mux.Forward(mux.FORWARD_DYNAMIC, "127.0.0.1", port, "socks", 0), deadline)
        assert says(loopback_server, f"{scheme}://127.0.0.1:{port}") == "there\n"


@pytest.mark.parametrize(
    ("scheme", "kind", "name"),
    [
        ("http", "http", "localhost"),
        ("socks4", "socks_4", "127.0.0.1"),  # looked up here
        ("socks4a", "socks_4", "localhost"),
        ("socks5", "socks_5", "localhost"),
        ("socks5h", "socks_5", "localhost"),
    ],
)
def test_who_looks_names_up(
    loopback_server: LoopbackServer, own_proxy: Any, tmp_path: Path, scheme: str, kind: str, name: str
) -> None:
    options = loopback_server.connect_options()
    known = tmp_path / "known_hosts"
    known.write_text(loopback_server.known_hosts.read_text().replace("127.0.0.1", "localhost"))
    options |= {"target": f"{loopback_server.user}@localhost:{loopback_server.port}", "known_hosts": known}
    with openssh_core.connect(**options, gateway=f"{scheme}://127.0.0.1:{own_proxy.port}") as host:
        assert host.capture("echo there") == "there\n"
    assert own_proxy.asked == [(kind, name, loopback_server.port)]


def test_a_host_alias_is_what_the_configuration_says(loopback_server: LoopbackServer, own_proxy: Any) -> None:
    """ssh_config knows where `loopback` is; the proxy does not."""
    config = loopback_server.ssh_config
    with openssh_core.connect(
        "loopback", config_file=config, gateway=f"socks5://127.0.0.1:{own_proxy.port}", host_keys="config"
    ) as host:
        assert host.capture("echo there") == "there\n"
    assert own_proxy.asked == [("socks_5", "127.0.0.1", loopback_server.port)]


def test_a_proxy_inside_tls(loopback_server: LoopbackServer, own_proxy: Any, certificate: tuple[Path, Path]) -> None:
    own_proxy.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own_proxy.tls.load_cert_chain(*certificate)
    own_proxy.login = ("fred", "secret")
    url = f"https://fred:secret@127.0.0.1:{own_proxy.port}"
    with pytest.raises(GatewayError, match="certificate"):
        says(loopback_server, url)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    before = snapshot()
    assert says(loopback_server, Proxy.parse(url, tls=trust)) == "there\n"
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_one_proxy_behind_another(
    loopback_server: LoopbackServer, own_proxy: Any, real_proxy: RealProxy, certificate: tuple[Path, Path]
) -> None:
    socks, http = real_proxy("microsocks"), real_proxy("tinyproxy")
    way = [
        f"socks5://fred:secret@127.0.0.1:{socks}",
        f"http://127.0.0.1:{own_proxy.port}",
        f"http://fred:secret@127.0.0.1:{http}",
    ]
    assert says(loopback_server, way) == "there\n"
    assert own_proxy.asked == [("http", "127.0.0.1", http)]
    # A SOCKS proxy that is reached through TLS to another: the talk goes inside.
    own_proxy.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own_proxy.tls.load_cert_chain(*certificate)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    outer = Proxy.parse(f"https://127.0.0.1:{own_proxy.port}", tls=trust)
    assert says(loopback_server, [outer, f"socks5://fred:secret@127.0.0.1:{socks}"]) == "there\n"


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks4a", "socks5"])
def test_a_host_that_is_down_behind_the_proxy(
    loopback_server: LoopbackServer, own_proxy: Any, unused_port: int, scheme: str
) -> None:
    options = loopback_server.connect_options(port=unused_port)
    with pytest.raises(GatewayError, match="proxy says: (502 Bad Gateway|rejected|connection refused)") as caught:
        openssh_core.connect(**options, gateway=f"{scheme}://127.0.0.1:{own_proxy.port}")
    assert caught.value.host == f"{scheme}://127.0.0.1:{own_proxy.port}"


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
def test_a_proxy_that_is_down(loopback_server: LoopbackServer, unused_port: int, scheme: str) -> None:
    before = snapshot()
    with pytest.raises(GatewayError, match="refused"):
        says(loopback_server, f"{scheme}://127.0.0.1:{unused_port}")
    assert_nothing_left(before)


@pytest.mark.parametrize("scheme", ["http", "https", "socks4a", "socks5"])
@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"\0", b"HTTP/1.1 999 \x1b[31m" + b"x" * 70_000, b"\5\0" * 99]
)
def test_nonsense(loopback_server: LoopbackServer, own_proxy: Any, scheme: str, answer: bytes) -> None:
    own_proxy.answer = answer
    before = snapshot()
    with pytest.raises((GatewayError, ConnectTimeout)) as caught:
        openssh_core.connect(
            **loopback_server.connect_options(), gateway=f"{scheme}://127.0.0.1:{own_proxy.port}", connect_timeout=0.5
        )
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert_nothing_left(before, allow=["Thread-", "socket:"])


def test_a_proxy_that_says_nothing(loopback_server: LoopbackServer, own_proxy: Any) -> None:
    own_proxy.answer = b""
    for scheme in ("http", "https", "socks4a", "socks5"):
        with pytest.raises(ConnectTimeout, match="in time"):
            openssh_core.connect(
                **loopback_server.connect_options(),
                gateway=f"{scheme}://127.0.0.1:{own_proxy.port}",
                connect_timeout=0.2,
            )


def test_the_password_is_nowhere_to_be_seen(
    loopback_server: LoopbackServer, own_proxy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    password = "xyzzy-plugh"
    own_proxy.login = ("fred", password)
    url = f"socks5://fred:{password}@127.0.0.1:{own_proxy.port}"
    with openssh_core.connect(**loopback_server.connect_options(), gateway=url) as host:
        for pid in (host.master_pid, os.getpid()):
            for name in ("cmdline", "environ"):
                assert password.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        table = subprocess.run(["ps", "auxeww"], capture_output=True, check=True).stdout
        assert password.encode() not in table
    assert password not in repr(Proxy.parse(url)) + str(Proxy.parse(url)) + caplog.text
    for bad in (
        f"socks5://fred:{password}@[",
        f"socks6://fred:{password}@h",
        f"socks4://fred:{password}@h",
        url + "/x",
    ):
        with pytest.raises(InvalidInput) as caught:
            says(loopback_server, bad)
        assert password not in "".join(traceback.format_exception(caught.value))
    own_proxy.login = ("fred", "another")
    with pytest.raises(GatewayError) as failed:
        says(loopback_server, url)
    assert password not in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize(
    "url",
    [
        "socks6://h",
        "socks5://",
        "socks5://h:0",
        "socks5://h:70000",
        "socks5://h:22x",
        "socks5://h/path",
        "socks5://h?query",
        "socks5://-oProxyCommand=x",
        "socks5://h h",
        "socks5://user%0aname@h",
        "http://[::1",
        "http://h\r\nX: y",
        "http://" + "x" * 3000,
    ],
)
def test_what_is_no_proxy(loopback_server: LoopbackServer, url: str) -> None:
    with pytest.raises(InvalidTarget):
        says(loopback_server, url)


def test_ports_and_percent_signs() -> None:
    assert Proxy.parse("http://p") == Proxy("http", "p", 8080)
    assert Proxy.parse("https://p/").port == 8443
    assert Proxy.parse("socks4a://p").port == 1080
    assert Proxy.parse("socks5://a%40b:c%3A%2F%25@[::1]:9").address == ("::1", 9)
    assert Proxy.parse("socks5://a%40b:c%3A%2F%25@[::1]:9").password == "c:/%"
    assert str(Proxy.parse("socks5://a%40b:c%3A%2F%25@[::1]:9")) == "socks5://[::1]:9"


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
def test_no_time_left_at_all(own_proxy: Any, scheme: str) -> None:
    """0 means something else to a socket."""
    proxy = Proxy.parse(f"{scheme}://127.0.0.1:{own_proxy.port}")
    with pytest.raises(ConnectTimeout):
        proxy.reach(None, "127.0.0.1", 22, Deadline.after(0))
    sock = socket.create_connection(proxy.address)
    with pytest.raises(ConnectTimeout):
        proxy.reach(sock, "127.0.0.1", 22, Deadline.after(0))
    assert sock.fileno() == -1
