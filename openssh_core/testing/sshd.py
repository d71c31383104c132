"""A server of one's own is a real sshd on a loopback port, and it is known to be ours because it told us so.

sshd cannot be asked for any free port, so one is looked for; who else may listen there is no guess but read from
sshd's own log: either "Server listening on" that port, or "Address already in use" and another one is tried.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from . import _config, _processes, _programs
from ._lab import Server, ServerFailed
from .keys import Key, known_hosts_name

_ATTEMPTS = 20


class LoopbackServer(Server):
    """A private sshd on a free port of this machine. It runs when this returns, in some 30 ms; `stop` ends it.

    Works as an ordinary user, too; then only that user can log in. If this program dies without `stop`, a watcher
    ends the server within a second. Sessions run no start-up files of the user, whose HOME is an empty directory there
    (the working directory at login is still the real one).

    Args:
        options: sshd_config options, over ours (`sshd_config(5)`): `{"MaxSessions": 2, "AcceptEnv": "A B"}`. True and
            False mean yes and no, a sequence of strings means a line for each, None removes one of our defaults. Names
            and values given as `SetEnv` are added to ours.
        user: who logs in; the one who runs this program when left out. Root can let anybody log in.
        sshd: another sshd program; helpers of a build that lie beside it are used.
        sshd_options: more arguments for its command line.
        address: the loopback address to listen on: `127.0.0.1` or `::1`.
        key: what the client logs in with; shared by all servers of the process when left out.
        host_key: the server's own; likewise.
        timeout: how long to wait for it to listen, in seconds.

    Raises:
        ServerFailed: there is no sshd, or it did not start; the message has its words.
        InvalidOption: an option that cannot be given here.
    """

    port: int

    def __init__(
        self,
        options: Mapping[str, _config.Value] | None = None,
        *,
        user: str | None = None,
        sshd: str | os.PathLike[str] | None = None,
        sshd_options: Sequence[str] = (),
        address: str = "127.0.0.1",
        key: Key | None = None,
        host_key: Key | None = None,
        timeout: float = 10.0,
    ) -> None:
        super().__init__(user=user, sshd=sshd, key=key, host_key=host_key)
        self.host = address
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(_config.merged(self._base_options(), options or {}), sshd_options, timeout)
            names = [known_hosts_name(name, self.port) for name in (address, "localhost")]
            self._write_client_files([*names, f"[{address}]:*"], {"HostName": address, "Port": self.port})
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int | None:
        """Process number of the sshd that listens; None when it was never started."""
        return self._process.pid if self._process else None

    def freeze(self, *, listener: bool = False) -> None:
        """Stop (SIGSTOP) the processes of all present connections: to the client, the server is there but silent.

        Args:
            listener: freeze the one that listens, too: new connections come about, but nobody greets them.
        """
        if listener and self._process:
            self._process.send_signal(signal.SIGSTOP)
        super().freeze()

    def thaw(self) -> None:
        """Let what was frozen go on (SIGCONT), the listener included."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
        super().thaw()

    def _find_sessions(self) -> set[int]:
        return _processes.servers(str(self.directory), self.pid)

    def _end_processes(self) -> None:
        super()._end_processes()
        if self._process:
            self._process.wait()

    # ---- its start ------------------------------------------------------------------------------------

    def _start(self, options: Mapping[str, _config.Value], sshd_options: Sequence[str], timeout: float) -> None:
        for attempt in range(_ATTEMPTS):
            with _free_port(self.host, held=attempt % 2 == 0) as self.port:
                where: dict[str, _config.Value] = {"Port": self.port, "ListenAddress": self.host}
                config = self._write_server_config({**options, **where})
                self._process = self._launch([self.sshd, "-D", "-e", "-f", str(config), *sshd_options])
                self._log.release()
                if self._log.wait_for(rf"^Server listening on \S+ port {self.port}\b", timeout):
                    return
            if self._process.poll() is None and not self._log.ended:
                raise ServerFailed(f"sshd did not listen within {timeout} s", log=self.log)
            self._process.wait()
            if not _can_be_helped(self.log):
                raise ServerFailed(f"sshd ended with {self._process.returncode}", log=self.log)
            self._new_log()
        raise ServerFailed(f"no free port in {_ATTEMPTS} attempts")

    def _launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log.writer,
            env={**os.environ, _processes.MARK: str(self.directory)},
            start_new_session=True,  # Ctrl-C in the terminal is not for it
            cwd="/",
        )


def _can_be_helped(log: str) -> bool:
    """Whether another attempt may go better; does what is needed for that."""
    return _programs.make_missing_directory(log) or "Address already in use" in log


@contextlib.contextmanager
def _free_port(address: str, *, held: bool) -> Iterator[int]:
    """A port that is free now.

    Linux lets two sockets with SO_REUSEADDR have one port while neither listens, and gives it to nobody who asks for
    any port. So if we keep ours until sshd listens, there is no gap for others. Other systems refuse sshd the port.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        if held:
            yield port
    if not held:
        yield port
