"""Other people's code over a loopback server: each program in an interpreter of its own, over paramiko itself and over
ours standing in for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer

HERE = Path(__file__).parent

# Seconds one program may take.
PATIENCE = 300


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ())]
    for report in reports:
        for name, line in report.user_properties:
            if name == "tally" and report.when == "call":
                terminalreporter.write_line(line)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say a line at the end. (It goes with the report, as tests may run in several processes.)"""
    return lambda line: request.node.user_properties.append(("tally", line))


@pytest.fixture(scope="session")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="session")
def home(server: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home directory of somebody who has a key for the server, and knows it."""
    home = tmp_path_factory.mktemp("home")
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    shutil.copy(server.key, folder / "id_ed25519")
    (folder / "id_ed25519").chmod(0o600)
    shutil.copy(server.known_hosts, folder / "known_hosts")
    return home


@pytest.fixture(scope="session")
def environment(server: LoopbackServer, home: Path) -> dict[str, str]:
    """Variables of a program: where the server is, and nothing of this machine's keys."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("SSH_AUTH_SOCK", "OPENSSH_COMPAT_STANDS_IN")
    }
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(HERE), *(os.path.abspath(path) for path in sys.path if path)]),
        "PYTHONWARNINGS": "ignore",
        "SERVER_HOST": server.host,
        "SERVER_PORT": str(server.port),
        "SERVER_USER": server.user,
    }


def under(environment: Mapping[str, str], which: str) -> dict[str, str]:
    """The same, for paramiko (`stock`) or for ours (`ours`)."""
    return {**environment, "OVER": which, "OPENSSH_COMPAT_STANDS_IN": "paramiko" if which == "ours" else ""}


@pytest.fixture(params=["stock", "ours"])
def run_program(request: pytest.FixtureRequest, environment: dict[str, str]) -> Callable[..., str]:
    """Run a program of this folder: `run_program("scp_files", folder)`; gives what it prints."""

    def run(name: str, *arguments: object) -> str:
        words = [sys.executable, "-m", "stood_in", str(HERE / "programs" / f"{name}.py"), *map(str, arguments)]
        done = subprocess.run(
            words, env=under(environment, request.param), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The released source of a package, `source(name)`: of the version that is installed, or of a second argument;
    fetched by pip.
    """
    folder = tmp_path_factory.mktemp("sources")

    def fetch(name: str, release: str | None = None) -> Path:
        from importlib.metadata import version

        # Built with what is installed: an environment for each package would cost a minute.
        words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        words += [
            "--no-build-isolation",
            "--disable-pip-version-check",
            "-d",
            str(folder),
            f"{name}=={release or version(name)}",
        ]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        archive = next(folder.glob(f"{re.sub('[-.]', '[-_.]', name)}-*.tar.gz"))
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(folder)
        return folder / archive.name.removesuffix(".tar.gz")

    return fetch


@pytest.fixture
def run_suite(environment: dict[str, str], tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Run tests of a package: `run_suite(which, folder, *arguments, **variables)`; gives the outcome of each."""

    def run(which: str, folder: Path, *arguments: str, **variables: str) -> dict[str, str]:
        report = tmp_path / f"{which}.xml"
        words = [sys.executable, "-m", "stood_in", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
        words += ["-p", "no:relaxed", f"--junit-xml={report}", "--timeout=60", *arguments]
        done = subprocess.run(
            words,
            env={**under(environment, which), **variables},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert report.exists(), f"{done.stdout}\n{done.stderr}"
        return dict(outcomes(ElementTree.parse(report).getroot()))

    return run


def outcomes(root: Any) -> Iterator[tuple[str, str]]:
    for case in root.iter("testcase"):
        kinds = {part.tag for part in case}
        name = f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}"
        yield name, "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
