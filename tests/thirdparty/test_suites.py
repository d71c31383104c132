"""Tests that packages ship, from their released source: what passes over paramiko passes over ours, but for what is
named in `expected/`, each with its reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

pytestmark = pytest.mark.thirdparty

Run = Callable[..., Mapping[str, str]]

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
BOTH = ("stock", "ours")


@pytest.fixture
def compare(tally: list[str]) -> Callable[..., None]:
    """See that what passes over paramiko passes over ours, but for what is expected to fail; and that fails."""

    def check(name: str, stock: Mapping[str, str], ours: Mapping[str, str]) -> None:
        passed = {test for test, outcome in stock.items() if outcome == "passed"}
        good = {test for test in passed if ours.get(test) == "passed"}
        tally.append(f"{name}: {len(good)} of {len(stock)} pass, stock {len(passed)} of {len(stock)}")
        assert passed, "nothing was run"
        assert sorted(passed - good) == sorted(expected_to_fail(name))

    return check


def expected_to_fail(name: str) -> list[str]:
    path = EXPECTED / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def test_scp(
    source: Callable[[str], Path], run_suite: Run, compare: Callable[..., None], server: LoopbackServer
) -> None:
    folder = source("scp")
    variables = {"SCPPY_HOSTNAME": server.host, "SCPPY_PORT": str(server.port), "SCPPY_USERNAME": server.user}
    compare("scp", *(run_suite(which, folder, "test.py", **variables) for which in BOTH))


# What needs no server.
UNITS = ["config", "file", "hostkeys", "message", "proxy", "ssh_exception", "util"]


def test_the_units_of_paramiko(source: Callable[[str], Path], run_suite: Run, compare: Callable[..., None]) -> None:
    folder = source("paramiko")
    files = [f"tests/test_{name}.py" for name in UNITS]
    compare("paramiko", *(run_suite(which, folder, *files) for which in BOTH))


def test_the_sftp_client_of_paramiko(
    source: Callable[[str], Path], run_suite: Run, compare: Callable[..., None], tmp_path: Path
) -> None:
    """Against a real sshd, where its own run against a server of its own."""
    folder = tmp_path / "paramiko"
    shutil.copytree(source("paramiko") / "tests", folder / "tests")
    shutil.copy(HERE / "stages" / "paramiko_sftp.py", folder / "tests" / "conftest.py")
    with LoopbackServer({"Subsystem": "sftp internal-sftp -d /"}) as server:
        files = ["tests/test_sftp.py", "tests/test_sftp_big.py"]
        variables = {"TEST_FOLDER": str(tmp_path / "target"), "SERVER_PORT": str(server.port)}
        compare("paramiko-sftp", *(run_suite(which, folder, *files, **variables) for which in BOTH))
