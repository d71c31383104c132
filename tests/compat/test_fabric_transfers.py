"""Files: fabric's rules about paths over fabric and over ours; and trees, patterns, other users' files."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core.testing import AccountServer, LoopbackServer

from .conftest import SUDO_PASSWORD

pytest.importorskip("invoke", reason="invoke is not installed: fabric and the adapter stand on it")


def connected(fabric: Any, server: LoopbackServer) -> Any:
    overrides = {"run": {"in_stream": False}, "ssh_config_path": str(server.ssh_config)}
    return fabric.Connection("loopback", config=fabric.Config(overrides=overrides))


@pytest.fixture
def c(fabric: Any, loopback_server: LoopbackServer) -> Iterator[Any]:
    """A connection of fabric, or of ours."""
    with connected(fabric, loopback_server) as one:
        yield one


@pytest.fixture(scope="module")
def own(loopback_server: LoopbackServer) -> Iterator[Any]:
    """A connection of ours."""
    from openssh_compat import fabric

    with connected(fabric, loopback_server) as one:
        yield one


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder of the host's, with a file and a tree."""
    folder = tmp_path / "there"
    (folder / "tree" / "deep").mkdir(parents=True)
    (folder / "file.txt").write_text("text\n")
    (folder / "file.txt").chmod(0o751)
    (folder / "tree" / "one").write_text("1")
    (folder / "tree" / "deep" / "two").write_text("2")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- get


def test_a_file_is_fetched(c: Any, there: Path, here: Path) -> None:
    result = c.get(f"{there}/file.txt")
    assert (here / "file.txt").read_text() == "text\n" and mode(here / "file.txt") == 0o751
    facts = (result.local, result.orig_local, result.remote, result.orig_remote, result.connection)
    assert facts == (f"{here}/file.txt", None, f"{there}/file.txt", f"{there}/file.txt", c)


def test_what_a_path_here_may_say(c: Any, there: Path, here: Path) -> None:
    result = c.get(f"{there}/file.txt", "{host}/{user}-{port}/{basename}.d{dirname}/")
    expected = here / c.host / f"{c.user}-{c.port}" / f"file.txt.d{there}" / "file.txt"
    assert expected.read_text() == "text\n" and result.local == str(expected)
    c.get(f"{there}/file.txt", "new/other")
    assert (here / "new" / "other").read_text() == "text\n"


def test_a_file_object_is_filled(c: Any, there: Path) -> None:
    file = io.BytesIO(b"before ")
    file.seek(0, io.SEEK_END)
    result = c.get(f"{there}/file.txt", file)
    assert file.getvalue() == b"before text\n" and not file.closed
    assert (result.local, result.orig_local) == (file, file)


def test_relative_paths_start_at_home(c: Any, here: Path) -> None:
    name = f"openssh-compat-{os.urandom(6).hex()}"
    (here / name).write_text("x")
    try:
        result = c.put(name)
        assert result.remote == f"{Path.home()}/{name}"
        assert c.get(name, "back").remote == f"{Path.home()}/{name}" and (here / "back").read_text() == "x"
    finally:
        (Path.home() / name).unlink()


def test_an_sftp_client_that_is_somewhere(c: Any, there: Path, here: Path) -> None:
    assert c.sftp() is c.sftp()
    c.sftp().chdir(str(there))
    assert c.get("file.txt").remote == f"{there}/file.txt"
    assert c.put("file.txt", "tree").remote == f"{there}/tree/file.txt"
    assert c.sftp().listdir("tree/deep") == ["two"]


