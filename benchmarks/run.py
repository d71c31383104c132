"""Ours and the peers side by side: measured in turn in one run, so their ratios mean something on a busy machine.

    python benchmarks/run.py                      the table, in less than ten minutes on an idle machine of two cores
    python benchmarks/run.py --quick              fewer repetitions, smaller files, less than two minutes
    python benchmarks/run.py --rows latency,bulk  some rows only
    python benchmarks/run.py --svg docs/_static/benchmarks.svg --json figures.json --markdown README.md

Everything runs on loopback, against a private sshd that is gone afterwards. Needs the `bench` extra (paramiko and
asyncssh); a C compiler for the floor. What is missing leaves its column empty and says so.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import FLOORS, Bench
from figures import Figure, Verdict
from picture import as_svg
from place import ROUND_TRIP, open_place
from report import as_json, as_markdown, as_text, put_between_markers, split_at_markers
from rows import ROWS, TARGETS

PEERS = ("ours", *FLOORS, "asyncssh", "ssh", "paramiko")


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """An argparse type: names separated by commas, each of them known."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure openssh-compat beside its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--rows", type=_names(list(ROWS)), default=list(ROWS), help=f"of: {','.join(ROWS)}")
    parser.add_argument("--peers", type=_names(PEERS), default=list(PEERS), help=f"of: {','.join(PEERS)}")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every measurement there")
    parser.add_argument("--svg", type=Path, metavar="PATH", help="write the picture there")
    parser.add_argument(
        "--markdown",
        nargs="?",
        const="-",
        metavar="PATH",
        help="put the table between the markers of this file, or print it with them",
    )
    arguments = parser.parse_args()
    if arguments.markdown not in (None, "-"):
        # Now, and not after minutes of measuring.
        try:
            split_at_markers(Path(arguments.markdown))
        except (OSError, ValueError) as error:
            parser.error(str(error))
    return arguments


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "missing"


def _about(quick: bool) -> dict[str, str]:
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.split(",")[0].strip()
    parts = [f"{name} {_version(name)}" for name in ("openssh-compat", "paramiko", "asyncssh")]
    return {
        "run": "short (--quick)" if quick else "full",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        # Above 1 somebody else was measured, too.
        "load before it": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join([ssh, f"Python {platform.python_version()}", *parts]),
    }


def _measure(arguments: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    with open_place() as (near, far):
        bench = Bench(near, far, ROUND_TRIP, arguments.peers, arguments.quick)
        for name in arguments.rows:
            print(f"measuring {name} ...", end=" ", file=sys.stderr, flush=True)
            start = time.monotonic()
            figures += ROWS[name](bench)
            print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    return figures


def _judge(figures: list[Figure]) -> list[Verdict]:
    by_name = {figure.name: figure for figure in figures}
    return [target.judge(by_name[target.figure]) for target in TARGETS if target.figure in by_name]


def main() -> None:
    """Measure, print, write what was asked for."""
    arguments = _arguments()
    about = _about(arguments.quick)
    figures = _measure(arguments)
    verdicts = _judge(figures)
    markdown = as_markdown(about, figures, verdicts)
    print(markdown if arguments.markdown == "-" else as_text(about, figures, verdicts))
    if arguments.markdown not in (None, "-"):
        put_between_markers(Path(arguments.markdown), markdown)
    if arguments.json:
        arguments.json.write_text(as_json(about, figures, verdicts) + "\n", encoding="utf-8")
    if arguments.svg:
        arguments.svg.parent.mkdir(parents=True, exist_ok=True)
        arguments.svg.write_text(as_svg(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
