"""rsync through the master: its options, its progress, its failures."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import openssh_core
from openssh_core import Connection, CopyError

from .conftest import runs, script, until


def test_a_tree_with_options(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name in ("keep", "drop.o", "drop.pyc"):
        (tmp_path / "from" / name).write_text(name)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "old").write_text("old")
    done = shared.rsync_put(
        f"{tmp_path}/from/", tmp_path / "to", archive=True, delete=True, exclude=["*.o", "*.pyc"], verbose=True
    )
    assert os.listdir(tmp_path / "to") == ["keep"]
    assert "keep" in str(done.stdout) and "deleting old" in str(done.stdout)
    assert shared.rsync_put(f"{tmp_path}/from/", tmp_path / "to", archive=True, quiet=True).stdout == ""


def test_times_and_modes(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    os.utime(tmp_path / "a", (1_000_000, 1_000_000))
    os.chmod(tmp_path / "a", 0o741)
    shared.rsync_get(tmp_path / "a", tmp_path / "b", copy_attrs=True)
    assert ((tmp_path / "b").stat().st_mtime, (tmp_path / "b").stat().st_mode & 0o777) == (1_000_000, 0o741)


def test_patterns(shared: Connection, tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", "a*"):
        (tmp_path / name).write_text(name)
    for number, copy in enumerate((shared.rsync_get, shared.rsync_put)):
        target = tmp_path / f"to{number}"
        copy(tmp_path / "a[0-9]", f"{target}/", glob=True)
        assert sorted(os.listdir(target)) == ["a1", "a2"]
    with pytest.raises(CopyError, match="no file fits"):
        shared.rsync_put(tmp_path / "z*", tmp_path, glob=True)


def test_a_callback_is_told_how_far_it_is(shared: Connection, tmp_path: Path) -> None:
    size = 3_000_000
    (tmp_path / "a").write_bytes(os.urandom(size))
    told: list[tuple[int, int | None, str | None]] = []
    done = shared.rsync_get(tmp_path / "a", tmp_path / "b", progress=lambda *step: told.append(step))
    assert told[-1] == (size, size, None)
    assert [step[0] for step in told] == sorted(step[0] for step in told)
    assert done.stdout == ""


def test_lines_where_there_is_no_terminal(
    shared: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").write_bytes(bytes(2048))
    shared.rsync_put(tmp_path / "a", tmp_path / "b", progress=True)
    assert capsys.readouterr().err == f"rsync {shared.host}: 2.0 KiB of 2.0 KiB (100%)\n"


def test_what_a_callback_raises_ends_it(shared: Connection, tmp_path: Path, no_leaks: None) -> None:
    (tmp_path / "a").write_bytes(bytes(1000))

    def stop(*_step: object) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        shared.rsync_put(tmp_path / "a", tmp_path / "b", progress=stop)


@pytest.mark.parametrize(
    ("named", "status", "reason"),
    [({}, 23, "not transferred"), ({"no_such_option": True}, 1, "syntax")],
)
def test_a_status_and_what_it_means(
    shared: Connection, tmp_path: Path, named: dict[str, bool], status: int, reason: str
) -> None:
    with pytest.raises(CopyError, match=reason) as caught:
        shared.rsync_get(tmp_path / "missing", tmp_path / "b", **named)
    assert (caught.value.program, caught.value.returncode) == ("rsync", status)
    assert reason in caught.value.reason and caught.value.stderr
    assert shared.rsync_get(tmp_path / "missing", tmp_path, check=False, **named).returncode == status


def test_no_rsync_there(shared: Connection, tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="no rsync on the server") as caught:
        shared.rsync_get("x", tmp_path, rsync_path="/no/rsync")
    assert caught.value.returncode == 127


def test_no_rsync_here(shared: Connection, tmp_path: Path) -> None:
    with pytest.raises(openssh_core.ProgramNotFound):
        shared.rsync_get("x", tmp_path, rsync=str(tmp_path / "none"))
    other = script(tmp_path / "openrsync", "echo openrsync: protocol version 29")
    with pytest.raises(CopyError, match="no rsync that is known"):
        shared.rsync_get("x", tmp_path, rsync=other)
    old = script(tmp_path / "old", "echo 'rsync  version 2.6.9  protocol version 29'")
    with pytest.raises(CopyError, match="too old"):
        shared.rsync_get("x", tmp_path, rsync=old)


def test_variables_that_would_take_another_way(
    shared: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RSYNC_RSH", "RSYNC_OLD_ARGS", "RSYNC_CONNECT_PROG"):
        monkeypatch.setenv(name, "1")
    (tmp_path / "a b").write_text("a")
    shared.rsync_get(tmp_path / "a b", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "a"


def test_a_limit_ends_both_sides(shared: Connection, tmp_path: Path, no_leaks: None) -> None:
    os.mkfifo(tmp_path / "fifo")
    there = script(tmp_path / "rsync", f"echo $$ > {tmp_path}/pid; exec cat {tmp_path}/fifo")
    with pytest.raises(openssh_core.CopyTimeout, match="rsync did not end"):
        shared.rsync_get("x", tmp_path, rsync_path=there, timeout=1)
    pid = int((tmp_path / "pid").read_text())
    # Its input and output are closed: what reads or writes ends by that; this one waits for a pipe we hold.
    with open(tmp_path / "fifo", "w"):
        pass
    until(lambda: not runs(pid))


def test_several_at_once(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    threads = [
        threading.Thread(target=shared.rsync_get, args=(tmp_path / "a", tmp_path / f"b{number}")) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / f"b{number}").read_text() for number in range(4)] == ["a"] * 4
