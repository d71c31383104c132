"""paramiko, and whatever else has its face: the same lines run against both, only the module differs."""

from __future__ import annotations

import importlib
import logging
import os
import stat
import time
from typing import Any

from peers.base import CHUNK, SMALL, Setup, bulk_command, check_size, files, one_by_one, through, timed, wide
from peers.holding import held
from peers.trees import copied, small_file

__all__ = ["LikeParamiko"]

PIECE = 32768
"""Bytes at a time where a program reads and writes by itself: what paramiko asks for at once."""


class LikeParamiko:
    """`SSHClient.exec_command` of the module called `name`."""

    def __init__(self, setup: Setup, name: str) -> None:
        self._setup = setup
        # It logs whatever a server does to it, and raises it as well; once is enough.
        logging.getLogger("paramiko").addHandler(logging.NullHandler())
        # Any: paramiko has no type information, and the adapter stands in for it.
        self._module: Any = importlib.import_module(name)

    def login(self) -> None:
        self._client = self._logged_in()
        self._files: Any = None

    def _logged_in(self) -> Any:
        setup = self._setup
        client = self._module.SSHClient()
        client.load_host_keys(setup.known_hosts)
        client.connect(
            setup.host,
            port=setup.port,
            username=setup.user,
            key_filename=setup.key,
            allow_agent=False,
            look_for_keys=False,
        )
        return client

    def again(self, count: int) -> list[float]:
        return one_by_one(lambda: self._logged_in().close(), count)

    def at_once(self, count: int) -> float:
        clients: list[Any] = []
        try:
            return wide(lambda: clients.append(self._logged_in()), count, count)
        finally:
            for client in clients:
                client.close()

    def hold(self, count: int) -> list[float]:
        def connect() -> Any:
            client = self._logged_in()
            self._run(client)
            return client

        return held(connect, count, close=lambda client: client.close(), works_for=_master_of)

    def logout(self) -> None:
        self._client.close()

    def _command(self) -> None:
        self._run(self._client)

    def _run(self, client: Any) -> None:
        stdin, stdout, stderr = client.exec_command(SMALL)
        stdout.read()
        stderr.read()
        self._check(stdout.channel.recv_exit_status())
        # Without this, collecting `stdin` sends an EOF that can fall behind the CLOSE of paramiko's own thread, and
        # the server ends the whole connection for it. Closing stdin at the start would cost paramiko a round trip.
        stdin.channel.close()

    def _status(self) -> None:
        stdin, stdout, _stderr = self._client.exec_command(SMALL)
        self._check(stdout.channel.recv_exit_status())
        stdin.channel.close()

    def _check(self, status: int) -> None:
        if status:
            raise RuntimeError(f"exit status {status}")

    def commands(self, count: int) -> list[float]:
        return one_by_one(self._command, count)

    def statuses(self, count: int) -> list[float]:
        """exec_command and recv_exit_status, nothing else: what most scripts do."""
        return one_by_one(self._status, count)

    def in_flight(self, count: int, width: int) -> float:
        return wide(self._command, count, width)

    def bulk(self, size: int) -> float:
        start = time.perf_counter()
        _, stdout, _ = self._client.exec_command(bulk_command(size))
        received = 0
        while piece := stdout.channel.recv(CHUNK):
            received += len(piece)
        self._check(stdout.channel.recv_exit_status())
        check_size(received, size)
        return time.perf_counter() - start

    def tunnel(self, port: int, size: int) -> float:
        return through(self._channel(port), size)

    def tunnel_up(self, port: int, size: int) -> float:
        return through(self._channel(port), size, up=True)

    def _channel(self, port: int) -> Any:
        return self._client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0))

    def _sftp(self) -> Any:
        if self._files is None:
            self._files = self._client.open_sftp()
        return self._files

    def tree_get(self, count: int, size: int) -> float:
        self._sftp()
        return copied(self._get, count, size)

    def _get(self, source: str, target: str) -> None:
        """What everybody writes: paramiko has no trees."""
        os.mkdir(target)
        for entry in self._files.listdir_attr(source):
            names = f"{source}/{entry.filename}", f"{target}/{entry.filename}"
            if stat.S_ISDIR(entry.st_mode):
                self._get(*names)
            else:
                self._files.get(*names)

    def tree_put(self, count: int, size: int) -> float:
        self._sftp()
        return copied(self._put, count, size)

    def _put(self, source: str, target: str) -> None:
        self._files.mkdir(target)
        for entry in os.scandir(source):
            names = entry.path, f"{target}/{entry.name}"
            if entry.is_dir():
                self._put(*names)
            else:
                self._files.put(*names)

    def file_get(self, count: int) -> list[float]:
        return small_file(self._sftp().get, count)

    def file_put(self, count: int) -> list[float]:
        return small_file(self._sftp().put, count)

    def get(self) -> float:
        def work() -> None:
            with self._client.open_sftp() as sftp:
                sftp.get(*files(self._setup))

        return timed(work)

    def put(self) -> float:
        def work() -> None:
            with self._client.open_sftp() as sftp:
                sftp.put(*files(self._setup))

        return timed(work)

    def file_read(self) -> float:
        source, target = files(self._setup)

        def work() -> None:
            with self._client.open_sftp() as sftp, sftp.open(source, "rb") as there, open(target, "wb") as here:
                there.prefetch(os.path.getsize(source))
                while piece := there.read(PIECE):
                    here.write(piece)

        return timed(work)

    def file_write(self) -> float:
        source, target = files(self._setup)

        def work() -> None:
            with self._client.open_sftp() as sftp, open(source, "rb") as here, sftp.open(target, "wb") as there:
                there.set_pipelined(True)
                while piece := here.read(PIECE):
                    there.write(piece)

        return timed(work)

    def helpers(self) -> list[int]:
        return []


def _master_of(client: Any) -> int:
    """The ssh process behind a client of the adapter; 0 for paramiko's own, which has none."""
    connection = getattr(client.get_transport(), "connection", None)
    return 0 if connection is None else connection.master_pid
