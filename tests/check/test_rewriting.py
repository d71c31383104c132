"""Imports change, and nothing else does."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_compat.check import rewritten


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import paramiko", "from openssh_compat import paramiko"),
        ("import paramiko as p  # ours", "from openssh_compat import paramiko as p  # ours"),
        ("import paramiko.client", "from openssh_compat import paramiko; import openssh_compat.paramiko.client"),
        (
            "import paramiko.client, paramiko.agent",
            "from openssh_compat import paramiko; import openssh_compat.paramiko.client; "
            "import openssh_compat.paramiko.agent",
        ),
        ("import paramiko.client as c", "from openssh_compat.paramiko import client as c"),
        ("import os, paramiko, sys", "import os, sys; from openssh_compat import paramiko"),
        ("import paramiko; paramiko.SSHClient()", "from openssh_compat import paramiko; paramiko.SSHClient()"),
        (
            "from paramiko import (\n    A,  # a\n    B,\n)",
            "from openssh_compat.paramiko import (\n    A,  # a\n    B,\n)",
        ),
        ("from paramiko.client import SSHClient", "from openssh_compat.paramiko.client import SSHClient"),
        ("from paramiko import *", "from openssh_compat.paramiko import *"),
        ("from fabric import Connection, task", "from openssh_compat.fabric import Connection, task"),
        ("from pexpect import pxssh", "from openssh_compat import pxssh"),
        ("from pexpect.pxssh import pxssh", "from openssh_compat.pxssh import pxssh"),
        ("import pexpect.pxssh as x", "from openssh_compat import pxssh as x"),
        ("    \nif x:\n\timport paramiko\n", "    \nif x:\n\tfrom openssh_compat import paramiko\n"),
        (
            "try:\r\n  import paramiko\r\nexcept ImportError: pass\r\n",
            "try:\r\n  from openssh_compat import paramiko\r\nexcept ImportError: pass\r\n",
        ),
    ],
)
def test_what_an_import_becomes(before: str, after: str) -> None:
    assert rewritten(before) == after
    ast.parse(after)


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "from subprocess import run",
        "import pexpect",
        "import pexpect.pxssh",
        "from pexpect import pxssh, spawn",
        "from . import paramiko",
        "from .paramiko import SSHClient",
        "import paramiko_expect",
        "x = 'import paramiko'",
        "",
    ],
)
def test_what_stays(source: str) -> None:
    assert rewritten(source) == source


def test_subprocess_when_it_is_named() -> None:
    assert rewritten("import subprocess, paramiko", ["subprocess"]) == (
        "import paramiko; from openssh_compat import subprocess"
    )


@given(
    st.lists(
        st.sampled_from(["import os", "import paramiko", "x = 1  # y", "def f():\n  import fabric", ""]), max_size=6
    )
)
def test_rewriting_twice_is_rewriting_once(lines: list[str]) -> None:
    once = rewritten("\n".join(lines))
    assert rewritten(once) == once
    ast.parse(once)
