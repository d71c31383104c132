"""Files and trees over SFTP, there and back."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core import Connection, TransferError
from openssh_core.copy import Entry
from openssh_core.testing import LoopbackServer

from .conftest import NAMES, Odd


def make_tree(root: Path, files: int = 30) -> dict[str, bytes]:
    """A tree of some files of all sizes in nested directories, and what is in it."""
    content = {}
    for number in range(files):
        path = root / f"d{number % 3}" / f"e{number % 5}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = os.urandom([0, 1, 100, 40_000, 300_000][number % 5])
        path.write_bytes(data)
        content[str(path.relative_to(root))] = data
    return content


def content_of(root: Path) -> dict[str, bytes]:
    """What is in a tree."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_tree(shared: Connection, tmp_path: Path, way: str) -> None:
    content = make_tree(tmp_path / "from")
    (tmp_path / "from" / "empty").mkdir()
    report = getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True)
    assert content_of(tmp_path / "to") == content
    assert (tmp_path / "to" / "empty").is_dir()
    assert report.size == sum(map(len, content.values()))
    files = [item for item in report.done if not Path(item.target).is_dir()]
    assert {Path(item.target) for item in files} == {tmp_path / "to" / name for name in content}
    assert (report.skipped, report.failed) == ([], [])
    # Once more, over what is there: nothing else is left beside it.
    getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True)
    assert content_of(tmp_path / "to") == content


@pytest.mark.parametrize("way", ["get", "put"])
def test_odd_names(shared: Connection, odd: Odd, way: str) -> None:
    copy = getattr(shared, way)
    copy(odd.paths(), odd.target)
    odd.check()
    for name in NAMES:
        copy(os.path.join(odd.source, name), os.path.join(odd.target, name))
    odd.check()
    whole = os.path.join(os.path.dirname(odd.target), b"-who*le\n")
    copy(odd.source, whole, recursive=True)
    assert set(NAMES) <= set(os.listdir(whole))


@pytest.mark.parametrize("way", ["get", "put"])
def test_where_one_file_goes(shared: Connection, tmp_path: Path, way: str) -> None:
    copy = getattr(shared, way)
    (tmp_path / "file").write_text("x")
    (tmp_path / "dir").mkdir()
    copy(tmp_path / "file", tmp_path / "other")
    copy(tmp_path / "file", tmp_path / "dir")
    copy(tmp_path / "file", f"{tmp_path}/dir2/") if way == "get" else None
    assert (tmp_path / "other").read_text() == (tmp_path / "dir" / "file").read_text() == "x"
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "file").write_text("y")
    copy(tmp_path / "file", tmp_path / "link")
    assert (tmp_path / "other").read_text() == "y" and (tmp_path / "link").is_symlink()
    with pytest.raises(IsADirectoryError):
        copy(tmp_path / "dir", tmp_path / "other")
    assert (tmp_path / "other").read_text() == "y"


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_missing_file(shared: Connection, tmp_path: Path, way: str) -> None:
    with pytest.raises(FileNotFoundError):
        getattr(shared, way)(tmp_path / "missing", tmp_path / "to")
    report = getattr(shared, way)(tmp_path / "missing", tmp_path / "to", check=False)
    assert [Path(item.source).name for item in report.failed] == ["missing"]
    assert os.listdir(tmp_path) == []


def test_file_objects(shared: Connection, tmp_path: Path) -> None:
    data = os.urandom(1_000_000)
    shared.put(io.BytesIO(data), tmp_path / "a")
    back = io.BytesIO()
    assert shared.get(tmp_path / "a", back).size == len(data)
    assert back.getvalue() == data
    with open(tmp_path / "b", "wb", buffering=0) as raw:
        shared.get(tmp_path / "a", raw)
    assert (tmp_path / "b").read_bytes() == data
    for wrong in ({"recursive": True}, {"glob": True}):
        with pytest.raises(openssh_core.InvalidInput):
            shared.get(tmp_path / "a", io.BytesIO(), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["get", "put"])
def test_patterns(shared: Connection, tmp_path: Path, way: str) -> None:
    for name in ("a1", "a2", "b1"):
        (tmp_path / name).write_text(name)
    (tmp_path / "to").mkdir()
    getattr(shared, way)(tmp_path / "a?", tmp_path / "to", glob=True)
    assert sorted(os.listdir(tmp_path / "to")) == ["a1", "a2"]
    with pytest.raises(TransferError, match="fits"):
        getattr(shared, way)(tmp_path / "z*", tmp_path / "to", glob=True)