@pytest.mark.parametrize("method", ["get", "put"])
def test_paths_that_are_none(c: Any, method: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        getattr(c, method)("")


def test_a_file_that_is_not_there(c: Any, there: Path, here: Path) -> None:
    with pytest.raises(FileNotFoundError):
        c.get(f"{there}/none")
    with pytest.raises(FileNotFoundError):
        c.put("missing", f"{there}/none")
    assert not (there / "none").exists()


# ---- put


def test_a_file_is_sent(c: Any, there: Path, here: Path) -> None:
    (here / "local").write_text("sent")
    (here / "local").chmod(0o640)
    result = c.put("local", f"{there}/file.txt")
    assert (there / "file.txt").read_text() == "sent" and mode(there / "file.txt") == 0o640
    facts = (result.local, result.orig_local, result.remote, result.orig_remote, result.connection)
    assert facts == (f"{here}/local", "local", f"{there}/file.txt", f"{there}/file.txt", c)


def test_a_directory_gets_it_under_its_name(c: Any, there: Path, here: Path) -> None:
    (here / "local").write_text("sent")
    for where in (str(there), f"{there}/"):
        assert c.put("local", where).remote == f"{there}/local"
    assert (there / "local").read_text() == "sent"


def test_a_mode_that_is_not_kept(c: Any, there: Path, here: Path) -> None:
    (here / "local").write_text("sent")
    (here / "local").chmod(0o600)
    c.put("local", f"{there}/file.txt", preserve_mode=False)
    assert mode(there / "file.txt") == 0o751


def test_a_file_object_is_sent_whole(c: Any, there: Path) -> None:
    file = io.BytesIO(b"all of it")
    file.seek(4)
    c.put(file, f"{there}/new")
    assert ((there / "new").read_bytes(), file.tell()) == (b"all of it", 4)
    c.put(io.StringIO("text"), f"{there}/new")
    assert (there / "new").read_text() == "text"
    with pytest.raises(ValueError, match="file-like"):
        c.put(file)
    with pytest.raises(ValueError, match="directory"):
        c.put(file, str(there))


def test_the_class_behind_them(c: Any, fabric: Any, there: Path, here: Path) -> None:
    transfer = pytest.importorskip(f"{fabric.__name__}.transfer").Transfer(c)
    assert (transfer.is_remote_dir(str(there)), transfer.is_remote_dir(f"{there}/file.txt")) == (True, False)
    assert transfer.get(f"{there}/file.txt").local == f"{here}/file.txt"


# ---- differences


def test_a_directory_here_gets_it_under_its_name(own: Any, there: Path, here: Path) -> None:
    (here / "folder").mkdir()
    assert own.get(f"{there}/file.txt", "folder").local == f"{here}/folder/file.txt"
    assert own.get(f"{there}/file.txt", here / "folder").local == f"{here}/folder/file.txt"


def test_a_fetch_that_fails_leaves_nothing(own: Any, there: Path, here: Path) -> None:
    with pytest.raises(FileNotFoundError):
        own.get(f"{there}/none")
    assert not list(here.iterdir())


def test_text_with_more_than_ascii(own: Any, there: Path) -> None:
    own.put(io.StringIO("t\xebxt"), there / "new")
    assert (there / "new").read_text() == "t\xebxt"


def test_a_text_file_object_gets_text(own: Any, there: Path) -> None:
    own.get(f"{there}/file.txt", file := io.StringIO())
    assert file.getvalue() == "text\n"


def test_an_open_file_goes_into_a_directory_under_its_own_name(own: Any, there: Path, here: Path) -> None:
    (here / "local").write_text("sent")
    with open(here / "local", "rb") as file:
        assert own.put(file, there).remote == f"{there}/local"
    assert (there / "local").read_text() == "sent"


def test_a_transfer_that_breaks_off_leaves_what_was_there(own: Any, there: Path, here: Path) -> None:
    class Stop(Exception):
        pass

    def stop(*_facts: object) -> None:
        raise Stop

    (here / "local").write_bytes(b"x" * 3_000_000)
    with pytest.raises(Stop):
        own.put("local", there / "file.txt", progress=stop)
    assert (there / "file.txt").read_text() == "text\n"
    assert sorted(path.name for path in there.iterdir()) == ["file.txt", "tree"]


def test_trees(own: Any, there: Path, here: Path) -> None:
    result = own.get(f"{there}/tree", recursive=True)
    assert result.local == f"{here}/tree" and len(result.report.done) > 1
    assert ((here / "tree" / "one").read_text(), (here / "tree" / "deep" / "two").read_text()) == ("1", "2")
    own.put("tree", there / "copy", recursive=True)
    own.put("tree", there / "copy", recursive=True)
    assert (there / "copy" / "deep" / "two").read_text() == "2"
    assert (there / "copy" / "tree" / "deep" / "two").read_text() == "2"


def test_patterns(own: Any, there: Path, here: Path) -> None:
    own.get(f"{there}/tree/o*", "got", glob=True)
    assert [path.name for path in (here / "got").iterdir()] == ["one"]
    (here / "a.conf").write_text("a")
    (here / "b.conf").write_text("b")
    own.put("*.conf", there / "tree", glob=True)
    assert (there / "tree" / "a.conf").read_text() + (there / "tree" / "b.conf").read_text() == "ab"


def test_rsync(own: Any, there: Path, here: Path) -> None:
    own.rsync(f"{there}/tree/", "copied", get=True, archive=True)
    assert (here / "copied" / "deep" / "two").read_text() == "2"
    own.rsync("copied/", str(there / "back"), archive=True)
    assert (there / "back" / "one").read_text() == "1"


def test_a_group_fetches_into_a_folder_for_each_host(loopback_server: LoopbackServer, there: Path, here: Path) -> None:
    from openssh_compat import fabric

    config = fabric.Config(overrides={"ssh_config_path": str(loopback_server.ssh_config)})
    with fabric.ThreadingGroup("loopback", config=config) as group:
        results = group.get(f"{there}/file.txt")
    assert (here / loopback_server.host / "file.txt").read_text() == "text\n" and len(results) == 1


# ---- as another user


@pytest.fixture
def ordinary(accounts: AccountServer) -> Iterator[Callable[..., Any]]:
    """Make connections as an ordinary user: `ordinary(**overrides)`."""
    from openssh_compat import fabric

    made = []

    def make(**overrides: Any) -> Any:
        settings = {"run": {"in_stream": False}, "ssh_config_path": str(accounts.ssh_config), **overrides}
        made.append(fabric.Connection("loopback", config=fabric.Config(overrides=settings)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_files_of_root(ordinary: Callable[..., Any], accounts: AccountServer, here: Path) -> None:
    c = ordinary(sudo={"password": SUDO_PASSWORD})
    folder = accounts.home("asked") / "roots"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, 0, 0)
    (here / "new").write_text("key = value\n")
    (here / "new").chmod(0o640)
    c.put("new", f"{folder}/app.conf", sudo=True)
    put = folder / "app.conf"
    assert (put.read_text(), mode(put), put.stat().st_uid) == ("key = value\n", 0o640, 0)
    os.chown(put, 65534, 65534)
    c.put(io.StringIO("changed\n"), f"{folder}/app.conf", sudo=True)
    assert (put.read_text(), mode(put), put.stat().st_uid) == ("changed\n", 0o640, 65534)
    assert [path.name for path in folder.iterdir()] == ["app.conf"]
    with pytest.raises(PermissionError):
        c.get(f"{folder}/app.conf")
    c.get(f"{folder}/app.conf", "got/", sudo=True)
    assert ((here / "got" / "app.conf").read_text(), mode(here / "got" / "app.conf")) == ("changed\n", 0o640)
    c.get(f"{folder}/app.conf", file := io.BytesIO(), sudo=True)
    assert file.getvalue() == b"changed\n"


def test_trees_of_root(ordinary: Callable[..., Any], accounts: AccountServer, here: Path) -> None:
    c = ordinary(sudo={"password": SUDO_PASSWORD})
    folder = accounts.home("asked") / "trees"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, 0, 0)
    (here / "tree" / "deep").mkdir(parents=True)
    (here / "tree" / "deep" / "two").write_text("2")
    c.put("tree", f"{folder}/copy", recursive=True, sudo=True)
    assert ((folder / "copy" / "deep" / "two").read_text(), (folder / "copy").stat().st_uid) == ("2", 0)
    c.get(f"{folder}/copy", "back", recursive=True, sudo=True)
    assert (here / "back" / "deep" / "two").read_text() == "2"


def test_a_file_that_root_does_not_have(ordinary: Callable[..., Any], here: Path) -> None:
    c = ordinary(sudo={"password": SUDO_PASSWORD})
    (here / "kept").write_text("kept")
    with pytest.raises(openssh_core.CommandFailed, match="No such file"):
        c.get("/nowhere/file", "kept", sudo=True)
    assert [path.read_text() for path in here.iterdir()] == ["kept"]


def test_a_wrong_password_for_a_file(ordinary: Callable[..., Any], here: Path) -> None:
    with pytest.raises(openssh_core.errors.SudoRefused):
        ordinary(sudo={"password": "wrong"}).get("/etc/shadow", sudo=True)
    assert not list(here.iterdir())


# ---- sudo itself


def test_sudo_with_a_password(ordinary: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    c = ordinary(sudo={"password": SUDO_PASSWORD})
    assert c.sudo("id -un", hide=True).stdout == "root\n"
    with c.cd("/usr"), c.prefix("X=1"):
        assert c.sudo('echo "$PWD $X $A"', hide=True, env={"A": "a b"}).stdout.split("\n")[0].startswith("/usr 1")
    assert c.sudo("id -un", hide=True, user="nobody").stdout == "nobody\n"
    assert c.sudo("id -un", hide=True, pty=True).stdout.endswith("root\r\n")


@pytest.mark.parametrize("pty", [False, True])
def test_sudo_with_a_wrong_password(ordinary: Callable[..., Any], pty: bool) -> None:
    import invoke

    with pytest.raises(invoke.exceptions.AuthFailure) as caught:
        ordinary().sudo("id -un", hide=True, password="wrong", pty=pty)
    assert caught.value.result.stdout + caught.value.result.stderr != ""


def test_what_is_left_alone_as_root(
    ordinary: Callable[..., Any], accounts: AccountServer, until: Callable[..., Any]
) -> None:
    done = accounts.home("asked") / "done"
    assert ordinary(sudo={"password": SUDO_PASSWORD}).sudo(f"touch {done}", disown=True, hide=True) is None
    until(done.exists)
    assert done.stat().st_uid == 0
