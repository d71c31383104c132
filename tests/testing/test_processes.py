"""The process table, and the program that cleans up behind a killed owner: what it finds, and what it never touches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openssh_core.testing import AccountServer, _processes


def test_both_ways_to_read_the_table_agree_about_us() -> None:
    if not os.path.exists("/proc/self/stat"):
        pytest.skip("there is one way only")
    for found in (_processes._from_proc(), _processes._from_ps()):
        us = next(process for process in found if process.pid == os.getpid())
        assert us.parent == os.getppid()
        assert not us.gone


def test_descendants_parents_first_without_the_dead() -> None:
    lines = [(1, 0, "S"), (2, 1, "S"), (3, 2, "S"), (4, 2, "Z"), (5, 1, "T"), (6, 0, "S")]
    table = {pid: _processes.Process(pid, parent, state, "x") for pid, parent, state in lines}
    assert _processes.descendants([1], table) == [2, 5, 3]


def test_a_process_is_found_by_the_mark_in_its_environment(tmp_path: Path) -> None:
    directory = str(tmp_path / "some-server")
    words = ["/bin/sh", "-c", "sleep 1000 & echo up; wait"]
    env = {**os.environ, _processes.MARK: directory}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, start_new_session=True) as marked:
        assert marked.stdout is not None
        marked.stdout.readline()
        found = _processes.belonging(directory)
        assert marked.pid in found
        assert len(found) == 2
        assert not _processes.belonging(directory + "-2")
        assert not _processes.end_all(lambda: _processes.belonging(directory))
    assert marked.returncode == -9


def test_the_cleaning_program_leaves_alone_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    subprocess.run([sys.executable, "-I", "-S", _processes.__file__, tmp_path], check=True)
    assert (tmp_path / "file").exists()


def test_the_cleaning_program_deletes_a_servers_directory(tmp_path: Path) -> None:
    directory = tmp_path / f"{_processes.PREFIX}x"
    (directory / "home").mkdir(parents=True)
    subprocess.run([sys.executable, "-I", "-S", _processes.__file__, directory], check=True)
    assert not directory.exists()


@pytest.mark.live
def test_nothing_is_deleted_through_a_mount(tmp_path: Path) -> None:
    if reason := AccountServer.unavailable():
        pytest.skip(reason)
    mounted, precious = tmp_path / "server" / "mounted", tmp_path / "precious"
    mounted.mkdir(parents=True)
    precious.mkdir()
    (precious / "file").touch()
    script = 'mount --bind "$1" "$2" && exec "$3" -I -S -c "$4" "$5" "$6"'
    program = (
        "import runpy, sys; remove = runpy.run_path(sys.argv[1])['remove']\n"
        "try: remove(sys.argv[2])\nexcept RuntimeError as error: print(error)"
    )
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    words += map(str, [precious, mounted, sys.executable, program, _processes.__file__, tmp_path / "server"])
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "is mounted there" in done.stdout
    assert (precious / "file").exists()
