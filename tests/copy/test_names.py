"""Names of every kind arrive as they are, in both directions, by each program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openssh_core import Connection

from .conftest import NAMES, Odd


@pytest.mark.parametrize("way", ["scp_get", "rsync_get"])
def test_all_at_once_from_there(shared: Connection, odd: Odd, way: str) -> None:
    fetch = getattr(shared, way)
    # rsync cannot be asked for these two kinds together.
    line_ends = [path for path in odd.paths() if b"\n" in path]
    fetch([path for path in odd.paths() if b"\n" not in path], odd.target)
    fetch(line_ends, odd.target)
    odd.check()


@pytest.mark.parametrize("way", ["scp_put", "rsync_put"])
def test_all_at_once_to_there(shared: Connection, odd: Odd, way: str) -> None:
    getattr(shared, way)(odd.paths(), odd.target)
    odd.check()


@pytest.mark.parametrize("tool", ["scp", "rsync"])
def test_a_file_gets_an_odd_name(shared: Connection, tmp_path: Path, tool: str) -> None:
    """One by one, there and back: the target does not exist yet."""
    source, there, back = (os.fsencode(tmp_path / name) for name in ("source", "there", "back"))
    for directory in (there, back):
        os.mkdir(directory)
    Path(os.fsdecode(source)).write_bytes(b"content")
    # What a pattern in the target's name would fit.
    for decoy in (b"starX", b"questionX", b"b"):
        Path(os.fsdecode(os.path.join(there, decoy))).write_bytes(b"decoy")
    odd = [name for name in NAMES if set(name) & set(b"*?[\\~:\n$ -\xff")]
    for name in odd:
        getattr(shared, f"{tool}_put")(source, os.path.join(there, name))
        getattr(shared, f"{tool}_get")(os.path.join(there, name), os.path.join(back, name))
    assert sorted(os.listdir(back)) == sorted(odd)
    for decoy in (b"starX", b"questionX", b"b"):
        assert Path(os.fsdecode(os.path.join(there, decoy))).read_bytes() == b"decoy"


@pytest.mark.parametrize("tool", ["scp", "rsync"])
def test_a_tree_with_odd_names(shared: Connection, odd: Odd, tmp_path: Path, tool: str) -> None:
    for name in (b"-dir [x]*", b"dir\nend"):
        os.mkdir(os.path.join(odd.source, name))
        with open(os.path.join(odd.source, name, b"in\xfe it"), "wb") as file:
            file.write(name)
    source, there, back = odd.source, os.fsencode(tmp_path / "t h'e*re"), os.fsencode(tmp_path / "b[a]ck")
    getattr(shared, f"{tool}_put")(source + b"/" if tool == "rsync" else source, there, recursive=True)
    getattr(shared, f"{tool}_get")(there + b"/" if tool == "rsync" else there, back, recursive=True)

    def content(root: bytes) -> dict[bytes, bytes]:
        found = {}
        for directory, _directories, files in os.walk(root):
            for file in files:
                path = os.path.join(directory, file)
                found[os.path.relpath(path, root)] = Path(os.fsdecode(path)).read_bytes()
        return found

    assert content(back) == content(source)
    assert len(content(back)) > len(NAMES)


@pytest.mark.parametrize("tool", ["scp", "rsync"])
def test_names_relative_to_home_and_to_here(
    shared: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """What looks like an option, a host or somebody's home, without a directory in front."""
    home = Path(str(shared.capture("pwd")).strip())
    monkeypatch.chdir(tmp_path)
    for name in ("-r", "h:f", "~nobody-of-that-name"):
        odd = f"{name} {tmp_path.name} {tool}"
        Path(odd).write_text(name)
        try:
            getattr(shared, f"{tool}_put")(odd, odd)
            assert (home / odd).read_text() == name
            getattr(shared, f"{tool}_get")(odd, "-back")
            assert Path("-back").read_text() == name
        finally:
            (home / odd).unlink(missing_ok=True)
