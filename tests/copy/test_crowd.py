"""How many files are under way together, by their sizes, and what they hold open meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openssh_core import Connection
from openssh_core._io import sftp_session
from openssh_core.copy._crowd import SMALL, USUAL, Crowd


def entered(crowd: Crowd, size: int | None) -> int:
    """How many of that size begin until there is no room."""
    count = 0
    while crowd.has_room and count < crowd.most:
        crowd.enter(size)
        count += 1
    return count


@pytest.mark.parametrize(
    ("size", "wanted", "handles", "count"),
    [
        (1000, None, 1019, 512),
        (1000, None, 300, 290),
        (1000, None, 5, 1),
        # A server that does not say how many it can have open is not tried.
        (1000, None, None, USUAL),
        (1000, 3, 1019, 3),
        (1000, 1000, 1019, 1000),
        (1 << 20, None, 1019, USUAL),
        (SMALL // 2, None, 1019, 2 * USUAL),
        (None, None, 1019, USUAL),
    ],
)
def test_as_many_as_fit(size: int | None, wanted: int | None, handles: int | None, count: int) -> None:
    crowd = Crowd(wanted, handles)
    assert entered(crowd, size) == count


def test_room_comes_back() -> None:
    crowd = Crowd(None, 1019)
    weights = [crowd.enter(SMALL) for _ in range(USUAL)]
    assert not crowd.has_room
    crowd.leave(weights.pop())
    assert crowd.has_room


@pytest.mark.parametrize("way", ["get", "put"])
def test_small_files_are_not_open_while_the_server_is_waited_for(
    shared: Connection, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "from"
    tree.mkdir()
    for number in range(400):
        (tree / str(number)).write_bytes(b"%d" % number)
    before = len(os.listdir("/proc/self/fd"))
    most = 0
    answer = sftp_session.SftpSession.answer

    def counting(session: Any, box: Any) -> Any:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))
        return answer(session, box)

    monkeypatch.setattr(sftp_session.SftpSession, "answer", counting)
    getattr(shared, way)(tree, tmp_path / "to", recursive=True)
    assert len(list((tmp_path / "to").iterdir())) == 400
    assert most < before + 40
