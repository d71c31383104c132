"""`openssh-compat check PATH...`: the report, and the change of imports."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

_SKIPPED = {".git", ".hg", ".tox", ".venv", "__pycache__", "build", "dist", "node_modules", "site-packages", "venv"}


def check(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders that are searched for *.py files.")],
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Change the imports in the files.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show the names that are the same here, too.")] = False,
    library: Annotated[
        list[str] | None, typer.Option("--library", help="Only this one: paramiko, fabric, subprocess or pxssh.")
    ] = None,
) -> None:
    """Say which names of paramiko, fabric, subprocess and pxssh a code base uses, and what becomes of them here.

    Nothing is run and, without --rewrite, nothing is changed. The status is 1 when something is not there. subprocess
    is only looked at and changed when it is named: most of what a program starts is meant to run at home.
    """
    try:
        import libcst  # noqa: F401  # an extra: said here, where a person reads it
    except ModuleNotFoundError:
        sys.exit("openssh-compat check needs libcst: pip install 'openssh-compat[check]'")
    from .report import Report
    from .rewriting import USUAL

    wanted = frozenset(library or USUAL)
    report = Report(wanted, everything=everything)
    for path in files_in(paths):
        source = path.read_text(encoding="utf-8", errors="surrogateescape")
        for line in report.of_file(path, source):
            typer.echo(line)
        if rewrite and (changed := report.rewritten(path, source)) is not None:
            _replace(path, changed)
            typer.echo(f"{path}: imports changed")
    for line in report.summary():
        typer.echo(line)
    if report.counts["absent"]:
        raise typer.Exit(1)


def files_in(paths: list[Path]) -> Iterator[Path]:
    """The Python files at these places, in a stable order."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if name not in _SKIPPED)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def _replace(path: Path, text: str) -> None:
    """Write beside it and rename: whatever happens, the file is the old or the new one. Its mode stays."""
    path = path.resolve()
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="surrogateescape", newline="", dir=path.parent, delete=False
    ) as file:
        file.write(text)
    os.chmod(file.name, path.stat().st_mode & 0o7777)
    os.replace(file.name, path)
