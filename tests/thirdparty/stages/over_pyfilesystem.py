"""PyFilesystem's tests, which it ships, over a file system that is made with paramiko."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any

import fs.test
from fs.subfs import ClosingSubFS

# It is a part of the package `fs` that is not installed, but lies beside this.
fs.__path__.append(str(Path(__file__).parent / "fs"))
from fs.sshfs import SSHFS  # noqa: E402


class TestOverSFTP(fs.test.FSTestCases, unittest.TestCase):
    def make_fs(self) -> Any:
        self.folder = tempfile.mkdtemp()
        host = SSHFS(os.environ["SERVER_HOST"], os.environ["SERVER_USER"], port=int(os.environ["SERVER_PORT"]))
        return host.opendir(self.folder, factory=ClosingSubFS)

    def destroy_fs(self, fs: Any) -> None:
        fs.close()
        shutil.rmtree(self.folder)
