"""A pytest plugin: ours stands in for paramiko while the package under test is imported. Its tests find paramiko, which
makes a server for them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module

from openssh_compat.paramiko import standing_in

OURS = os.environ["OVER"] == "ours"

with standing_in() if OURS else contextlib.nullcontext():
    import_module(os.environ["CLIENT"])
    assert sys.modules["paramiko"].__name__.startswith("openssh_compat.") is OURS
