"""`import openssh_core` is cheap and narrow: programs that start often pay for it every time.

What is forbidden here is what costs milliseconds or drags in what the core does not stand on. How long the import
takes is measured by the benchmark, not asserted.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import openssh_compat
import openssh_core

FORBIDDEN = {
    "asyncio",
    "concurrent.futures.process",
    "ctypes",
    "email",
    "hashlib",
    "http",
    "importlib.metadata",
    "logging",
    "multiprocessing",
    "pdb",
    "random",
    "ssl",
    "tempfile",
    "unittest",
    "urllib.request",
    # Not the core's to need.
    "hypothesis",
    "invoke",
    "openssh_compat",
    "openssh_core.cli",
    "openssh_core.testing",
    "paramiko",
    "pexpect",
    "ptyprocess",
    "pytest",
    "rich",
    "typer",
    "wrapt",
}


ADAPTERS = ["paramiko", "subprocess", "fabric"]

# What these adapters leave to who needs it.
LATER = {
    "asyncio",
    "dataclasses",
    "glob",
    "hashlib",
    "hmac",
    "inspect",
    "logging",
    "pathlib",
    "random",
    "shutil",
    "tempfile",
    "traceback",
}


def modules_after(statement: str) -> set[str]:
    """What a fresh, isolated interpreter has loaded after `statement`, beyond what it starts with."""
    folders = [str(Path(file).parents[1]) for file in (openssh_core.__file__, openssh_compat.__file__) if file]
    program = (
        f"import sys; sys.path += {folders!r}; before = set(sys.modules); {statement}; "
        "print(*set(sys.modules) - before, sep='\\n')"
    )
    words = [sys.executable, "-I", "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_core_loads_nothing_heavy_and_nothing_of_others() -> None:
    assert not modules_after("import openssh_core") & FORBIDDEN


def test_the_core_stands_on_the_standard_library_alone() -> None:
    roots = {name.partition(".")[0] for name in modules_after("import openssh_core")}
    assert roots - sys.stdlib_module_names == {"openssh_core"}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_loads_neither_the_real_library_nor_an_adapter_it_does_not_stand_on(adapter: str) -> None:
    loaded = modules_after(f"import openssh_compat.{adapter}")
    assert not loaded & {"paramiko", "fabric", "pytest", "openssh_core.testing"}
    others = {f"openssh_compat.{name}" for name in ADAPTERS if name != adapter}
    assert adapter == "fabric" or not loaded & others


@pytest.mark.parametrize("adapter", ["paramiko", "subprocess"])
def test_these_adapters_load_nothing_heavy(adapter: str) -> None:
    assert not modules_after(f"from openssh_compat import {adapter}") & LATER


def test_names_that_are_loaded_later_are_there_as_if_they_had_been_loaded() -> None:
    """In `dir()`, by `import *`, as attributes; the same object each time, and pickled by the name of its module."""
    modules_after(
        "from openssh_compat import paramiko; listed = set(dir(paramiko)); assert listed >= set(paramiko.__all__); "
        "assert listed >= {'sftp_client', 'config'}; one = paramiko.SSHConfig; "
        "assert paramiko.config.SSHConfig is one; "
        "assert vars(paramiko)['SSHConfig'] is one is paramiko.SSHConfig; assert not hasattr(paramiko, 'Nothing'); "
        "import pickle; assert pickle.loads(pickle.dumps(paramiko.SFTPError)) is paramiko.SFTPError; "
        "assert [one.__name__ for one in paramiko.key_classes] == ['RSAKey', 'Ed25519Key', 'ECDSAKey']; "
        "space = {}; exec('from openssh_compat.paramiko import *', space); assert space.keys() >= set(paramiko.__all__)"
    )


def test_importing_the_core_starts_nothing() -> None:
    program = (
        "import openssh_core, os, threading; "
        "assert threading.active_count() == 1; "
        "assert not [fd for fd in os.listdir('/proc/self/fd') if int(fd) > 2 and os.path.exists(f'/proc/self/fd/{fd}')]"
    )
    modules_after(program)
