"""Task files of fabric 1. There is no fabric 1 for this Python to compare with: what is expected is what its
documentation says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openssh_core.testing import LoopbackServer

pytest.importorskip("invoke", reason="invoke is not installed: the adapter stands on it")

from openssh_compat.fabric import api  # after the check
from openssh_compat.fabric.contrib import files, project
from openssh_compat.fabric.network import disconnect_all
from openssh_compat.fabric.v1.choice import is_for_fabric_1
from openssh_compat.fabric.v1.program import parse_task
from openssh_compat.fabric.v1.state import own_environment


@pytest.fixture
def config(loopback_server: LoopbackServer, tmp_path: Path) -> Path:
    """An ssh_config in which h0 to h3 are the server, and `dead` is nobody."""
    text = loopback_server.ssh_config.read_text().splitlines()
    lines = ["Host h0 h1 h2 h3" if line.startswith("Host ") else line for line in text]
    path = tmp_path / "ssh_config"
    path.write_text("\n".join([*lines, "Host dead", "  HostName 127.0.0.1", "  Port 1", ""]))
    return path


@pytest.fixture
def env(config: Path) -> Iterator[Any]:
    """Settings of this test's own, on host h0. Its shell reads no start-up files: they are slow on some machines."""
    with own_environment():
        api.env.update(
            use_ssh_config=True,
            ssh_config_path=str(config),
            host_string="h0",
            shell="/bin/sh -c",
            abort_on_prompts=True,
            abort_exception=RuntimeError,
        )
        yield api.env
        disconnect_all()


# ---- run


