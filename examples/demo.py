"""Runs the three example programs, shows what they print, and what a command costs.

python examples/demo.py                # over a private sshd, which is started for this and ended
python examples/demo.py user@host      # over a host of yours, as ssh reaches it
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import openssh_core
from openssh_compat import paramiko
from openssh_compat.subprocess import on as subprocess_on
from openssh_core.testing import LoopbackServer, assert_nothing_left, snapshot

HERE = Path(__file__).parent
ROUNDS = 20


class Place:
    """Where the demo goes: what the three programs, ssh(1) and we need to get there."""

    def __init__(self, target: str, server: LoopbackServer | None) -> None:
        self.target = target
        self.server = server

    def subprocess_style(self) -> list[str]:
        """For the program that lets ssh read its configuration."""
        if self.server is None:
            return [self.target]
        return [self.target, "--key", str(self.server.key), "--known-hosts", str(self.server.known_hosts)]

    def paramiko_style(self) -> list[str]:
        """For the program that, as paramiko, reads no ssh_config: it is told what stands there."""
        if self.server:
            return self.subprocess_style()
        said = subprocess.run(["ssh", "-G", "--", self.target], check=True, capture_output=True, text=True).stdout
        options = dict(line.partition(" ")[::2] for line in reversed(said.splitlines()))
        words = [f"{options['user']}@{options['hostname']}:{options['port']}"]
        key = os.path.expanduser(options.get("identityfile", ""))
        return [*words, "--key", key] if os.path.isfile(key) else words

    def fabric(self) -> list[str]:
        """For the third."""
        target = ["-S", str(self.server.ssh_config), "-H", "loopback"] if self.server else ["-H", self.target]
        return [*target, "-r", str(HERE)]

    def ssh(self) -> list[str]:
        """For ssh(1): a new login each time, that asks nothing."""
        if self.server is None:
            return ["ssh", "-o", "BatchMode=yes", "--", self.target]
        return ["ssh", "-F", str(self.server.ssh_config), "-o", "BatchMode=yes", "--", "loopback"]

    def connect(self, control_dir: str) -> openssh_core.Connection:
        options = self.server.connect_options() if self.server else {"target": self.target}
        return openssh_core.connect(**options, control_dir=control_dir)


def title(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def program(name: str, words: Sequence[str], control_dir: str) -> None:
    title(name)
    # A master stays in nobody's process group; by the directory it is told of we shall see whether one is left.
    subprocess.run([sys.executable, *words], check=True, cwd=HERE, env={**os.environ, "XDG_RUNTIME_DIR": control_dir})


def cost(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds for one, the median."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def costs(place: Place, control_dir: str) -> None:
    title(f"What one small command costs (median of {ROUNDS})")
    rows = [("a new ssh for each command", cost(lambda: _run([*place.ssh(), "true"]), ROUNDS // 4))]
    with place.connect(control_dir) as host:
        guarded = ["-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-S", host.control_path, "--", "there"]
        rows.append(("ssh over the same master", cost(lambda: _run(["ssh", "-F", "none", *guarded, "true"]))))
        host.run("true")
        rows.append(("openssh_core: run", cost(lambda: host.run("true"))))
        with subprocess_on(host) as remote:
            rows.append(("as subprocess: run", cost(lambda: remote.run(["true"]))))
    with paramiko.SSHClient() as client:
        log_in(client, *place.paramiko_style())
        rows.append(("as paramiko: exec_command", cost(lambda: _exec(client))))
    slowest = rows[0][1]
    for name, milliseconds in rows:
        part = "" if milliseconds == slowest else f"1/{slowest / milliseconds:.0f} of that"
        print(f"  {name:<28} {milliseconds:8.2f} ms  {part}".rstrip())


def log_in(client: paramiko.SSHClient, target: str, *options: str) -> None:
    named = dict(zip(options[::2], options[1::2], strict=True))
    user, _, where = target.rpartition("@")
    host, _, port = where.rpartition(":")
    client.load_system_host_keys(named.get("--known-hosts"))
    client.connect(host, port=int(port), username=user, key_filename=named.get("--key"))


def _exec(client: paramiko.SSHClient) -> None:
    client.exec_command("true")[1].channel.recv_exit_status()


def _run(words: Sequence[str]) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def main(words: Sequence[str]) -> None:
    with ExitStack() as ends:
        control_dir = ends.enter_context(tempfile.TemporaryDirectory(prefix="oc-", dir="/tmp"))
        before = snapshot(control_dir)
        with ExitStack() as server_ends:
            server = None if words else server_ends.enter_context(LoopbackServer())
            place = Place(words[0] if words else server.target if server else "", server)
            if server:
                print(f"a private sshd listens on {server.host}, port {server.port}")
            paramiko_style = ["paramiko_style.py", *place.paramiko_style()]
            program("paramiko style: examples/paramiko_style.py", paramiko_style, control_dir)
            subprocess_style = ["subprocess_style.py", *place.subprocess_style()]
            program("subprocess style: examples/subprocess_style.py", subprocess_style, control_dir)
            fabric = ["-m", "openssh_compat.fabric", *place.fabric()]
            program(
                "fabric style: examples/fabfile.py", [*fabric, "release", "--version", "1.2", "health"], control_dir
            )
            costs(place, control_dir)
        assert_nothing_left(before)
        title("Nothing is left behind")
        left = os.listdir(control_dir)
        print(f"  processes, threads, descriptors: as before; files of control sockets: {len(left)}")


if __name__ == "__main__":
    main(sys.argv[1:])
