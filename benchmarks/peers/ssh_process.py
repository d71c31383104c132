"""A fresh `ssh -S` process for every command over one master: what scripts and most wrappers do today."""

from __future__ import annotations

import socket
import subprocess
import time

from peers.base import SMALL, Setup, bulk_command, drain, files, one_by_one, through, timed, wide
from peers.ssh_master import SSHMaster
from peers.trees import copied

__all__ = ["SSHProcess"]


class SSHProcess:
    """`subprocess.run(["ssh", "-S", PATH, HOST, COMMAND])`."""

    def __init__(self, setup: Setup) -> None:
        self._master = SSHMaster(setup, "s")
        # A refused session must fail: without these two ssh would log in anew and run the command there.
        self._setup = setup
        self._guard = ["-oControlMaster=no", "-oProxyCommand=false"]
        self._words = ["ssh", "-F", "none", "-S", self._master.path, *self._guard, "--", self._master.destination]

    def login(self) -> None:
        self._master.start()

    def logout(self) -> None:
        self._master.stop()

    def _command(self) -> None:
        subprocess.run([*self._words, SMALL], stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def commands(self, count: int) -> list[float]:
        return one_by_one(self._command, count)

    def in_flight(self, count: int, width: int) -> float:
        return wide(self._command, count, width)

    def bulk(self, size: int) -> float:
        start = time.perf_counter()
        words = [*self._words, bulk_command(size)]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            drain(process.stdout, size)
        return time.perf_counter() - start

    def tunnel(self, port: int, size: int) -> float:
        return self._through(port, size, up=False)

    def tunnel_up(self, port: int, size: int) -> float:
        return self._through(port, size, up=True)

    def _through(self, port: int, size: int, *, up: bool) -> float:
        ours, theirs = socket.socketpair()
        words = [*self._words[:-2], "-W", f"127.0.0.1:{port}", *self._words[-2:]]
        with subprocess.Popen(words, stdin=theirs, stdout=theirs) as process:
            theirs.close()
            taken = through(ours, size, up=up)
            process.wait()
        return taken

    def tree_get(self, count: int, size: int) -> float:
        return copied(lambda source, target: self._scp(f"{self._master.destination}:{source}", target), count, size)

    def tree_put(self, count: int, size: int) -> float:
        return copied(lambda source, target: self._scp(source, f"{self._master.destination}:{target}"), count, size)

    def _scp(self, source: str, target: str) -> None:
        options = ["-F", "none", f"-oControlPath={self._master.path}", "-oControlMaster=no", "-oProxyCommand=false"]
        words = ["scp", "-q", "-r", *options, "--", source, target]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def sftp_get(self, count: int, size: int) -> float:
        """As `tree_get`, with OpenSSH's `sftp -r` instead of `scp -r`; `sftp_put`: the other way."""
        return copied(lambda source, target: self._sftp(f"get -r {source} {target}"), count, size)

    def sftp_put(self, count: int, size: int) -> float:
        return copied(lambda source, target: self._sftp(f"put -r {source} {target}"), count, size)

    def _sftp(self, order: str) -> None:
        options = ["-F", "none", f"-oControlPath={self._master.path}", "-oControlMaster=no", "-oProxyCommand=false"]
        words = ["sftp", "-q", "-b", "-", *options, "--", self._master.destination]
        subprocess.run(words, input=f"{order}\n".encode(), capture_output=True, check=True)

    def get(self) -> float:
        sent, received = files(self._setup)
        return timed(lambda: self._scp(f"{self._master.destination}:{sent}", received))

    def put(self) -> float:
        sent, received = files(self._setup)
        return timed(lambda: self._scp(sent, f"{self._master.destination}:{received}"))

    def helpers(self) -> list[int]:
        return [self._master.pid()]
