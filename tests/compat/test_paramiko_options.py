"""What `connect` can be told about algorithms, keys, certificates and agents; over paramiko and over ours."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours
from openssh_core.testing import Key, LoopbackServer, generate_key, shared_key

from .conftest import login

Make = Callable[..., Any]


def is_here(client: Any) -> bool:
    return bool(client.exec_command("echo here")[1].read() == b"here\n")


# ---- algorithms


@pytest.mark.behaviour("connect-options")
def test_ciphers_and_their_like_that_are_left_out(log_in: Make, loopback_server: LoopbackServer) -> None:
    before = log_in(loopback_server).get_transport()
    kinds = {"ciphers": "remote_cipher", "macs": "remote_mac", "kex": None, "keys": None}
    chosen = {kind: [getattr(before, name)] for kind, name in kinds.items() if name}
    chosen["ciphers"].append("aes128-gcm@openssh.com")
    client = log_in(loopback_server, disabled_algorithms={**chosen, "kex": [], "keys": []})
    after = client.get_transport()
    assert after.remote_cipher not in chosen["ciphers"] and after.local_cipher not in chosen["ciphers"]
    assert after.remote_cipher and after.remote_mac and is_here(client)


@pytest.fixture(scope="module")
def rsa() -> Key:
    return generate_key(kind="rsa")


@pytest.mark.behaviour("connect-options")
def test_algorithms_for_the_users_key(paramiko: Any, make_server: Make, log_in: Make, rsa: Key) -> None:
    server = make_server({"PubkeyAcceptedAlgorithms": "rsa-sha2-256,rsa-sha2-512"}, key=rsa)
    assert is_here(log_in(server, disabled_algorithms={"pubkeys": ["rsa-sha2-512"]}))
    with pytest.raises(paramiko.SSHException):
        log_in(server, disabled_algorithms={"pubkeys": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]})


def test_a_server_that_knows_only_sha1(make_server: Make, rsa: Key) -> None:
    """Told as programs told paramiko before 4."""
    server = make_server({"PubkeyAcceptedAlgorithms": "ssh-rsa", "HostKeyAlgorithms": "ssh-rsa"}, key=rsa, host_key=rsa)
    with ours.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        with pytest.raises(ours.SSHException, match="no matching|in common"):
            client.connect(**login(server))
        sha2 = ["rsa-sha2-512", "rsa-sha2-256"]
        client.connect(**login(server, disabled_algorithms={"pubkeys": sha2, "keys": sha2}))
        assert client.get_transport().host_key_type == "ssh-rsa"
        assert is_here(client)


@pytest.mark.behaviour("connect-options")
@pytest.mark.parametrize(("compress", "method"), [(True, "zlib@openssh.com"), (False, "none")])
def test_compression(log_in: Make, loopback_server: LoopbackServer, compress: bool, method: str) -> None:
    client = log_in(loopback_server, compress=compress)
    transport = client.get_transport()
    assert (transport.local_compression, transport.remote_compression) == (method, method)
    assert is_here(client)


# ---- a transport of one's own


@pytest.mark.behaviour("connect-options")
def test_a_factory_of_transports(paramiko: Any, log_in: Make, loopback_server: LoopbackServer) -> None:
    made: list[Any] = []

    class Mine(paramiko.Transport):  # type: ignore[misc,name-defined]
        mine = True

    def factory(sock: Any, **named: Any) -> Any:
        made.append((sock.getpeername()[:2], named["disabled_algorithms"]))
        return Mine(sock, **named)

    left_out = {"ciphers": ["3des-cbc"]}
    client = log_in(loopback_server, transport_factory=factory, disabled_algorithms=left_out)
    assert made == [((loopback_server.host, loopback_server.port), left_out)]
    assert isinstance(client.get_transport(), Mine) and is_here(client)


# ---- where keys come from


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loopback_server: LoopbackServer) -> Path:
    """A home directory with the right key in it."""
    path = tmp_path / "home"
    (path / ".ssh").mkdir(parents=True, mode=0o700)
    key = path / ".ssh" / "id_ed25519"
    key.write_text(loopback_server.key.read_text())
    key.chmod(0o600)
    monkeypatch.setenv("HOME", str(path))
    return path


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loopback_server: LoopbackServer) -> Iterator[None]:
    """An agent with two keys, of which the second is the right one."""
    path = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            for key in (shared_key("stranger").write(tmp_path / "stranger"), loopback_server.key):
                subprocess.run(["ssh-add", "-q", str(key)], check=True, stdin=subprocess.DEVNULL)
            yield
        finally:
            process.terminate()


def refused(paramiko: Any, log_in: Make, server: LoopbackServer, **changes: Any) -> None:
    with pytest.raises(paramiko.SSHException, match="^No authentication methods available$"):
        log_in(server, key_filename=None, **changes)


@pytest.mark.behaviour("connect-options")
@pytest.mark.usefixtures("home")
def test_looking_for_keys(paramiko: Any, log_in: Make, loopback_server: LoopbackServer) -> None:
    assert is_here(log_in(loopback_server, key_filename=None, look_for_keys=True))
    refused(paramiko, log_in, loopback_server)


@pytest.mark.behaviour("connect-options")
@pytest.mark.usefixtures("agent")
def test_the_agent(paramiko: Any, log_in: Make, loopback_server: LoopbackServer) -> None:
    assert is_here(log_in(loopback_server, key_filename=None, allow_agent=True))
    refused(paramiko, log_in, loopback_server)


@pytest.mark.behaviour("connect-options")
@pytest.mark.usefixtures("agent")
def test_a_key_of_the_agent(paramiko: Any, log_in: Make, loopback_server: LoopbackServer) -> None:
    with closing(paramiko.Agent()) as agent:
        wrong, right = agent.get_keys()
        assert is_here(log_in(loopback_server, key_filename=None, pkey=right))
        with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
            log_in(loopback_server, key_filename=None, pkey=wrong)


@pytest.mark.behaviour("connect-options")
@pytest.mark.usefixtures("agent", "home")
def test_a_wrong_key_hides_none_of_the_others(log_in: Make, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    wrong = str(tmp_path / "stranger")
    for changes in ({"allow_agent": True}, {"look_for_keys": True}):
        assert is_here(log_in(loopback_server, key_filename=wrong, **changes))


@pytest.mark.behaviour("connect-options")
def test_a_passphrase_for_one_of_several(make_server: Make, log_in: Make, tmp_path: Path) -> None:
    key = generate_key(passphrase="open sesame")
    server = make_server(key=key)
    first = str(shared_key("stranger").write(tmp_path / "first"))
    for changes in ({"passphrase": "open sesame"}, {"password": "open sesame"}):
        assert is_here(log_in(server, key_filename=[first, str(server.key)], **changes))


# ---- certificates


class Certified:
    """A server that takes certificates and no keys, and a key that has one.

    Attributes:
        key: the key's file, with its certificate beside it.
        bare: a copy of the key without.
        certificate: a copy of the certificate, far from any key.
    """

    def __init__(self, server: LoopbackServer, key: Path, bare: Path, certificate: Path) -> None:
        self.server = server
        self.key = key
        self.bare = bare
        self.certificate = certificate


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    if reason := LoopbackServer.unavailable():
        pytest.skip(reason)
    path = tmp_path_factory.mktemp("certified")
    authority = generate_key().write(path / "authority")
    (path / "a").mkdir(), (path / "b").mkdir(), (path / "c").mkdir()
    key = generate_key()
    certified, bare = key.write(path / "a" / "id"), key.write(path / "b" / "id")
    options = {"TrustedUserCAKeys": f"{authority}.pub", "AuthorizedKeysFile": "none", "StrictModes": False}
    with LoopbackServer(options) as server:
        sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", server.user, f"{certified}.pub"]
        subprocess.run(sign, check=True, stdin=subprocess.DEVNULL)
        certificate = path / "c" / "certificate-cert.pub"
        certificate.write_text(Path(f"{certified}-cert.pub").read_text())
        yield Certified(server, certified, bare, certificate)


@pytest.mark.behaviour("connect-options")
def test_a_certificate_beside_the_key(log_in: Make, certified: Certified) -> None:
    assert is_here(log_in(certified.server, key_filename=str(certified.key)))
    assert is_here(log_in(certified.server, key_filename=[str(certified.bare), str(certified.key)]))


@pytest.mark.behaviour("connect-options")
def test_a_certificate_in_the_place_of_its_key(log_in: Make, certified: Certified) -> None:
    assert is_here(log_in(certified.server, key_filename=f"{certified.key}-cert.pub"))


@pytest.mark.behaviour("connect-options")
def test_a_key_without_its_certificate(paramiko: Any, log_in: Make, certified: Certified) -> None:
    with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
        log_in(certified.server, key_filename=str(certified.bare))


@pytest.mark.behaviour("connect-options")
def test_a_key_object_that_is_given_its_certificate(paramiko: Any, log_in: Make, certified: Certified) -> None:
    key = paramiko.Ed25519Key.from_private_key_file(str(certified.bare))
    with pytest.raises(paramiko.AuthenticationException, match="^Authentication failed.$"):
        log_in(certified.server, key_filename=None, pkey=key)
    key.load_certificate(str(certified.certificate))
    assert is_here(log_in(certified.server, key_filename=None, pkey=key))
    with paramiko.Transport((certified.server.host, certified.server.port)) as transport:
        transport.connect(username=certified.server.user, pkey=key)
        assert transport.is_authenticated()


# ---- a socket that is given


def test_a_socket_is_closed_with_a_login_that_failed(paramiko: Any, loopback_server: LoopbackServer) -> None:
    sock = socket.create_connection((loopback_server.host, loopback_server.port), 60)
    client = paramiko.SSHClient()
    with pytest.raises(paramiko.SSHException, match="not found in known_hosts"):
        client.connect(**login(loopback_server, sock=sock))
    client.close()
    assert sock.fileno() == -1