@pytest.mark.parametrize("way", ["get", "put"])
def test_filters(shared: Connection, tmp_path: Path, way: str) -> None:
    for name in ("keep.py", "drop.pyc", "sub/keep.py", "sub/no.txt", "cache/x.py", "sub/cache"):
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_text(name)
    seen: list[Entry] = []
    copy = getattr(shared, way)
    rules: dict[str, Any] = {"include": "*.py", "exclude": ["cache/", seen.append]}
    copy(tmp_path / "from", tmp_path / "to", recursive=True, **rules)
    assert set(content_of(tmp_path / "to")) == {"keep.py", "sub/keep.py"}
    assert {entry.path for entry in seen if entry.kind == "directory"} == {"sub"}
    assert {entry.size for entry in seen if entry.name == "keep.py"} == {7, 11}


@pytest.mark.parametrize("way", ["get", "put"])
def test_modes_and_times(shared: Connection, tmp_path: Path, way: str) -> None:
    source = tmp_path / "from"
    (source / "ro").mkdir(parents=True)
    (source / "ro" / "file").write_text("x")
    os.chmod(source / "ro" / "file", 0o4751)
    os.utime(source / "ro" / "file", (1_000_000, 2_000_000))
    os.chmod(source / "ro", 0o555)
    os.utime(source / "ro", (1_000_000, 3_000_000))
    copy = getattr(shared, way)
    copy(source, tmp_path / "plain", recursive=True)
    plain = (tmp_path / "plain" / "ro" / "file").stat()
    # No set-id bit without being asked for, and a directory that nobody may write to got its file all the same.
    assert stat.S_IMODE(plain.st_mode) == 0o751
    assert stat.S_IMODE((tmp_path / "plain" / "ro").stat().st_mode) == 0o555
    copy(source, tmp_path / "kept", recursive=True, preserve=True)
    kept, folder = (tmp_path / "kept" / "ro" / "file").stat(), (tmp_path / "kept" / "ro").stat()
    assert (stat.S_IMODE(kept.st_mode), kept.st_mtime) == (0o4751, 2_000_000)
    assert (stat.S_IMODE(folder.st_mode), folder.st_mtime) == (0o555, 3_000_000)
    copy(source, tmp_path / "masked", recursive=True, umask=0o077)
    assert stat.S_IMODE((tmp_path / "masked" / "ro" / "file").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "masked" / "ro").stat().st_mode) == 0o500


