"""Packages that were written for paramiko do real work, and print the same over paramiko and over ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.thirdparty

SAYS = {
    "tunnel": "tunnelled 600000\n",
    "dialogue": "hello world\n",
    "jump": "from the gateway\nfrom behind it 3\n",
    "network_device": "['one', 'two']\nTrue\nTrue\n",
    "file_systems": "256000 1000\n['b', 'moved']\nTrue\n['back', 'moved', 'program']\nFalse\n['one', 'two']\n",
    "transfers": "['one', 'sub'] 7000\nTrue True False\nTrue\nb'from memory' ['back', 'local']\n",
    "scripts": "out err True\nexit 7\nworld\n/\nthrough\n['all', 'all']\n['all', 'all']\n",
}


@pytest.mark.parametrize("name", SAYS)
def test_a_package_does_its_work(run_program: Callable[..., str], name: str, tmp_path: Path) -> None:
    assert run_program(name, tmp_path) == SAYS[name]
