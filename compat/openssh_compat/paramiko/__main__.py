"""`python -m openssh_compat.paramiko script.py ...`: run a program with this in the place of paramiko."""

from __future__ import annotations

import os
import runpy
import sys

from ._stand_in import stand_in

_USAGE = "usage: python -m openssh_compat.paramiko [-m module | script.py] [argument ...]"


def main() -> None:
    """Run the program that the arguments name, as Python would."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help") or (words[0] == "-m" and len(words) < 2):
        raise SystemExit(_USAGE)
    stand_in()
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