@pytest.mark.parametrize("way", ["get", "put"])
def test_what_is_there_keeps_its_mode(shared: Connection, tmp_path: Path, way: str) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    os.chmod(tmp_path / "b", 0o640)
    getattr(shared, way)(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o640


@pytest.mark.parametrize("way", ["get", "put"])
def test_what_is_left_as_it_is(shared: Connection, tmp_path: Path, way: str) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    for name, here, there in (("older", 10, 20), ("newer", 30, 20), ("same", 20, 20)):
        (source / name).write_text("source")
        os.utime(source / name, (here, here))
        target.mkdir(exist_ok=True)
        (target / name).write_text("target")
        os.utime(target / name, (there, there))
    copy = getattr(shared, way)
    report = copy(source, target, recursive=True, overwrite=False)
    assert len(report.skipped) == 3 and {item.why for item in report.skipped} == {"it exists"}
    copy(source, target, recursive=True, skip_same=True, preserve=True)
    assert {name: (target / name).read_text() for name in ("older", "newer", "same")} == {
        "older": "source",
        "newer": "source",
        "same": "target",
    }
    for name in ("older", "newer", "same"):
        os.utime(target / name, (20, 20))
        (target / name).write_text("target")
        os.utime(target / name, (20, 20))
    copy(source, target, recursive=True, newer_only=True)
    assert {name: (target / name).read_text() for name in ("older", "newer", "same")} == {
        "older": "target",
        "newer": "source",
        "same": "target",
    }


@pytest.mark.parametrize("way", ["get", "put"])
def test_links(shared: Connection, tmp_path: Path, way: str) -> None:
    source = tmp_path / "from"
    (source / "sub").mkdir(parents=True)
    (source / "file").write_text("x")
    (source / "sub" / "up").symlink_to("../file")
    (source / "dir").symlink_to("sub")
    (source / "gone").symlink_to("nowhere")
    copy = getattr(shared, way)
    copy(source, tmp_path / "copied", recursive=True)
    for name in ("sub/up", "dir", "gone"):
        assert os.readlink(tmp_path / "copied" / name) == os.readlink(source / name)
    copy(source, tmp_path / "copied", recursive=True)
    report = copy(source, tmp_path / "skipped", recursive=True, links="skip")
    assert set(content_of(tmp_path / "skipped")) == {"file"}
    assert len(report.skipped) == 3
    (source / "gone").unlink()
    (source / "sub" / "loop").symlink_to("..")
    with pytest.raises(TransferError, match="it is in"):
        copy(source, tmp_path / "followed", recursive=True, links="follow")
    assert (tmp_path / "followed" / "dir" / "up").read_text() == "x"
    assert not (tmp_path / "followed" / "sub" / "up").is_symlink()


def test_links_that_lead_out_are_not_made(shared: Connection, tmp_path: Path) -> None:
    source = tmp_path / "from"
    (source / "sub").mkdir(parents=True)
    for name, text in (("absolute", "/etc"), ("up", "../x"), ("sub/up2", "../../x"), ("sub/sly", "a/../../x")):
        (source / name).symlink_to(text)
    (source / "sub" / "fine").symlink_to("../sub")
    report = shared.get(source, tmp_path / "to", recursive=True)
    assert len(report.skipped) == 4
    assert all("leads out" in item.why for item in report.skipped)
    assert os.listdir(tmp_path / "to" / "sub") == ["fine"]


@pytest.mark.parametrize("option", ["resume", "newer_only", "skip_same", "overwrite"])
def test_a_directory_where_a_file_was_asked_for(shared: Connection, tmp_path: Path, option: str) -> None:
    """Whatever else has to be known of it: only `recursive` fetches what is in it."""
    make_tree(tmp_path / "from")
    with pytest.raises(IsADirectoryError):
        shared.get(tmp_path / "from", tmp_path / "to", **{option: option != "overwrite"})  # type: ignore[arg-type]
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("leads_to", ["link", "none/below"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_link_that_cannot_be_followed(shared: Connection, tmp_path: Path, leads_to: str, overwrite: bool) -> None:
    """A link that was named is followed, so it is not replaced where that is not possible."""
    (tmp_path / "from").write_text("content")
    (tmp_path / "link").symlink_to(leads_to)
    with pytest.raises(FileNotFoundError):
        shared.put(tmp_path / "from", tmp_path / "link", overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == ["from", "link"]
    assert os.readlink(tmp_path / "link") == leads_to


def test_special_files_are_left_out(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    os.mkfifo(tmp_path / "from" / "fifo")
    for way in (shared.get, shared.put):
        report = way(tmp_path / "from", tmp_path / way.__name__, recursive=True)
        assert [item.why for item in report.skipped] == ["it is a FIFO"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_append(shared: Connection, tmp_path: Path, way: str) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old-")
    getattr(shared, way)(tmp_path / "a", tmp_path / "b", append=True)
    getattr(shared, way)(tmp_path / "a", tmp_path / "c", append=True)
    assert (tmp_path / "b").read_bytes() == b"old-new"
    assert (tmp_path / "c").read_bytes() == b"new"


@pytest.mark.parametrize("way", ["get", "put"])
def test_into_the_file_itself(shared: Connection, tmp_path: Path, way: str) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"older")
    inode = (tmp_path / "b").stat().st_ino
    getattr(shared, way)(tmp_path / "a", tmp_path / "b", atomic=False)
    assert (tmp_path / "b").read_bytes() == b"new" and (tmp_path / "b").stat().st_ino == inode


@pytest.mark.parametrize("way", ["get", "put"])
def test_holes(shared: Connection, tmp_path: Path, way: str) -> None:
    with open(tmp_path / "a", "wb") as file:
        file.write(b"head")
        file.seek(5_000_000)
        file.write(b"middle")
        file.truncate(9_000_000)
    getattr(shared, way)(tmp_path / "a", tmp_path / "b", sparse=True)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").stat().st_blocks * 512 < 2_000_000
    # What was there longer does not show through.
    (tmp_path / "c").write_bytes(b"x" * 10_000_000)
    getattr(shared, way)(tmp_path / "a", tmp_path / "c", sparse=True, atomic=False)
    assert (tmp_path / "c").stat().st_size == 9_000_000


@pytest.mark.parametrize("way", ["get", "put"])
@pytest.mark.parametrize(
    ("convert", "text", "result"),
    [
        ("dos2unix", b"a\r\nb\rc\r\n\r", b"a\nb\rc\n\r"),
        ("unix2dos", b"a\nb\r\n\n", b"a\r\nb\r\n\r\n"),
        (lambda data: data.upper() or b"!", b"abc", b"ABC!"),
    ],
)
def test_conversion(shared: Connection, tmp_path: Path, way: str, convert: Any, text: bytes, result: bytes) -> None:
    (tmp_path / "a").write_bytes(text * 1)
    getattr(shared, way)(tmp_path / "a", tmp_path / "b", convert=convert)
    assert (tmp_path / "b").read_bytes() == result


@pytest.mark.parametrize("way", ["get", "put"])
def test_digests_are_compared(shared: Connection, tmp_path: Path, way: str) -> None:
    content = make_tree(tmp_path / "from", 10)
    (tmp_path / "from" / "od\\d\nname -").write_bytes(b"x")
    report = getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, verify=True)
    assert content_of(tmp_path / "to") == {**content, "od\\d\nname -": b"x"}
    assert report.failed == []


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_digest_that_differs(make_server: Callable[..., LoopbackServer], tmp_path: Path, way: str) -> None:
    """The server's own program says something else: the file does not take its place."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sha256sum").write_text("#!/bin/sh\nprintf '%064d  %s\\n' 0 \"$1\"\n")
    (programs / "sha256sum").chmod(0o755)
    server = make_server({"SetEnv": f"PATH={programs}:{os.environ['PATH']}"})
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    with openssh_core.connect(**server.connect_options()) as host:
        with pytest.raises(openssh_core.VerificationFailed, match="differ"):
            getattr(host, way)(tmp_path / "a", tmp_path / "b", verify=True)
        host.run("true")
    assert (tmp_path / "b").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "programs"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_digests_where_no_program_makes_them(
    make_server: Callable[..., LoopbackServer], tmp_path: Path, way: str
) -> None:
    server = make_server({"ForceCommand": "internal-sftp"})
    (tmp_path / "a").write_bytes(os.urandom(100_000))
    with openssh_core.connect(**server.connect_options()) as host:
        getattr(host, way)(tmp_path / "a", tmp_path / "b", verify=True)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


# ---- progress, cancelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["get", "put"])
def test_a_callback_is_told_how_far_it_is(shared: Connection, tmp_path: Path, way: str) -> None:
    content = make_tree(tmp_path / "from", 10)
    steps: list[tuple[int, int | None, str | None]] = []
    getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, progress=lambda *step: steps.append(step))
    size = sum(map(len, content.values()))
    assert steps[-1][:2] == (size, size)
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert {Path(str(step[2])).name for step in steps} == {Path(name).name for name in content if content[name]}


@pytest.mark.parametrize("way", ["get", "put"])
def test_what_a_callback_raises_ends_it(shared: Connection, tmp_path: Path, way: str, no_leaks: None) -> None:
    make_tree(tmp_path / "from")

    def stop(*_step: object) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        getattr(shared, way)(tmp_path / "from", tmp_path / "to", recursive=True, progress=stop)
    # Once the server has answered this, it has also done what came before.
    shared.get("/etc/hostname", io.BytesIO())
    assert [path for path in (tmp_path / "to").rglob("*") if ".part" in path.name] == []
    assert shared.put(tmp_path / "from", tmp_path / "to", recursive=True).failed == []


@pytest.mark.parametrize("way", ["get", "put"])
def test_cancelling(shared: Connection, tmp_path: Path, way: str) -> None:
    (tmp_path / "a").write_bytes(bytes(3_000_000))
    (tmp_path / "b").write_bytes(b"old")
    cancel = threading.Event()
    with pytest.raises(openssh_core.TransferCancelled) as caught:
        getattr(shared, way)(tmp_path / "a", tmp_path / "b", cancel=cancel, progress=lambda *_step: cancel.set())
    assert caught.value.report.done == []
    shared.get("/etc/hostname", io.BytesIO())
    assert (tmp_path / "b").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("way", ["get", "put"])
def test_bandwidth(shared: Connection, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of our own: so many bytes take so long."""
    now = [100.0]
    monkeypatch.setattr("openssh_core.copy._gauge.monotonic", lambda: now[0])
    monkeypatch.setattr("openssh_core.copy._gauge.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    (tmp_path / "a").write_bytes(bytes(1_000_000))
    getattr(shared, way)(tmp_path / "a", tmp_path / "b", bwlimit=50_000)
    assert now[0] == pytest.approx(120)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resume": True, "append": True},
        {"verify": True, "convert": "dos2unix"},
        {"links": "some"},
        {"umask": 0o1000},
        {"bwlimit": 0},
        {"at_once": 0},
        {"convert": "unix"},
        {"include": 7},
        {"exclude": [""]},
    ],
)
def test_what_cannot_be(shared: Connection, wrong: Any) -> None:
    for way in (shared.get, shared.put):
        with pytest.raises(openssh_core.InvalidInput):
            way("a", "b", **wrong)
    with pytest.raises(TypeError):
        shared.get("a", "b", no_such_option=True)  # type: ignore[call-arg]
    for nothing in ("", [], 7):
        for way in (shared.get, shared.put):
            with pytest.raises((openssh_core.InvalidInput, OSError)):
                way(nothing, "b")  # type: ignore[arg-type]


def test_a_digest_of_it_all(shared: Connection, tmp_path: Path) -> None:
    """A large file, in pieces that come in any order."""
    data = os.urandom(1 << 20) * 20
    (tmp_path / "a").write_bytes(data)
    shared.put(tmp_path / "a", tmp_path / "b")
    shared.get(tmp_path / "b", tmp_path / "c")
    assert hashlib.sha256((tmp_path / "c").read_bytes()).digest() == hashlib.sha256(data).digest()
