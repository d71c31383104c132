"""Tests that packages ship, from their released source: what passes over paramiko passes over ours, but for what is
named in `expected/`, each with its reason.

Some want more than a server: `stages/` has what they are given in its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer, generate_key

# In each, other people's tests take their time, twice.
pytestmark = [pytest.mark.thirdparty, pytest.mark.timeout(400)]

Source = Callable[..., Path]
HERE = Path(__file__).parent
BOTH = ("stock", "ours")


@pytest.fixture
def compare(
    run_suite: Callable[..., Mapping[str, str]], tally: Callable[[str], None], home: Path, tmp_path: Path
) -> Callable[..., None]:
    """Run tests over paramiko and over ours, at one time, each in a copy of their folder and with a home of its own.
    See that what passes over paramiko passes over ours, but for what is expected to fail; and that this fails.

    `compare(name, folder, *arguments, stages={target: name of a file in stages/}, **variables)`.
    """

    def check(
        name: str, folder: Path | None, *arguments: str, stages: Mapping[str, str] | None = None, **variables: str
    ) -> None:
        def run(which: str) -> Mapping[str, str]:
            place = tmp_path / which
            shutil.copytree(folder, place) if folder else place.mkdir()
            for target, stage in (stages or {}).items():
                (place / target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(HERE / "stages" / stage, place / target)
            shutil.copytree(home, tmp_path / f"home-{which}")
            return run_suite(which, place, *arguments, HOME=str(tmp_path / f"home-{which}"), **variables)

        with ThreadPoolExecutor(2) as pool:
            stock, ours = pool.map(run, BOTH)
        passed = {test for test, outcome in stock.items() if outcome == "passed"}
        good = {test for test in passed if ours.get(test) == "passed"}
        tally(f"{name}: {len(good)} of {len(stock)} pass, stock {len(passed)} of {len(stock)}")
        assert passed, "nothing was run"
        assert sorted(passed - good) == sorted(expected_to_fail(name))

    return check


def expected_to_fail(name: str) -> list[str]:
    path = HERE / "expected" / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def test_scp(source: Source, compare: Callable[..., None], server: LoopbackServer) -> None:
    variables = {"SCPPY_HOSTNAME": server.host, "SCPPY_PORT": str(server.port), "SCPPY_USERNAME": server.user}
    compare("scp", source("scp"), "test.py", **variables)


# What needs no server. The second are called anything, as another runner finds them.
UNITS = [
    "buffered_pipe",
    "channelfile",
    "config",
    "file",
    "hostkeys",
    "message",
    "pkey",
    "proxy",
    "ssh_exception",
    "util",
]
NAMED_PLAINLY = ["agent", "auth", "pkey"]
PLAIN_NAMES = ["-p", "plain_names", "-o", "python_classes=[!_]*", "-o", "python_functions=[!_]*"]


def test_the_units_of_paramiko(source: Source, compare: Callable[..., None]) -> None:
    compare("paramiko", source("paramiko"), *(f"tests/test_{name}.py" for name in UNITS))


def test_the_parts_of_paramiko(source: Source, compare: Callable[..., None]) -> None:
    """More units: keys of agents, keys of any class, ways to log in."""
    files = [f"tests/{name}.py" for name in NAMED_PLAINLY]
    stages = {"plain_names.py": "plain_names.py"}
    # Those of the handler run a server of paramiko's own in the program.
    leave = ["--deselect=tests/auth.py::AuthHandler_", "--deselect=tests/auth.py::SHA2SignaturePubkeys"]
    compare("paramiko-parts", source("paramiko"), *PLAIN_NAMES, *leave, *files, stages=stages)


def test_the_sftp_client_of_paramiko(source: Source, compare: Callable[..., None]) -> None:
    """Against a real sshd, where its own run against a server of its own."""
    files = ["tests/test_sftp.py", "tests/test_sftp_big.py"]
    with LoopbackServer({"Subsystem": "sftp internal-sftp -d /"}) as server:
        stages = {"tests/conftest.py": "paramiko_sftp.py"}
        compare("paramiko-sftp", source("paramiko"), *files, stages=stages, SERVER_PORT=str(server.port))


def test_fsspec(compare: Callable[..., None]) -> None:
    compare("fsspec", None, "test_fsspec.py", stages={"test_fsspec.py": "over_fsspec.py"})


def test_paramiko_expect(source: Source, compare: Callable[..., None], server: LoopbackServer, tmp_path: Path) -> None:
    """With a shell that asks as they expect it, and programs that need no network in the place of some they call."""
    folder = source("paramiko-expect")
    test = folder / "test" / "test_paramiko_expect.py"
    test.write_text(test.read_text().replace('"root"', repr(server.user)))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    shell = f"PATH={programs}:$PATH PS1=':~# ' ENV= exec sh -i"
    with LoopbackServer({"ForceCommand": shell}) as server:
        shutil.copy(server.key, folder / "test" / "id_rsa")
        port = str(server.port)
        compare("paramiko-expect", folder, "test", stages={"test/ssh.py": "container.py"}, SERVER_PORT=port)


PROGRAMS = {
    "apk": "exit 0",
    "curl": """for line in 1 2 3 4 5 6 7 8 9; do echo "line $line"; done