def test_a_result(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = api.run("echo out; echo err >&2", pty=False, combine_stderr=False)
    assert (result, result.stdout, result.stderr, result.return_code) == ("out", "out", "err", 0)
    assert (result.succeeded, result.failed, result.command) == (True, False, "echo out; echo err >&2")
    assert capsys.readouterr().out == "[h0] run: echo out; echo err >&2\n[h0] out: out\n"


def test_with_a_terminal_everything_is_in_one(env: Any) -> None:
    assert api.run("tty >/dev/null && echo yes; echo err >&2").splitlines() == ["yes", "err"]


def test_a_failure_ends_it(env: Any) -> None:
    with pytest.raises(RuntimeError, match=r"run\(\) received nonzero return code 3"):
        api.run("exit 3")
    env.abort_exception = None
    with pytest.raises(SystemExit) as caught:
        api.run("exit 3")
    assert caught.value.code == 1


def test_a_failure_may_be_taken_lightly(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with api.settings(warn_only=True):
        result = api.run("exit 3")
    assert (result.failed, result.return_code) == (True, 3)
    assert "Warning: run() received nonzero return code 3" in capsys.readouterr().err
    assert api.run("exit 4", quiet=True).return_code == 4
    assert capsys.readouterr() == ("", "")
    env.ok_ret_codes = [0, 5]
    assert api.run("exit 5").succeeded


def test_directories_prefixes_paths_and_variables(env: Any, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    with api.cd(tmp_path), api.cd("a b"), api.prefix("X=1"), api.shell_env(Y="y  z"), api.path("/some where"):
        told = api.run('pwd; echo $X; echo "$Y"; echo "$PATH"', pty=False).splitlines()
    assert told[:3] == [f"{tmp_path}/a b", "1", "y  z"]
    assert told[3].endswith(":/some where")
    assert (env.cwd, env.command_prefixes, env.shell_env, env.path) == ("", [], {}, "")


def test_a_command_that_takes_too_long(env: Any, until: Callable[..., Any]) -> None:
    nap = f"sleep {10**6 + int.from_bytes(os.urandom(3), 'big')}"
    with pytest.raises(api.CommandTimeout):
        api.run(f"{nap}; true", timeout=0.3)
    until(lambda: subprocess.run(["pgrep", "-f", f"^{nap}$"], capture_output=True).returncode == 1)


def test_prompts_are_answered(env: Any) -> None:
    env.prompts = {"really? ": "yes"}
    assert api.run("printf 'really? '; read x; echo got $x", pty=False).endswith("got yes")


def test_what_stays_in_the_background_does_not_hold_it_up(env: Any, until: Callable[..., Any]) -> None:
    nap = f"sleep {10**6 + int.from_bytes(os.urandom(3), 'big')}"
    assert api.run(f"{nap} & echo out", pty=False) == "out"
    subprocess.run(["pkill", "-f", f"^{nap}$"], check=True)


def test_nobody_there(env: Any) -> None:
    env.host_string = "dead"
    with pytest.raises(api.NetworkError, match="refuses"):
        api.run("true")
    env.host_string = None
    with pytest.raises(RuntimeError, match="no host"):
        api.run("true")


def test_a_shell_on_the_terminal(env: Any, config: Path) -> None:
    """The program has a terminal of its own, which is handed over and given back."""
    pexpect = pytest.importorskip("pexpect")
    program = (
        "from openssh_compat.fabric.api import *; "
        f"env.update(use_ssh_config=True, ssh_config_path={str(config)!r}, host_string='h0'); "
        "open_shell('echo be$((1+1))gin; exec /bin/sh #'); print('gone', 'on')"
    )
    child = pexpect.spawn(sys.executable, ["-c", program], encoding="utf-8", timeout=60)
    child.expect("be2gin")
    child.sendline("echo $((6*7))")
    child.expect("42")
    child.sendline("exit")
    child.expect("gone on")
    child.expect(pexpect.EOF)
    child.close()


# ---- local, settings


def test_local(env: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with api.lcd(tmp_path):
        assert api.local("pwd", capture=True) == str(tmp_path)
    api.local("echo shown")
    assert capfd.readouterr().out.endswith("shown\n")
    with pytest.raises(RuntimeError, match="local"):
        api.local("exit 3")


def test_settings_come_back(env: Any) -> None:
    decorated = api.with_settings(api.hide("running"), user="other", new="value")(lambda: (env.user, env.new))
    for _ in range(2):
        assert decorated() == ("other", "value")
        assert env.user != "other" and "new" not in env and api.output.running


def test_hiding(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with api.hide("running", "stdout"):
        api.run("echo out", pty=False)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="nonsense"):
        api.hide("nonsense")


def test_require(env: Any) -> None:
    api.require("host_string")
    with pytest.raises(RuntimeError, match=r"env\.version"):
        api.require("version", used_for="naming the release", provided_by=[test_require])


def test_asking(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    env.abort_on_prompts = False
    answers = iter(["x", "7", ""])
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))
    assert api.prompt("how many?", key="count", validate=int) == 7 and env.count == 7
    assert api.prompt("where?", default="here") == "here"
    env.abort_on_prompts = True
    with pytest.raises(RuntimeError, match="where"):
        api.prompt("where?")


# ---- execute


def where() -> str:
    return str(api.env.host_string)


def test_a_task_on_its_hosts(env: Any) -> None:
    env.roledefs = {"web": ["h0", "h1"], "db": lambda: ["h2"], "all": {"hosts": ["h0", "h3"]}}
    assert api.execute(where, hosts=["h1", "h2", "h1"]) == {"h1": "h1", "h2": "h2"}
    assert list(api.execute(where, roles=["web", "db"])) == ["h0", "h1", "h2"]
    assert list(api.execute(where, role="all", exclude_hosts=["h0"])) == ["h3"]
    assert list(api.execute(api.hosts("h2", "h3")(where))) == ["h2", "h3"]
    assert list(api.execute(api.roles("db")(where))) == ["h2"]
    assert list(api.execute(api.hosts(["h2"])(where), host="h0")) == ["h0"]
    env.hosts = ["h3"]
    assert list(api.execute(where)) == ["h3"]
    with pytest.raises(RuntimeError, match="'cache'"):
        api.execute(where, role="cache")


def test_at_once(env: Any, tmp_path: Path) -> None:
    def meet() -> str:
        env.only_mine = env.host_string
        here = f"touch {tmp_path}/at-$$; while [ $(ls {tmp_path} | grep -c at-) -lt 3 ]; do sleep 0.05; done"
        api.run(f"{here}; echo {env.host_string}", pty=False)
        return str(env.only_mine)

    assert api.execute(api.parallel(meet), hosts=["h0", "h1", "h2"]) == {"h0": "h0", "h1": "h1", "h2": "h2"}
    assert "only_mine" not in env


def test_one_of_many_fails(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    @api.parallel(pool_size=2)
    def work() -> str:
        if env.host_string == "h1":
            raise KeyError("lost")
        return str(api.run("echo out", pty=False))

    with pytest.raises(RuntimeError, match=r"(?s)h1: KeyError.*|dead") as caught:
        api.execute(work, hosts=["h0", "h1", "dead", "h2"])
    assert "h1" in str(caught.value) and "dead" in str(caught.value) and "h2" not in str(caught.value)
    env.warn_only = True
    assert api.execute(work, hosts=["h0", "h1"]) == {"h0": "out"}


def test_hosts_that_are_not_there_may_be_passed_over(env: Any, capsys: pytest.CaptureFixture[str]) -> None:
    env.skip_bad_hosts = True
    assert api.execute(where, hosts=["dead", "h0"]) == {"h0": "h0"}
    assert "refuses" in capsys.readouterr().err


def test_once(env: Any) -> None:
    calls = []

    @api.runs_once
    def once() -> int:
        calls.append(env.host_string)
        return 7

    assert api.execute(once, hosts=["h0", "h1"]) == {"h0": 7, "h1": 7}
    assert calls == ["h0"]


# ---- contrib


def test_looking_at_files(env: Any, tmp_path: Path) -> None:
    (tmp_path / "a b").write_text("one\nt[w]o.* three\n")
    (tmp_path / "link").symlink_to("nowhere")
    assert files.exists(tmp_path / "a b") and not files.exists(tmp_path / "c")
    assert files.is_link(tmp_path / "link") and not files.is_link(tmp_path / "a b")
    assert files.exists(f"{tmp_path}/a*")
    assert files.first(tmp_path / "c", tmp_path / "a b") == tmp_path / "a b"
    assert files.contains(tmp_path / "a b", "[w]o.*") and not files.contains(tmp_path / "a b", "t.w")
    assert files.contains(tmp_path / "a b", "one", exact=True)
    assert not files.contains(tmp_path / "a b", "t[w]o", exact=True)
    assert files.contains(tmp_path / "a b", "^ON", escape=False, case_sensitive=False)


def test_changing_files(env: Any, tmp_path: Path) -> None:
    path = tmp_path / "a b"
    path.write_text("key = /old\n# Port 22\n")
    files.append(path, ["it's $HOME `x` \\n", "key = /old"])
    files.append(path, "it's $HOME `x` \\n")
    assert path.read_text() == "key = /old\n# Port 22\nit's $HOME `x` \\n\n"
    files.sed(path, "/old", "/new", limit="^key", backup="")
    files.uncomment(path, "Port")
    files.comment(path, "^it", backup="")
    assert path.read_text() == "key = /new\nPort 22\n#it's $HOME `x` \\n\n"
    assert (tmp_path / "a b.bak").exists()


def test_a_directory_by_rsync(env: Any, tmp_path: Path) -> None:
    source = tmp_path / "from here"
    source.mkdir()
    (source / "keep").write_text("x")
    (source / "skip.pyc").write_text("x")
    target = tmp_path / "to there"
    target.mkdir()
    (target / "old").write_text("x")
    result = project.rsync_project(target, f"{source}/", exclude="*.pyc", delete=True, extra_opts="--checksum -u")
    assert result.succeeded and os.listdir(target) == ["keep"]
    back = tmp_path / "back"
    assert project.rsync_project(f"{target}/", back, upload=False, capture=True).succeeded
    assert os.listdir(back) == ["keep"]
    with pytest.raises(RuntimeError, match="ssh_opts"):
        project.rsync_project(target, ssh_opts="-p 3")


# ---- the program

FABFILE = """\
from openssh_compat.fabric.api import *

env.shell = "/bin/sh -c"
env.roledefs = {"web": ["h0", "h1"]}

@task(alias="hello", default=True)
def greet(who="world", *more, **named):
    "Say hello."
    run("echo hello %s %s" % (who, " ".join(sorted(named))), pty=False)

@task
@roles("web")
@parallel
def where():
    return run("echo $$", pty=False)

@task
def fails():
    run("exit 3")

def helper():
    pass
"""


@pytest.fixture
def fab(config: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `fab-openssh` beside the fabfile above."""
    (tmp_path / "fabfile.py").write_text(FABFILE)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "openssh_compat.fabric", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    return run


def test_the_program_sees_which_generation_a_file_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text, expected in (
        ("from fabric.api import run", True),
        ("from openssh_compat.fabric.contrib.files import exists", True),
        ("from openssh_compat.fabric import api", True),
        ("import fabric.contrib.files", True),
        ("from openssh_compat.fabric import task, Connection", False),
        ("from fabric.tasks import task", False),
        ("this is no python", False),
    ):
        (tmp_path / "fabfile.py").write_text(text)
        assert is_for_fabric_1(["task"]) is expected, text
        (tmp_path / "other.py").write_text(text)
        (tmp_path / "fabfile.py").unlink()
        assert is_for_fabric_1(["-f", "other.py", "task"]) is expected, text


def test_tasks_with_arguments(fab: Callable[..., Any], config: Path) -> None:
    words = ["--ssh-config-path", str(config), "-H", "h0,h1"]
    done = fab(*words, "hello:you,a=b\\,c")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if " out: " in line]
    assert lines == ["[h0] out: hello you a", "[h1] out: hello you a"]
    assert "[h3] out: hello x" in fab("--ssh-config-path", str(config), "greet:x,host=h3").stdout


def test_roles_at_once(fab: Callable[..., Any], config: Path) -> None:
    done = fab("--ssh-config-path", str(config), "where")
    assert {line.split()[0] for line in done.stdout.splitlines() if " out: " in line} == {"[h0]", "[h1]"}


def test_the_status_of_the_program(fab: Callable[..., Any], config: Path) -> None:
    words = ["--ssh-config-path", str(config), "-H", "h0"]
    done = fab(*words, "fails")
    assert done.returncode == 1 and "nonzero return code 3" in done.stderr
    assert fab(*words, "-w", "fails").returncode == 0
    assert fab("--ssh-config-path", str(config), "-H", "dead", "greet").returncode == 1


def test_the_lists_of_tasks(fab: Callable[..., Any]) -> None:
    assert fab("--shortlist").stdout.split() == ["fails", "greet", "hello", "where"]
    assert "greet  Say hello." in fab("-l").stdout
    done = fab("nonsense")
    assert done.returncode == 1 and "nonsense" in done.stderr


def test_a_command_without_a_task_and_a_password_in_sight(fab: Callable[..., Any], config: Path) -> None:
    done = fab("--ssh-config-path", str(config), "-H", "h0", "-s", "/bin/sh -c", "--", "echo", "plain")
    assert "[h0] out: plain" in done.stdout
    done = fab("-p", "secret", "-H", "h0", "greet")
    assert done.returncode == 1 and "-I" in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a", ("a", [], {}, {})),
        ("a:b,c=d", ("a", ["b"], {"c": "d"}, {})),
        ("a:x\\,y,k=1=2", ("a", ["x,y"], {"k": "1=2"}, {})),
        ("a:hosts=h1;h2,role=web", ("a", [], {}, {"hosts": ["h1", "h2"], "role": "web"})),
    ],
)
def test_what_is_typed(word: str, expected: Any) -> None:
    assert parse_task(word) == expected
