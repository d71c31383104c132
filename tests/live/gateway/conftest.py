"""Proxies to go through: real programs, and one of our own, written from the RFCs, that can be told to behave badly."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SOON = 60.0


class OwnProxy:
    """Speaks SOCKS 4, 4a and 5 and HTTP CONNECT on one port: the first byte tells which.

    Attributes:
        port: it listens on 127.0.0.1.
        asked: what clients have asked for: (kind, host, port).
        login: the (user, password) that it wants, None for none.
        answer: bytes that it says instead of connecting, after the first of the client's; None to do its work.
        tls: a context to speak inside TLS, None for not.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.login: tuple[str, str] | None = None
        self.answer: bytes | None = None
        self.tls: ssl.SSLContext | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._socks: list[Any] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._socks.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        with raw, contextlib.suppress(OSError, EOFError, ValueError), contextlib.ExitStack() as ends:
            client: Any = raw if self.tls is None else self.tls.wrap_socket(raw, server_side=True)
            ends.enter_context(client)
            first = self._exactly(client, 1)
            if self.answer is not None:
                client.sendall(self.answer)
                while client.recv(4096):
                    pass
                return
            speak = {b"\4": self._socks_4, b"\5": self._socks_5}.get(first, self._http)
            host, port, granted, refused = speak(client, first)
            self.asked.append((speak.__name__.strip("_"), host, port))
            try:
                server = socket.create_connection((host, port))
            except OSError:
                client.sendall(refused)
                return
            self._socks.append(server)
            with server:
                client.sendall(granted)
                back = threading.Thread(target=_copy, args=(server, client))
                back.start()
                _copy(client, server)
                back.join()

    def _exactly(self, client: Any, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = client.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _until(self, client: Any, end: bytes) -> bytes:
        data = b""
        while not data.endswith(end):
            data += self._exactly(client, 1)
        return data[: -len(end)]

    def _socks_4(self, client: Any, _first: bytes) -> tuple[str, int, bytes, bytes]:
        _command, *port = self._exactly(client, 3)
        address = self._exactly(client, 4)
        self._until(client, b"\0")
        if address[:3] == bytes(3):  # noqa: SIM108
            host = self._until(client, b"\0").decode()
        else:
            host = socket.inet_ntoa(address)
        return host, int.from_bytes(bytes(port), "big"), b"\0\x5a" + bytes(6), b"\0\x5b" + bytes(6)

    def _socks_5(self, client: Any, _first: bytes) -> tuple[str, int, bytes, bytes]:
        methods = self._exactly(client, self._exactly(client, 1)[0])
        wanted = 0 if self.login is None else 2
        client.sendall(bytes([5, wanted if wanted in methods else 0xFF]))
        if self.login is not None:
            self._exactly(client, 1)
            user = self._exactly(client, self._exactly(client, 1)[0])
            password = self._exactly(client, self._exactly(client, 1)[0])
            right = (user.decode(), password.decode()) == self.login
            client.sendall(bytes([1, 0 if right else 1]))
            if not right:
                raise EOFError
        kind = self._exactly(client, 4)[3]
        if kind == 3:
            host = self._exactly(client, self._exactly(client, 1)[0]).decode()
        else:
            family, size = {1: (socket.AF_INET, 4), 4: (socket.AF_INET6, 16)}[kind]
            host = socket.inet_ntop(family, self._exactly(client, size))
        port = int.from_bytes(self._exactly(client, 2), "big")
        return host, port, b"\5\0\0\1" + bytes(6), b"\5\5\0\1" + bytes(6)

    def _http(self, client: Any, first: bytes) -> tuple[str, int, bytes, bytes]:
        lines = (first + self._until(client, b"\r\n\r\n")).decode().split("\r\n")
        method, authority, _version = lines[0].split(" ")
        assert method == "CONNECT"
        if self.login is not None:
            basic = base64.b64encode(":".join(self.login).encode()).decode()
            if f"Proxy-Authorization: Basic {basic}" not in lines:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n")
                raise EOFError
        host, _, port = authority.rpartition(":")
        granted = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"
        return host.strip("[]"), int(port), granted, b"HTTP/1.1 502 Bad Gateway\r\n\r\n"


def _copy(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError, ValueError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def own_proxy() -> Iterator[OwnProxy]:
    proxy = OwnProxy()
    yield proxy
    proxy.close()


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate", folder / "key"
    words = "openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=proxy -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [*words.split(), "-keyout", str(key), "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL
    )
    return certificate, key


@pytest.fixture(scope="session")
def real_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], int]]:
    """Start `microsocks` or `tinyproxy`; the port it listens on. With a user "fred" whose password is "secret"."""
    with contextlib.ExitStack() as ends:
        ports: dict[str, int] = {}

        def start(program: str) -> int:
            if program not in ports:
                ports[program] = _start(program, tmp_path_factory.mktemp(program), ends)
            return ports[program]

        yield start


def _start(program: str, folder: Path, ends: contextlib.ExitStack) -> int:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program} (scripts/install-system-deps tests)")
    while True:
        # Neither can be told to take any port that is free; another program may take this one before it does.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        if program == "microsocks":
            words = [path, "-i", "127.0.0.1", "-p", str(port), "-u", "fred", "-P", "secret"]
        else:
            config = folder / "conf"
            config.write_text(
                f'Port {port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth fred secret\nLogFile "{folder}/log"\n'
            )
            words = [path, "-d", "-c", str(config)]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if _listens(process, port):
            ends.callback(process.wait)
            ends.callback(process.kill)
            return port
        assert process.wait() != 70, "its configuration is wrong"


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            # Somebody listens; it is this one if it has not given up.
            return process.poll() is None
        os.sched_yield()
    return False
