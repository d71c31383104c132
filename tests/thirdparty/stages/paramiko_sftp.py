"""A conftest in the place of paramiko's, for the tests of its SFTP client: against the server of the environment.

SFTP starts in the root directory there, and the tests run in the root directory here: they take a name that is relative
for the same on both sides, and some of them put a slash before it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

FOLDER = Path(__file__).parent / "target"


@pytest.fixture(scope="session")
def transport() -> Iterator[paramiko.Transport]:
    key = paramiko.Ed25519Key.from_private_key_file(str(Path.home() / ".ssh" / "id_ed25519"))
    with paramiko.Transport((os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]))) as transport:
        transport.connect(username=os.environ["SERVER_USER"], pkey=key)
        yield transport


@pytest.fixture
def sftp(transport: paramiko.Transport, monkeypatch: pytest.MonkeyPatch) -> Iterator[paramiko.SFTPClient]:
    monkeypatch.chdir("/")
    FOLDER.mkdir()
    with paramiko.SFTP.from_transport(transport) as client:
        client.FOLDER = str(FOLDER.relative_to("/"))
        yield client
    shutil.rmtree(FOLDER)
