"""The tests that fsspec ships for whoever makes a file system, over its own SFTP; those of its SFTP it does not ship.

They want a file system that makes the folders that are missing. (Copying on the server is none of SFTP's.)
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec.tests.abstract as abstract
import pytest
from fsspec.implementations.sftp import SFTPFileSystem


class MakingFolders(SFTPFileSystem):
    def _open(self, path: str, mode: str = "rb", **named: Any) -> Any:
        if "r" not in mode:
            self.makedirs(self._parent(path), exist_ok=True)
        return super()._open(path, mode, **named)

    def put_file(self, lpath: str, rpath: str, **named: Any) -> None:
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
        else:
            super().put_file(lpath, rpath, **named)

    def get_file(self, rpath: str, lpath: str, **named: Any) -> None:
        Path(lpath).parent.mkdir(parents=True, exist_ok=True)
        super().get_file(rpath, lpath, **named)


class OverSFTP(abstract.AbstractFixtures):
    @pytest.fixture(scope="class")
    def fs(self) -> Iterator[SFTPFileSystem]:
        where = {"port": int(os.environ["SERVER_PORT"]), "username": os.environ["SERVER_USER"]}
        system = MakingFolders(os.environ["SERVER_HOST"], skip_instance_cache=True, **where)
        yield system
        system.client.close()

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join

    @pytest.fixture
    def fs_path(self, fs: Any, tmp_path: Path) -> Iterator[str]:
        path = str(tmp_path / "remote")
        fs.mkdir(path)
        yield path
        fs.rm(path, recursive=True)


class TestGet(abstract.AbstractGetTests, OverSFTP):
    pass


class TestPut(abstract.AbstractPutTests, OverSFTP):
    pass


class TestOpen(abstract.AbstractOpenTests, OverSFTP):
    pass


class TestPipe(abstract.AbstractPipeTests, OverSFTP):
    pass
