"""`openssh-compat doctor`: say what works here, or on a host, and what to do about what does not."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from ..doctor import Finding, State, examine_host, examine_machine

_MARKS = {State.OK: "ok  ", State.NOTE: "note", State.WARNING: "warn", State.BAD: "BAD "}
_COLOURS = {State.OK: "green", State.NOTE: "cyan", State.WARNING: "yellow", State.BAD: "red"}
_WIDTH = 100
_INDENT = " " * 24


def doctor(
    target: Annotated[
        str | None, typer.Argument(help="A host to look at, as for ssh: user@host, an alias, ...")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", "-p", help="Its port.")] = None,
    identity: Annotated[list[str] | None, typer.Option("--identity", "-i", help="A private key file.")] = None,
    config: Annotated[str | None, typer.Option("--config", "-F", help="An ssh_config file, or none.")] = None,
    known_hosts: Annotated[str | None, typer.Option("--known-hosts", help="A known_hosts file.")] = None,
    timeout: Annotated[float, typer.Option("--timeout", "-t", help="Seconds a login may take.")] = 30.0,
    ssh: Annotated[str, typer.Option("--ssh", help="The ssh program.")] = "ssh",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line for each finding.")] = False,
) -> None:
    """Look at this machine, and at a host if one is named: what works, what does not, and what to do about it.

    The status is 1 when something will not work. Nothing is changed, here or there.
    """
    findings: Iterable[Finding] = examine_machine(ssh)
    if target is not None:
        options = {"port": port, "key": identity, "config_file": config, "known_hosts": known_hosts, "ssh": ssh}
        findings = _both(findings, examine_host(target, connect_timeout=timeout, **options))
    worst = State.OK
    for finding in findings:
        typer.echo(_as_json(finding) if as_json else _as_text(finding))
        if finding.state is State.BAD:
            worst = State.BAD
    if worst is State.BAD:
        raise typer.Exit(1)


def _both(machine: Iterable[Finding], host: Iterable[Finding]) -> Iterator[Finding]:
    """The machine first: without an ssh there is nothing to try with."""
    for finding in machine:
        yield finding
        if finding.topic == "ssh" and finding.state is State.BAD:
            return
    yield from host


def _as_text(finding: Finding) -> str:
    mark = typer.style(_MARKS[finding.state], fg=_COLOURS[finding.state], bold=finding.state is State.BAD)
    lines = textwrap.wrap(finding.what, _WIDTH - len(_INDENT)) or [""]
    if finding.advice:
        lines += textwrap.wrap(f"-> {finding.advice}", _WIDTH - len(_INDENT), subsequent_indent="   ")
    return f"{mark}  {finding.topic:<18}" + f"\n{_INDENT}".join(lines)


def _as_json(finding: Finding) -> str:
    return json.dumps(
        {"topic": finding.topic, "state": finding.state.value, "what": finding.what, "advice": finding.advice}
    )
