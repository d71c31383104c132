"""In CI a skipped test is a failed one; elsewhere it stays a skip. Shown on a session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SKIPPING = """
import pytest

def test_calls_skip():
    pytest.skip("no such program")

@pytest.mark.skipif(True, reason="no such program")
def test_is_marked():
    raise AssertionError

@pytest.mark.xfail(strict=True)
def test_is_known_to_fail():
    raise AssertionError
"""
SKIPPING_WHOLE = """
import pytest

pytest.importorskip("no_such_module_anywhere")
"""


def closing_line(root: Path, folder: Path, **environment: str) -> str:
    """What pytest says last about the two files above."""
    shutil.copy(root / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_some.py").write_text(SKIPPING)
    (folder / "test_whole.py").write_text(SKIPPING_WHOLE)
    env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--continue-on-collection-errors",
            str(folder),
        ],
        env=env | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.splitlines()[-1]


def test_in_ci_a_skip_fails(root: Path, tmp_path: Path) -> None:
    # Errors are the skips that come before a test has begun: by a mark, and of a whole file.
    said = closing_line(root, tmp_path, CI="true")
    assert "1 failed, 1 xfailed, 2 errors in" in said


def test_elsewhere_it_is_a_skip(root: Path, tmp_path: Path) -> None:
    said = closing_line(root, tmp_path)
    assert "3 skipped, 1 xfailed in" in said
