"""Files, with fabric 1: what its documentation says of put, get, templates and projects."""

from __future__ import annotations

import io
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import AccountServer, LoopbackServer

from .conftest import SUDO_PASSWORD

pytest.importorskip("invoke", reason="invoke is not installed: the adapter stands on it")

from openssh_compat.fabric import api  # after the check
from openssh_compat.fabric.contrib import files, project
from openssh_compat.fabric.network import disconnect_all
from openssh_compat.fabric.v1.state import own_environment


@pytest.fixture
def env(loopback_server: LoopbackServer) -> Iterator[Any]:
    with own_environment():
        api.env.update(settings_for(loopback_server))
        yield api.env
        disconnect_all()


def settings_for(server: LoopbackServer) -> dict[str, Any]:
    return {
        "use_ssh_config": True,
        "ssh_config_path": str(server.ssh_config),
        "host_string": "loopback",
        "shell": "/bin/sh -c",
        "abort_on_prompts": True,
        "abort_exception": RuntimeError,
    }


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder of the host's."""
    folder = tmp_path / "there"
    (folder / "logs" / "old").mkdir(parents=True)
    (folder / "logs" / "a.log").write_text("a")
    (folder / "logs" / "old" / "b.log").write_text("b")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    folder = tmp_path / "here"
    (folder / "site" / "static").mkdir(parents=True)
    (folder / "site" / "static" / "x.css").write_text("x")
    (folder / "app.conf").write_text("name = %(name)s\n")
    (folder / "app.conf").chmod(0o640)
    (folder / "db.conf").write_text("db")
    monkeypatch.chdir(folder)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_sent(env: Any, here: Path, there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.put("app.conf", str(there)) == [f"{there}/app.conf"]
    assert f"[loopback] put: {here}/app.conf -> {there}/app.conf" in capsys.readouterr().out.replace("./", "").replace(
        "put: app.conf", f"put: {here}/app.conf"
    )
    with api.cd(there), api.lcd("site"):
        result = api.put("static/x.css", "renamed", mode="0600")
    assert (result, result.failed, result.succeeded) == ([f"{there}/renamed"], [], True)
    assert mode(there / "renamed") == 0o600
    api.put("app.conf", f"{there}/mirrored", mirror_local_mode=True)
    assert mode(there / "mirrored") == 0o640


def test_patterns_and_directories_are_sent(env: Any, here: Path, there: Path) -> None:
    assert api.put("*.conf", str(there)) == [f"{there}/app.conf", f"{there}/db.conf"]
    assert api.put("site", str(there)) == [f"{there}/site/static/x.css"]
    assert (there / "site" / "static" / "x.css").read_text() == "x"
    with pytest.raises(ValueError, match="nowhere"):
        api.put("nowhere", str(there))


def test_a_file_object_is_sent(env: Any, there: Path) -> None:
    file = io.StringIO("text")
    file.seek(2)
    assert api.put(file, f"{there}/new", mode=0o600) == [f"{there}/new"]
    assert ((there / "new").read_text(), mode(there / "new"), file.tell()) == ("text", 0o600, 2)
    with pytest.raises(ValueError, match="remote_path"):
        api.put(file)


def test_files_are_fetched(env: Any, here: Path, there: Path) -> None:
    assert api.get(f"{there}/logs/a.log") == [f"{here}/loopback/a.log"]
    assert api.get(f"{there}/logs/a.log", "got/%(host)s-%(basename)s") == [f"{here}/got/loopback-a.log"]
    with api.cd(there), api.lcd("site"):
        assert api.get("logs/a.log", "./") == [f"{here}/site/a.log"]
    file = io.BytesIO()
    api.get(f"{there}/logs/a.log", file)
    assert file.getvalue() == b"a"
    api.get(f"{there}/logs/a.log", text := io.StringIO())
    assert text.getvalue() == "a"


def test_patterns_and_directories_are_fetched(env: Any, here: Path, there: Path) -> None:
    assert sorted(api.get(f"{there}/logs", "%(host)s/%(path)s")) == [
        f"{here}/loopback/logs/a.log",
        f"{here}/loopback/logs/old/b.log",
    ]
    assert api.get(f"{there}/logs/*.log", "some/") == [f"{here}/some/a.log"]
    with pytest.raises(FileNotFoundError, match="nothing on loopback fits"):
        api.get(f"{there}/*.none")


def test_what_fails_is_in_the_result(env: Any, here: Path, there: Path) -> None:
    with pytest.raises(RuntimeError, match="none"):
        api.get(f"{there}/none", "x")
    with api.warn_only():
        result = api.get(f"{there}/none", "x")
    assert (result, result.failed, result.succeeded) == ([], [f"{there}/none"], False)


def test_a_home_directory(env: Any, here: Path) -> None:
    name = f"openssh-compat-{os.urandom(6).hex()}"
    try:
        assert api.put("db.conf", f"~/{name}") == [str(Path.home() / name)]
        assert api.get(f"~/{name}", "back") == [f"{here}/back"]
    finally:
        (Path.home() / name).unlink()


def test_a_template(env: Any, here: Path, there: Path) -> None:
    for name in ("one", "two"):
        files.upload_template("app.conf", f"{there}/it", {"name": name}, mirror_local_mode=True)
    assert ((there / "it").read_text(), (there / "it.bak").read_text()) == ("name = two\n", "name = one\n")
    assert mode(there / "it") == 0o640
    files.upload_template("app.conf", str(there), {"name": "x"}, template_dir=here, backup=False)
    assert (there / "app.conf").read_text() == "name = x\n"


def test_a_template_of_jinja(env: Any, here: Path, there: Path) -> None:
    (here / "page").write_text("{% for name in names %}{{ name }};{% endfor %}\n")
    arguments = ("page", f"{there}/page", {"names": "ab"})
    try:
        import jinja2  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="pip install jinja2"):
            files.upload_template(*arguments, use_jinja=True)
        return
    files.upload_template(*arguments, use_jinja=True)
    assert (there / "page").read_text() == "a;b;"


