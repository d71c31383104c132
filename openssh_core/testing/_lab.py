"""What both kinds of server have: a private directory, keys, files that make ssh trust it, a log, and a clean end.

No path needs quoting anywhere, because one place (`_new_directory`) decides what they look like.
"""

from __future__ import annotations

import os
import pwd
import re
import signal
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import OpenSSHError
from . import _config, _processes, _programs
from ._log import Log
from ._watcher import Watcher
from .keys import Key, known_hosts_line, shared_key

if TYPE_CHECKING:
    from typing_extensions import Self

ALIAS = "loopback"
"""The Host entry in a server's `ssh_config`."""


class ServerFailed(OpenSSHError):
    """A server for tests did not start, or did not end.

    Attributes:
        log: what sshd said.
    """

    def __init__(self, what: str, *, advice: str | None = None, log: str = "") -> None:
        super().__init__(f"{what}\n{log}".rstrip(), advice=advice)
        self.log = log


class Server:
    """A real sshd for tests, that knows and touches nothing of this machine's own.

    Not made directly: `LoopbackServer` listens on a port, `InetdServer` is started by the client.

    Attributes:
        directory: holds everything of the server, and is deleted with it.
        host: what a client connects to.
        user: who logs in.
        key: path of the client's private key; the public one is beside it, with `.pub`.
        known_hosts: path of a file with the server's host key, for this port and, for relays, every other one.
        ssh_config: path of a client configuration: `ssh -F <ssh_config> loopback` logs in.
        host_key: the server's host key.
    """

    host = ALIAS
    port: int | None = None
    _mode = 0o700

    def __init__(
        self,
        *,
        user: str | None,
        sshd: str | os.PathLike[str] | None,
        key: Key | None,
        host_key: Key | None,
    ) -> None:
        program = _programs.find_sshd(sshd)
        if program is None:
            raise ServerFailed("there is no sshd", advice="Install the OpenSSH server (it need not run)")
        self.sshd = program
        self.user = user or pwd.getpwuid(os.geteuid()).pw_name
        self.host_key = host_key or shared_key("host")
        client_key = key or shared_key("user")
        self.directory = _new_directory(self._mode)
        self.known_hosts = self.directory / "known_hosts"
        self.ssh_config = self.directory / "ssh_config"
        with ExitStack() as on_failure:
            on_failure.callback(_processes.remove, str(self.directory))
            on_failure.callback(Watcher(str(self.directory)).dismiss)
            self._log = Log(self.directory / "log")
            on_failure.callback(self._close_log)
            on_failure.callback(self._end_processes)
            (self.directory / "home").mkdir()
            self.key = client_key.write(self.directory / "id")
            self.host_key.write(self.directory / "host_key")
            self._exit = on_failure.pop_all()

    @staticmethod
    def unavailable() -> str | None:
        """Why there can be no such server here, for `pytest.skip`; None when there can."""
        return _programs.missing("sshd", "ssh", "ssh-keygen")

    # ---- for clients ----------------------------------------------------------------------------------

    @property
    def target(self) -> str:
        """The destination, as `user@host` or `user@host:port`."""
        return self._target(self.port)

    def _target(self, port: int | None) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}" if port is None else f"{self.user}@{host}:{port}"

    def connect_options(self, *, port: int | None = None) -> dict[str, Any]:
        """Arguments for `openssh_core.connect`, which then uses no file and no agent of the user.

        Args:
            port: go to another port of the same host: a relay's that leads here.
        """
        return {
            "target": self._target(port or self.port),
            "key": str(self.key),
            "known_hosts": str(self.known_hosts),
            "config_file": "none",
            "agent": False,
        }

    # ---- what happens in it ---------------------------------------------------------------------------

    @property
    def log(self) -> str:
        """What sshd said until now."""
        return self._log.text()

    def wait_for_log(self, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """Wait until the log matches a regular expression (`^` and `$` match at lines).

        Args:
            timeout: in seconds.

        Raises:
            TimeoutError: it did not come.
        """
        match = self._log.wait_for(pattern, timeout)
        if match is None:
            raise TimeoutError(f"{pattern!r} is not in the log of {self!r}:\n{self.log}")
        return match

    @property
    def logins(self) -> int:
        """How many times somebody was let in."""
        return len(re.findall(r"^Accepted \w", self.log, re.MULTILINE))

    def sessions_pids(self) -> list[int]:
        """The sshd processes that serve connections now, one to three for each. Not the commands they run."""
        return sorted(self._find_sessions())

    def _find_sessions(self) -> set[int]:
        return _processes.servers(str(self.directory))

    def freeze(self) -> None:
        """Stop (SIGSTOP) the processes of all present connections: to the client, the server is there but silent."""
        _processes.stop_all(self._find_sessions)

    def thaw(self) -> None:
        """Let what was frozen go on (SIGCONT)."""
        # sshd's child may have become a command between the look and the signal that was meant for sshd.
        _processes.send(_processes.belonging(str(self.directory)), signal.SIGCONT)

    def kill_sessions(self) -> None:
        """SIGKILL the processes of all present connections. Commands that run there are not killed; `stop` does that.

        Raises:
            ServerFailed: they did not end.
        """
        self._end(self._find_sessions)

    # ---- its end --------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End the server, its connections and every command they ran, and delete its files. May be called again.

        Raises:
            ServerFailed: a process did not end.
        """
        self._exit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"

    def _end_processes(self) -> None:
        self._end(lambda: _processes.belonging(str(self.directory)))

    def _end(self, find: _processes.Find) -> None:
        if left := _processes.end_all(find):
            raise ServerFailed(f"processes {sorted(left)} of {self!r} do not end", log=self.log)

    def _close_log(self) -> None:
        self._log.close()

    def _new_log(self) -> None:
        self._log.close()
        path = self.directory / "log"
        path.unlink()
        self._log = Log(path)

    # ---- its files ------------------------------------------------------------------------------------

    def _base_options(self) -> dict[str, _config.Value]:
        """What the server would do if nobody chose otherwise."""
        # HOME is where shells look for their start-up files (bash run by sshd reads ~/.bashrc). An empty one costs
        # nothing, and the tests do not depend on whose they are.
        environment = [
            f"{_processes.MARK}={self.directory}",
            f"HOME={self.directory / 'home'}",
            "LANG=C.UTF-8",
        ]
        return {
            **_config.defaults(_programs.sshd_version(self.sshd)),
            **_programs.companions(self.sshd),
            "UsePAM": _programs.is_locked(self.user),
            "AuthorizedKeysFile": str(self.directory / "id.pub"),
            "SetEnv": " ".join(environment),
        }

    def _write_server_config(self, options: Mapping[str, _config.Value]) -> Path:
        path = self.directory / "sshd_config"
        path.write_text(_config.rendered({**options, "HostKey": str(self.directory / "host_key")}), encoding="utf-8")
        return path

    def _write_client_files(self, names: list[str], options: Mapping[str, _config.Value]) -> None:
        self.known_hosts.write_text(known_hosts_line(names, self.host_key.public) + "\n", encoding="utf-8")
        own: dict[str, _config.Value] = {
            "User": self.user,
            "IdentityFile": str(self.key),
            "UserKnownHostsFile": str(self.known_hosts),
        }
        self.ssh_config.write_text(_config.client_config(ALIAS, {**options, **own}), encoding="utf-8")


def _new_directory(mode: int) -> Path:
    parent = os.path.realpath(tempfile.gettempdir())
    if not re.fullmatch(r"[\w./+-]+", parent, re.ASCII):  # blanks need quotes, and % is special in some options
        parent = "/tmp"
    path = Path(tempfile.mkdtemp(prefix=_processes.PREFIX, dir=parent))
    path.chmod(mode)
    return path
