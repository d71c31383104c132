"""Which host keys are known, and what happens to others: load_host_keys() and policies in the words of ssh(1)."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from typing import Any

from ._host_key import read_host_key
from .pkey import PKey

__all__ = ["Trust"]


@dataclass
class Trust:
    """The known_hosts files of one client.

    Attributes:
        system: files that are only read.
        own: files that are read; the first is the one that new keys are written to.
        policy: `strict`, `record`, `warn` or `accept`.
    """

    system: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    policy: str = "strict"
    _directory: str | None = None

    def prepare(self, owner: object) -> dict[str, Any]:
        """Arguments for `openssh_core.connect`.

        Args:
            owner: what is recorded in no file of the caller's lasts as long as this object.
        """
        files = [*self.own, *self.system]
        if self._directory is not None:
            files.append(self._private("recorded", owner))
        if self.policy == "strict":
            return {"host_keys": "strict", "known_hosts": files}
        if self.policy != "record":
            self.passing_keys()
            files.insert(0, self._private("passing", owner))
        elif not self.own:
            files.insert(0, self._private("recorded", owner))
        return {"host_keys": "accept-new", "known_hosts": list(dict.fromkeys(files))}

    def passing_keys(self) -> list[PKey]:
        """Keys that were accepted and are not to be remembered; forgets them."""
        path = None if self._directory is None else os.path.join(self._directory, "passing")
        if path is None or not os.path.exists(path):
            return []
        with open(path, encoding="utf-8", errors="replace") as file:
            keys = [key for line in file if (key := read_host_key(line))]
        os.unlink(path)
        return keys

    def _private(self, name: str, owner: object) -> str:
        if self._directory is None:
            self._directory = tempfile.mkdtemp(prefix="openssh-compat-")
            weakref.finalize(owner, shutil.rmtree, self._directory, True)
        return os.path.join(self._directory, name)
