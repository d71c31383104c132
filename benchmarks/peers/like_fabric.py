"""fabric, and the adapter: the same lines run against both, only the module differs."""

from __future__ import annotations

import importlib
import threading
import time
from pathlib import Path
from typing import Any

from peers.base import SMALL, Setup, one_by_one

__all__ = ["LikeFabric"]

ALL = "group.conf"


class LikeFabric:
    """`Connection.run` and `ThreadingGroup.run` of the module called `name`."""

    def __init__(self, setup: Setup, name: str) -> None:
        self._setup = setup
        # Any: fabric has no type information, and the adapter stands in for it.
        self._module: Any = importlib.import_module(name)
        self._connection: Any = None

    def _config(self, hosts: int) -> Any:
        """A configuration in which h0, h1, ... are the server under names of their own: different hosts to fabric."""
        setup = self._setup
        head, _, tail = setup.host.rpartition(".")
        lines = [f"Host h{number}\n  HostName {head}.{'0' * number}{tail}" for number in range(hosts)]
        lines += [
            "Host *",
            f"  Port {setup.port}",
            f"  User {setup.user}",
            f"  IdentityFile {setup.key}",
            f"  UserKnownHostsFile {setup.known_hosts}",
        ]
        path = Path(setup.scratch, ALL)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        overrides = {"ssh_config_path": str(path), "run": {"in_stream": False, "hide": True}}
        return self._module.Config(overrides=overrides)

    def login(self) -> None:
        self._connection = self._module.Connection(
            "h0", config=self._config(1), connect_kwargs={"allow_agent": False, "look_for_keys": False}
        )
        self._connection.open()

    def logout(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def commands(self, count: int) -> list[float]:
        return one_by_one(lambda: self._connection.run(SMALL), count)

    def group(self, hosts: int) -> list[float]:
        """Run the small command on so many hosts, with the logins and again: seconds of both, and the most threads."""
        names = [f"h{number}" for number in range(hosts)]
        kwargs = {"allow_agent": False, "look_for_keys": False}
        group = self._module.ThreadingGroup(*names, config=self._config(hosts), connect_kwargs=kwargs)
        most, over = [threading.active_count()], threading.Event()

        def count() -> None:
            while not over.wait(0.002):
                most.append(threading.active_count())

        counter = threading.Thread(target=count)
        counter.start()
        taken = []
        try:
            for _ in range(2):
                start = time.perf_counter()
                result = group.run(SMALL)
                taken.append(time.perf_counter() - start)
        finally:
            over.set()
            counter.join()
            group.close()
        if len(result) != hosts:
            raise RuntimeError(f"{len(result)} results from {hosts} hosts")
        # Not the main thread, nor the one that counts.
        return [*taken, float(max(most) - 2)]

    def helpers(self) -> list[int]:
        return []
