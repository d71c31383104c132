"""Commands that go on without us."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from openssh_core import Connection, Defaults
from openssh_core.errors import CommandFailed

from .conftest import Nap


def test_it_survives_the_end_of_the_master(host: Connection, nap: Nap, tmp_path: Path) -> None:
    log = tmp_path / "a log"
    log.write_text("before\n")
    job = host.detach(
        f"echo begun; echo err >&2; pwd; echo $NAME; {nap.command}", log=str(log), cwd="/", env={"NAME": "x y"}
    )
    pids = nap.wait_until_it_runs()
    os.kill(host.master_pid, signal.SIGKILL)
    host.close()
    assert nap.pids() == pids
    assert os.getpgid(pids[0]) == job.pid
    assert log.read_text() == "before\nbegun\nerr\n/\nx y\n"
    os.killpg(job.pid, signal.SIGTERM)
    nap.wait_until_it_is_over()


def test_it_survives_an_orderly_end_too(either: Connection, nap: Nap) -> None:
    job = either.detach(*nap.command.split())
    try:
        pids = nap.wait_until_it_runs()
        assert os.getpgid(pids[0]) == job.pid
        either.close()
        assert nap.pids() == pids
        assert os.stat(job.log).st_mode & 0o777 == 0o600
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        os.unlink(job.log)
    nap.wait_until_it_is_over()


def test_words_arrive_as_they_are(host: Connection, tmp_path: Path, until: Callable[..., object]) -> None:
    words = ["a b", "it's", "%HOST%", "$x", "\udcff"]
    host.defaults = Defaults(variables={})
    with pytest.raises(CommandFailed):
        host.detach("true", log=str(tmp_path / "no" / "log"))
    host.detach("printf", "%s|", *(word.replace("%", "%%") for word in words), log=f"{tmp_path}/100%")
    expected = "".join(f"{word}|" for word in words).encode("utf-8", "surrogateescape")
    until(lambda: (tmp_path / "100%").read_bytes() == expected)


def test_what_cannot_be_started(host: Connection, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        host.detach("true", cwd="/does not exist")
    with pytest.raises(CommandFailed):
        host.detach("true", log=str(tmp_path))