echo '* Connection #0 to host httpbin.org left intact'""",
    "python3": """printf 'Please enter your name: '; read name; echo "Your name is $name\"""",
}


def test_spur(source: Source, compare: Callable[..., None]) -> None:
    # Not installed: it would not have paramiko 5.
    compare("spur", source("spur", "0.3.23"), "tests/test_spur.py", stages={"tests/test_spur.py": "over_spur.py"})


def test_plumbum(source: Source, compare: Callable[..., None], server: LoopbackServer) -> None:
    """Its machine over paramiko."""
    folder = source("plumbum")
    test = folder / "tests" / "test_remote.py"
    test.write_text(
        test.read_text().replace("ParamikoMachine(TEST_HOST", f"ParamikoMachine(TEST_HOST, port={server.port}")
    )
    # The plugins that it requires are for others of its tests.
    options = ["-o", "required_plugins=", "-o", "addopts=", "-W", "ignore", "--run-optional-tests=ssh"]
    compare("plumbum", folder, *options, "-k", "TestParamikoMachine", "tests/test_remote.py")


def test_pyfilesystem(source: Source, compare: Callable[..., None]) -> None:
    """PyFilesystem's tests for whoever makes a file system, over the one that is made with paramiko."""
    # Not installed: it would not have paramiko 5.
    folder = source("fs.sshfs", "1.0.2")
    compare("fs.sshfs", folder, "test_over_sftp.py", stages={"test_over_sftp.py": "over_pyfilesystem.py"})


# Tests that have paramiko make a server in their program: the client alone is over ours.
APART = {"stages": {"client_apart.py": "client_apart.py"}, "OPENSSH_COMPAT_STANDS_IN": ""}


def test_sshtunnel(source: Source, compare: Callable[..., None]) -> None:
    test = "tests/test_forwarder.py"
    # The first waits for a second ten times, the second now and then for ever, over paramiko, too.
    leave = [f"--deselect={test}::SSHClientTest::{name}" for name in SLOW_TUNNELS]
    compare("sshtunnel", source("sshtunnel"), "-p", "client_apart", *leave, test, CLIENT="sshtunnel", **APART)


SLOW_TUNNELS = ["test_check_tunnels", "test_tunnel_bindings_contain_active_tunnels"]


def test_sftpretty(source: Source, compare: Callable[..., None]) -> None:
    """Most against a server that is not OpenSSH's, some against one that is."""
    folder = source("sftpretty")
    # Installed, it would be a plugin of everybody's.
    shutil.copytree(source("pytest-sftpserver", "1.3.0") / "pytest_sftpserver", folder / "pytest_sftpserver")
    key = generate_key(passphrase="tEst@!357")
    key.write(folder / "id_sftpretty")
    with LoopbackServer(key=key) as server:
        common = folder / "tests" / "common.py"
        where = f"LOCAL.update(host={server.host!r}, port={server.port})"
        common.write_text(f"{common.read_text()}\n{where}\n")
        # What they look at, to leave out tests of their own: who runs this, and where.
        variables = {"CLIENT": "sftpretty", "USER": server.user, "CI": ""}
        options = [
            "-p",
            "client_apart",
            "-p",
            "pytest_sftpserver.plugin",
            "-o",
            "addopts=",
            "--ignore=tests/test_pep8.py",
            "tests",
        ]
        compare("sftpretty", folder, *options, **variables, **APART)