def test_a_project(env: Any, here: Path, there: Path) -> None:
    for _ in range(2):
        project.upload_project("site", str(there))
    assert [path.name for path in (there / "site").iterdir()] == ["static"]


def test_a_tunnel_to_here(env: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with api.remote_tunnel(port, server.getsockname()[1], local_host="127.0.0.1"):
            with socket.create_connection(("127.0.0.1", port), 30) as asking:
                answering, _ = server.accept()
                answering.sendall(b"x")
                assert asking.recv(1) == b"x"
                answering.close()


# ---- as another user


@pytest.fixture
def ordinary(accounts: AccountServer) -> Iterator[Path]:
    """As an ordinary user, whose password is known; a folder of root's over there."""
    with own_environment():
        api.env.update(settings_for(accounts), sudo_password=SUDO_PASSWORD)
        folder = accounts.home("asked") / f"roots-{os.urandom(3).hex()}"
        folder.mkdir(mode=0o700)
        os.chown(folder, 0, 0)
        yield folder
        disconnect_all()


def test_files_of_root(ordinary: Path, here: Path) -> None:
    assert api.put("app.conf", str(ordinary), use_sudo=True, mode=0o600) == [f"{ordinary}/app.conf"]
    assert ((ordinary / "app.conf").stat().st_uid, mode(ordinary / "app.conf")) == (0, 0o600)
    api.get(f"{ordinary}/*.conf", "got/", use_sudo=True)
    assert (here / "got" / "app.conf").read_text() == "name = %(name)s\n"
    files.upload_template("app.conf", f"{ordinary}/app.conf", {"name": "x"}, use_sudo=True)
    assert (ordinary / "app.conf").read_text() == "name = x\n" and (ordinary / "app.conf.bak").exists()
    project.upload_project("site", str(ordinary), use_sudo=True)
    assert (ordinary / "site" / "static" / "x.css").stat().st_uid == 0


def test_sudo_with_a_password(ordinary: Path) -> None:
    assert api.sudo("id -un") == "root"
    assert api.sudo("id -un", pty=False, user="nobody") == "nobody"
    with api.cd("/usr"):
        assert api.sudo("pwd") == "/usr"


def test_sudo_with_a_wrong_password(ordinary: Path) -> None:
    api.env.sudo_password = "wrong"
    with pytest.raises(RuntimeError, match="the one it was given is wrong"):
        api.sudo("id -un")
