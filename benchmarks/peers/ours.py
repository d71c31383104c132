"""The core of this project, through its public face."""

from __future__ import annotations

import time
from subprocess import PIPE
from typing import Any

import openssh_core
from peers.base import SMALL, Setup, bulk_command, drain, files, one_by_one, through, timed, wide
from peers.trees import copied, small_file

__all__ = ["Ours"]


class Ours:
    """`openssh_core.connect(...)`, `run` and `popen`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def _options(self) -> dict[str, Any]:
        setup = self._setup
        return {"key": setup.key, "known_hosts": setup.known_hosts, "agent": False, "config_file": "none"}

    def _target(self) -> str:
        return f"{self._setup.user}@{self._setup.host}:{self._setup.port}"

    def login(self) -> None:
        self._host = openssh_core.connect(self._target(), **self._options())

    def logout(self) -> None:
        self._host.close()

    def again(self, count: int) -> list[float]:
        options = {**self._options(), "persist": 60, "control_dir": self._setup.scratch}
        # The first program logs in. It is not the one that is asked about.
        openssh_core.connect(self._target(), **options).close()
        try:
            return one_by_one(lambda: openssh_core.connect(self._target(), **options).close(), count)
        finally:
            openssh_core.stop_persistent(self._target(), **options)

    def at_once(self, count: int) -> float:
        start = time.perf_counter()
        handles = openssh_core.connect_many([self._target()] * count, **self._options(), connect_timeout=100)
        hosts = [handle.result() for handle in handles]
        taken = time.perf_counter() - start
        for host in hosts:
            host.close()
        return taken

    def _command(self) -> None:
        self._host.run(SMALL, check=True)

    def commands(self, count: int) -> list[float]:
        return one_by_one(self._command, count)

    def in_flight(self, count: int, width: int) -> float:
        return wide(self._command, count, width)

    def bulk(self, size: int) -> float:
        start = time.perf_counter()
        process = self._host.popen(bulk_command(size), stdout=PIPE, encoding=None)
        assert process.stdout is not None
        drain(process.stdout, size)
        process.wait()
        return time.perf_counter() - start

    def tunnel(self, port: int, size: int) -> float:
        return through(self._host.open_tunnel("127.0.0.1", port), size)

    def tunnel_direct(self, port: int, size: int) -> float:
        return through(self._host.open_tunnel("127.0.0.1", port, direct=True), size)

    def tunnel_up(self, port: int, size: int) -> float:
        return through(self._host.open_tunnel("127.0.0.1", port), size, up=True)

    def tree_get(self, count: int, size: int) -> float:
        return copied(lambda source, target: self._host.get(source, target, recursive=True), count, size)

    def tree_put(self, count: int, size: int) -> float:
        return copied(lambda source, target: self._host.put(source, target, recursive=True), count, size)

    def file_get(self, count: int) -> list[float]:
        return small_file(self._host.get, count)

    def file_put(self, count: int) -> list[float]:
        return small_file(self._host.put, count)

    def file_put_in_place(self, count: int) -> list[float]:
        return small_file(lambda source, target: self._host.put(source, target, atomic=False), count)

    def get(self) -> float:
        def work() -> None:
            with self._host.sftp() as sftp:
                sftp.get(*files(self._setup))

        return timed(work)

    def put(self) -> float:
        def work() -> None:
            with self._host.sftp() as sftp:
                sftp.put(*files(self._setup))

        return timed(work)

    def helpers(self) -> list[int]:
        return [self._host.master_pid]
