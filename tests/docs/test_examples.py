"""Every ```python block of the README and of docs/ runs, unchanged, against a real server.

A page is one test: its blocks run in order, in one namespace, as a reader would type them. The collector is this
file and not a plugin because the need is small (find the fences, keep the line numbers), and the plugins for it lean
on private names of pytest, which change.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[tuple[int, str]]:
    """(number of the first line, source) of each block."""
    return [(text.count("\n", 0, found.start(1)) + 1, found[1]) for found in BLOCK.finditer(text)]


WITH_EXAMPLES = [page for page in PAGES if blocks(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.usefixtures("web1")
def test_examples_of(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A reader's program has not loaded what other tests of this process have: ours stands in for nothing else.
    for name in [name for name in sys.modules if name.partition(".")[0] == "paramiko"]:
        monkeypatch.delitem(sys.modules, name)
    namespace: dict[str, Any] = {"__name__": "example"}
    for line, source in blocks(page.read_text(encoding="utf-8")):
        # Empty lines in front, so that a traceback names the line of the page.
        exec(compile("\n" * (line - 1) + source, str(page), "exec"), namespace)


def test_blocks_are_found_with_their_lines() -> None:
    assert blocks("a\n```python\nb = 1\n```\n```sh\nc\n```\n```python\nd\ne\n```\n") == [(3, "b = 1\n"), (9, "d\ne\n")]


def test_there_are_examples() -> None:
    assert {"README.md", "docs/tutorial.md"} <= {str(page.relative_to(ROOT)) for page in WITH_EXAMPLES}
