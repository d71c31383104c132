"""Task files as people have them, three for each fabric, over several hosts: what they do, and what is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

pytest.importorskip("invoke", reason="invoke is not installed: the adapter stands on it")

FABFILES = Path(__file__).parent / "fabfiles"

SERVICE = """#!/bin/sh
echo "$1 $2 by $(id -un) for $SERVICE_HOST" | tee -a "$(dirname "$0")/service.log"
"""
DUMP = """#!/bin/sh
printf '%s\\n' "-- $1" 'create table t;' 'insert into t;'
"""

Fab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fab(loopback_server: LoopbackServer, tmp_path: Path) -> Fab:
    """Run a task file: `fab("deploy3", "-H", "h0", "deploy")`."""
    lines = loopback_server.ssh_config.read_text().splitlines()
    lines = ["Host h0 h1 h2" if line.startswith("Host ") else line for line in lines]
    (tmp_path / "ssh_config").write_text("\n".join([*lines, "Host dead", "  HostName 127.0.0.1", "  Port 1", ""]))
    for name, script in (("service", SERVICE), ("dump", DUMP)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    for name in ("app", "templates", "templates1", "spool"):
        (tmp_path / name).mkdir()
    (tmp_path / "app" / "check.sh").write_text("test ! -e broken\n")
    (tmp_path / "templates" / "app.conf").write_text("workers = $workers on $host\n")
    (tmp_path / "templates" / "proxy.conf").write_text("proxy for $host\n")
    (tmp_path / "templates1" / "app.conf").write_text("workers = %(workers)s on %(host)s\n")
    (tmp_path / "fabric.yaml").write_text(
        "ssh_config_path: ssh_config\nrun: {in_stream: false}\nroles: {web: [h0, h1], db: h2}\n"
        f"deploy: {{root: {tmp_path}/srv}}\netc: {tmp_path}/etc\nservice: {tmp_path}/service\n"
        f"dump: {tmp_path}/dump\nspool: {tmp_path}/spool\n"
    )
    places = {"DEPLOY_ROOT": "srv", "ETC": "etc", "SERVICE": "service", "DUMP": "dump"}
    variables = {**os.environ, **{name: f"{tmp_path}/{place}" for name, place in places.items()}}

    def run(fabfile: str, *words: str) -> subprocess.CompletedProcess[str]:
        shutil.copy(FABFILES / f"{fabfile}.py", tmp_path / "fabfile.py")
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        return subprocess.run(
            [sys.executable, "-m", "openssh_compat.fabric", *words],
            cwd=tmp_path,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_deployment(fab: Fab, tmp_path: Path) -> None:
    assert said(fab("deploy3", "-H", "h0,h1", "deploy", "1.0")) == ["h0: 1.0 of 1 releases", "h1: 1.0 of 1 releases"]
    (tmp_path / "app" / "new").touch()
    said(fab("deploy3", "-H", "h0,h1", "-P", "0", "deploy", "1.1"))
    assert os.readlink(tmp_path / "srv" / "h1" / "current") == "releases/1.1"
    assert (tmp_path / "srv" / "h0" / "current" / "new").exists()
    (tmp_path / "app" / "broken").touch()
    done = fab("deploy3", "-H", "h0,h1", "deploy", "1.2")
    assert (done.returncode, done.stderr) == (3, "h0: version 1.2 does not pass its own check\n")
    assert said(fab("deploy3", "-H", "h0", "rollback")) == ["h0: back from 1.1 to 1.0"]
    assert os.readlink(tmp_path / "srv" / "h0" / "current") == "releases/1.0"
    (tmp_path / "app" / "broken").unlink()
    said(fab("deploy3", "-H", "h0", "deploy", "1.3", "--keep", "2"))
    assert sorted(path.name for path in (tmp_path / "srv" / "h0" / "releases").iterdir()) == ["1.1", "1.3"]


def test_provisioning(fab: Fab, tmp_path: Path) -> None:
    lines = said(fab("provision3", "-H", "h0,h1", "provision"))
    assert lines[0] == "h0: app.conf, proxy.conf changed; restart app by root for h0"
    assert said(fab("provision3", "-H", "h0,h1", "provision")) == ["h0: nothing to do", "h1: nothing to do"]
    assert said(fab("provision3", "-H", "h1", "provision", "--workers", "8"))[0].startswith("h1: app.conf changed;")
    assert said(fab("provision3", "-H", "h0,h1", "status")) == ["workers = 4 on h0", "workers = 8 on h1"]
    assert len((tmp_path / "service.log").read_text().splitlines()) == 3


def test_operations(fab: Fab, tmp_path: Path) -> None:
    done = fab("operate3", "--role", "web", "--role", "db", "-P", "0", "uptime")
    assert sorted(said(done)) == [f"[{host}] up since {host}" for host in ("h0", "h1", "h2")]
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [["h0", "ok"], ["h1", "ok"], ["h2", "ok"]]
    assert said(fab("operate3", "--role", "db", "dump", "--name", "shop")) == ["h2: 3 lines"]
    assert (tmp_path / "dumps" / "h2-shop.sql.gz").exists()
    assert said(fab("operate3", "versions")) == ["h0 Linux", "h1 Linux", "h2 Linux"]
    assert said(fab("operate3", "-H", "h2", "copy-to", "h0")) == ["3"]
    done = fab("operate3", "-H", "h0,dead", "-P", "0", "uptime")
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == "1 of 2 hosts failed"


def test_a_deployment_with_fabric_1(fab: Fab, tmp_path: Path) -> None:
    said(fab("deploy1", "-H", "h0,h1", "deploy:1.0"))
    said(fab("deploy1", "-H", "h0,h1", "deploy:version=1.1"))
    assert os.readlink(tmp_path / "srv" / "h1" / "current") == "releases/1.1"
    done = fab("deploy1", "-H", "h0", "deploy:1.1")
    assert done.returncode == 1 and "version 1.1 is there already" in done.stderr
    (tmp_path / "app" / "broken").touch()
    done = fab("deploy1", "-H", "h0", "deploy:1.2")
    assert done.returncode == 1 and "does not pass its own check" in done.stderr
    assert "h0: back from 1.1 to 1.0" in said(fab("deploy1", "-H", "h0", "rollback"))
    assert os.readlink(tmp_path / "srv" / "h0" / "current") == "releases/1.0"


def test_provisioning_with_fabric_1(fab: Fab, tmp_path: Path) -> None:
    lines = said(fab("provision1", "-H", "h0,h1", "provision:workers=8"))
    assert "h0: restart app by root for h0" in lines and "h1: restart app by root for h1" in lines
    assert (tmp_path / "etc" / "h1" / "app.conf").read_text() == "workers = 8 on h1\n"
    assert (tmp_path / "etc" / "h1" / "hosts").read_text() == "10.0.0.1 db\n10.0.0.2 cache\n"
    lines = [line for line in said(fab("provision1", "-H", "h0", "status")) if line]
    assert lines == ["[h0] Executing task 'status'", "[h0] out: 2", "True", "Done."]


def test_operations_with_fabric_1(fab: Fab, tmp_path: Path) -> None:
    lines = said(fab("operate1", "uptime"))
    assert {"[h0] out: up since h0", "[h1] out: up since h1"} <= set(lines)
    assert "h2: 3 lines" in said(fab("operate1", "dump:shop"))
    assert (tmp_path / "dumps" / "h2-shop.sql").read_text().startswith("-- shop")
    assert [line for line in said(fab("operate1", "report")) if "says" in line] == [
        "h0 says up since h0",
        "h1 says up since h1",
    ]
