"""The script that installs what tests need: silent when all is there, harmless without root, strict in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def bare_path() -> Iterator[str]:
    """A PATH with what the script itself runs and no more; not under tmp_path, which only its owner may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for program in ("id", "apt-get"):
            target = shutil.which(program)
            if target:
                os.symlink(target, os.path.join(folder, program))
        yield folder


def run(root: Path, *words: str, env: dict[str, str], as_nobody: bool = False) -> subprocess.CompletedProcess[str]:
    """The script is read from stdin, for nobody may not be allowed to look into the checkout."""
    user = NOBODY if as_nobody and os.geteuid() == 0 else None
    with open(root / "scripts" / "install-system-deps", encoding="utf-8") as script:
        return subprocess.run(
            ["/bin/sh", "-s", *words], stdin=script, capture_output=True, text=True, check=False,
            env=env, user=user, group=user, extra_groups=None if user is None else [], cwd="/",
        )  # fmt: skip


def test_where_all_is_there_it_says_nothing(root: Path) -> None:
    done = run(root, "demo", env={"PATH": os.environ["PATH"], "CI": "true"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("what", "package"), [("demo", "openssh-client"), ("bench", "gcc"), ("tests", "fish")])
def test_without_root_it_says_what_to_install(root: Path, bare_path: str, what: str, package: str) -> None:
    done = run(root, what, env={"PATH": bare_path}, as_nobody=True)
    assert done.returncode == 0
    assert package in done.stderr.split()


def test_in_ci_it_fails_rather_than_let_tests_be_skipped(root: Path, bare_path: str) -> None:
    done = run(root, "tests", env={"PATH": bare_path, "CI": "true"}, as_nobody=True)
    assert done.returncode == 1
    assert "openssh-client" in done.stderr.split()


def test_a_word_it_does_not_know(root: Path) -> None:
    assert run(root, "everything", env={"PATH": os.environ["PATH"]}).returncode == 2
