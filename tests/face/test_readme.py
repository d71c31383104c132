"""What the README promises a newcomer is what CI runs, and what it names exists."""

from __future__ import annotations

import configparser
import os
import re
import stat
from pathlib import Path

DEMO = "python3 -m pip install tox && tox -e demo"
TESTS = "python3 -m pip install tox && tox"


def shell_commands(readme: str) -> list[str]:
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def commands(script: str) -> list[str]:
    return [line.strip() for line in script.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_the_readme_begins_with_the_two_commands(root: Path) -> None:
    assert shell_commands((root / "README.md").read_text(encoding="utf-8"))[:2] == [DEMO, TESTS]


def test_ci_runs_the_second_and_ends_with_it(root: Path) -> None:
    script = root / ".ci" / "run"
    assert commands(script.read_text(encoding="utf-8"))[-1] == TESTS
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")


def test_environments_that_are_named_exist(root: Path) -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(root / "tox.ini", encoding="utf-8")
    named: set[str] = set()
    for page in [root / "README.md", *(root / "docs").rglob("*.md")]:
        named.update(re.findall(r"\btox -e ([\w,-]+)", page.read_text(encoding="utf-8")))
    names = {name for group in named for name in group.split(",")}
    assert {name for name in names if not re.fullmatch(r"py(3\d+-quick)?", name)} <= {
        section.removeprefix("testenv:") for section in tox.sections()
    }


def test_files_that_are_linked_exist(root: Path) -> None:
    """Links of the README and between pages of docs/ (Sphinx sees only the latter)."""
    broken = []
    for page in [root / "README.md", *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not os.path.exists(page.parent / target):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert not broken
