"""Compiling the C floor, where there is a compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["compile_floor"]


def compile_floor(directory: Path) -> str:
    """Compile mux_floor.c into `directory`; the program's path, or nothing when there is no `cc`.

    Raises:
        subprocess.CalledProcessError: there is a compiler and it refused the source.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        return ""
    source = Path(__file__).resolve().parent / "mux_floor.c"
    program = directory / "mux_floor"
    subprocess.run([compiler, "-O2", "-o", str(program), str(source), "-pthread"], check=True)
    return str(program)
