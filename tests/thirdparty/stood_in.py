"""`python -m stood_in script.py ...`, or `-m module ...`: ours in the place of paramiko where the environment says so.

The installed package does that by itself when Python starts; this also does it in a checkout.
"""

from __future__ import annotations

import os
import runpy
import sys

if __name__ == "__main__":
    if os.environ.get("OPENSSH_COMPAT_STANDS_IN") == "paramiko" and "paramiko" not in sys.modules:
        from openssh_compat.paramiko import stand_in

        stand_in()
    words = sys.argv[1:]
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
