"""Standing in for paramiko under its own name; each in a fresh interpreter, for it is for all of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours


def python(*words: str, **variables: str) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore", **variables}
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_in_a_block() -> None:
    program = """
import sys
from openssh_compat import paramiko as ours
with ours.standing_in() as standing:
    import paramiko, paramiko.client
    from paramiko.ssh_exception import SSHException
    assert paramiko is ours is standing and paramiko.client is ours.client and SSHException is ours.SSHException
    with ours.standing_in():
        pass
    assert sys.modules["paramiko"] is ours
    try:
        import paramiko.kex_group1
    except ModuleNotFoundError as error:
        assert "stands in" in str(error) and error.name == "paramiko.kex_group1", error
assert not [name for name in sys.modules if name.startswith("paramiko")]
assert ours.__name__ == ours.__spec__.name == "openssh_compat.paramiko"
import paramiko
assert paramiko is not ours and issubclass(ours.SSHException, paramiko.SSHException)
"""
    pytest.importorskip("paramiko")
    python("-c", program)


def test_not_where_the_original_is_loaded() -> None:
    pytest.importorskip("paramiko")
    program = """
import paramiko, sys
from openssh_compat import paramiko as ours
before = dict(sys.modules), list(sys.meta_path)
try:
    with ours.standing_in():
        raise AssertionError
except RuntimeError as error:
    assert "before anything imports paramiko" in str(error)
assert sys.modules["paramiko"] is paramiko and sys.meta_path == before[1]
"""
    python("-c", program)


def test_an_error_in_the_block_ends_it_too() -> None:
    program = """
import sys
from openssh_compat import paramiko as ours
try:
    with ours.standing_in():
        raise LookupError
except LookupError:
    assert "paramiko" not in sys.modules
"""
    python("-c", program)


def test_from_several_threads() -> None:
    program = """
import sys, threading
from openssh_compat import paramiko as ours
go, wrong = threading.Barrier(8), []
def work():
    go.wait()
    for _ in range(200):
        with ours.standing_in():
            import paramiko
            if paramiko is not ours:
                wrong.append(paramiko)
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not wrong and "paramiko" not in sys.modules
"""
    python("-c", program)


def test_a_script_is_run_with_it(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import paramiko\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import beside, sys\n"
        "print(beside.paramiko.__name__, sys.argv, __name__, beside.paramiko.SSHClient.__module__)\n"
    )
    said = python("-m", "openssh_compat.paramiko", str(script), "-x", "y")
    assert said == f"openssh_compat.paramiko {[str(script), '-x', 'y']} __main__ openssh_compat.paramiko.client\n"


def test_a_module_is_run_with_it(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("import paramiko, sys\nprint(paramiko.__name__, sys.argv[1:])\n")
    said = python(
        "-m", "openssh_compat.paramiko", "-m", "tool", "a", PYTHONPATH=f"{os.pathsep.join(sys.path)}:{tmp_path}"
    )
    assert said == "openssh_compat.paramiko ['a']\n"


def test_nothing_to_run() -> None:
    words = [sys.executable, "-m", "openssh_compat.paramiko"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "usage:" in done.stderr


@pytest.mark.parametrize("value", ["paramiko", "", "something else"])
def test_by_an_environment_variable(value: str) -> None:
    """The file is read when Python starts, where the package is installed; here it is read once more."""
    folder = Path(ours.__file__).parents[2]
    assert (folder / "openssh_compat.pth").exists()
    program = (
        f"import site; site.addsitedir({str(folder)!r}); import sys; print('openssh_compat.paramiko' in sys.modules); "
        "print(getattr(sys.modules.get('paramiko'), '__name__', None))"
    )
    expected = "True\nopenssh_compat.paramiko\n" if value == "paramiko" else "False\nNone\n"
    assert python("-c", program, OPENSSH_COMPAT_STANDS_IN=value) == expected


def test_every_name_of_the_original_is_there() -> None:
    original = pytest.importorskip("paramiko")
    import types

    names = [name for name in vars(original) if not name.startswith("_")]
    names = [name for name in names if not isinstance(getattr(original, name), types.ModuleType)]
    assert [name for name in names if not hasattr(ours, name)] == []
