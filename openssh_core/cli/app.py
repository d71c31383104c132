"""The commands, put together. Those of other packages are entry points of the group `openssh_compat.commands`: each
names a function that is made a command of its own.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from .._version import __version__
from .doctor import doctor

app = typer.Typer(
    help="OpenSSH as a Python library: help for people.",
    no_args_is_help=True,
    add_completion=False,
    # Rich's frames around errors and tracebacks are not for a log file or a small terminal.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openssh-compat {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """OpenSSH as a Python library: help for people."""


def run() -> None:
    """Parse the command line and do it."""
    app.command()(doctor)
    for found in entry_points(group="openssh_compat.commands"):
        app.command(name=found.name)(found.load())
    app()
