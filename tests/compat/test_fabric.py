"""fabric and the adapter: the same tasks do the same; and where they differ on purpose."""

from __future__ import annotations

import gc
import io
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_core.testing import LoopbackServer, known_hosts_line, known_hosts_name, shared_key

invoke = pytest.importorskip("invoke", reason="invoke is not installed: fabric and the adapter stand on it")


@pytest.fixture
def make(fabric: Any, loopback_server: LoopbackServer) -> Iterator[Callable[..., Any]]:
    """Make connections to the server: `make(**Connection's arguments)`; they are closed with the test."""
    made = []

    def connection(host: str = "loopback", run: dict[str, Any] | None = None, **named: Any) -> Any:
        # Under pytest there is no stdin that could be read.
        overrides = {"run": {"in_stream": False, **(run or {})}, "ssh_config_path": str(loopback_server.ssh_config)}
        made.append(fabric.Connection(host, config=fabric.Config(overrides=overrides), **named))
        return made[-1]

    yield connection
    for one in made:
        one.close()


@pytest.fixture
def c(make: Callable[..., Any]) -> Any:
    """A connection."""
    return make()


# ---- run


def test_a_result(c: Any) -> None:
    result = c.run("echo out; echo err >&2", hide=True)
    assert (result.stdout, result.stderr, result.command) == ("out\n", "err\n", "echo out; echo err >&2")
    assert (result.exited, result.return_code, result.ok, result.failed, bool(result)) == (0, 0, True, False, True)
    assert (result.connection, result.pty) == (c, False)
    assert set(result.hide) == {"stdout", "stderr"}


def test_output_is_shown_as_it_comes(c: Any, capsys: pytest.CaptureFixture[str]) -> None:
    c.run("echo out; echo err >&2")
    assert capsys.readouterr() == ("out\n", "err\n")
    c.run("echo out; echo err >&2", hide="stderr", echo=True, echo_format="$ {command}")
    assert capsys.readouterr() == ("$ echo out; echo err >&2\nout\n", "")
    out, err = io.StringIO(), io.StringIO()
    c.run("echo out; echo err >&2", out_stream=out, err_stream=err)
    assert (out.getvalue(), err.getvalue(), *capsys.readouterr()) == ("out\n", "err\n", "", "")


def test_a_failure(c: Any) -> None:
    with pytest.raises(invoke.UnexpectedExit) as caught:
        c.run("echo out; exit 3", hide=True)
    assert (caught.value.result.exited, caught.value.result.stdout) == (3, "out\n")
    result = c.run("exit 3", warn=True)
    assert (result.exited, result.ok, result.failed, bool(result)) == (3, False, True, False)


def test_variables(c: Any) -> None:
    assert c.run("echo $A $B", hide=True, env={"A": "1", "B": 2}).stdout == "1 2\n"


def test_variables_of_this_machine_stay_here(c: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_OF_THIS_MACHINE", "x")
    assert c.run("echo $LC_OF_THIS_MACHINE", hide=True).stdout == "\n"


def test_directories_and_prefixes(c: Any, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    with c.cd(str(tmp_path)), c.cd("a b"), c.prefix("X=1"):
        assert c.run("pwd; echo $X", hide=True).stdout == f"{tmp_path}/a b\n1\n"
    assert c.cwd == ""


def test_a_terminal(c: Any) -> None:
    result = c.run("echo $TERM; tty >/dev/null && echo yes; echo err >&2", pty=True, hide=True)
    assert (result.stdout, result.stderr, result.pty) == ("vt100\r\nyes\r\nerr\r\n", "", True)


def test_input_and_answers(c: Any) -> None:
    assert c.run("read x; echo got $x", hide=True, in_stream=io.StringIO("input\n")).stdout == "got input\n"
    watcher = invoke.Responder(pattern=r"really\? ", response="yes\n")
    result = c.run("printf 'really? '; read x; echo $x", hide=True, watchers=[watcher])
    assert result.stdout == "really? yes\n"


def test_an_answer_that_is_not_accepted(c: Any) -> None:
    watcher = invoke.FailingResponder(pattern=r"really\? ", response="yes\n", sentinel="no!")
    with pytest.raises(invoke.Failure) as caught:
        c.run("printf 'really? '; read x; echo no!; sleep 1", hide=True, watchers=[watcher])
    assert isinstance(caught.value.reason, invoke.ResponseNotAccepted)


def test_not_waiting(c: Any) -> None:
    with c.run("read x; echo later", hide=True, asynchronous=True, in_stream=io.StringIO("go\n")) as promise:
        pass
    assert promise.join().stdout == "later\n"


def test_not_running(c: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = c.run("exit 1", dry=True, echo_format="$ {command}")
    assert (result.ok, c.is_connected, capsys.readouterr().out.strip()) == (True, True, "$ exit 1")


def test_a_shell_of_ones_choice_is_for_local_commands(c: Any) -> None:
    result = c.run("echo out", hide=True, shell="/bin/none")
    assert (result.stdout, result.shell) == ("out\n", "/bin/none")


def test_a_command_that_is_left_alone(c: Any, tmp_path: Path, until: Callable[..., Any]) -> None:
    done = tmp_path / "done"
    assert c.run(f"cd {tmp_path}; echo $A >it; mv it done", disown=True, env={"A": "x"}) is None
    until(done.exists)
    assert done.read_text() == "x\n"


def test_another_encoding(c: Any) -> None:
    assert c.run("printf '\\344'", hide=True, encoding="latin-1").stdout == "ä"
    assert c.run("printf '\\377'", hide=True, encoding="utf-8").stdout == "\ufffd"


def test_much_output(c: Any) -> None:
    result = c.run("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", hide=True)
    assert (len(result.stdout), len(result.stderr)) == (3_000_000, 3_000_000)


def test_arguments_that_make_no_sense(c: Any) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        c.run("true", nonsense=1)


def test_on_this_machine(c: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        assert c.local("echo $0", hide=True, in_stream=False).ok
        # invoke leaves the pipes of a local command to the garbage collector.
        gc.collect()
    assert not c.is_connected


# ---- the connection


def test_it_connects_when_it_is_needed(make: Callable[..., Any]) -> None:
    with make() as c:
        assert not c.is_connected
        assert c.run("true").ok and c.is_connected
        assert c.transport is c.client.get_transport()
    assert not c.is_connected
    assert c.run("true").ok
    c.close()
    c.close()


def test_what_ssh_config_says(make: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    c = make()
    facts = (c.original_host, c.host, c.user, c.port)
    assert facts == ("loopback", loopback_server.host, loopback_server.user, loopback_server.port)
    assert c.ssh_config["hostname"] == loopback_server.host


@pytest.mark.parametrize(
    ("host", "facts"),
    [
        ("name", ("name", None, 22)),
        ("me@name", ("name", "me", 22)),
        ("name:2222", ("name", None, 2222)),
        ("me@name:2222", ("name", "me", 2222)),
        ("me@example.com@name", ("name", "me@example.com", 22)),
        ("me@::1", ("::1", "me", 22)),
    ],
)
def test_shorthand(fabric: Any, host: str, facts: tuple[Any, ...]) -> None:
    config = fabric.Config(overrides={"load_ssh_configs": False, "user": "configured"})
    c = fabric.Connection(host, config=config)
    assert (c.host, c.user, c.port) == (facts[0], facts[1] or "configured", facts[2])


def test_the_same_fact_twice(fabric: Any) -> None:
    for named in ({"user": "you"}, {"port": 22}):
        with pytest.raises(ValueError, match=next(iter(named))):
            fabric.Connection("me@name:2222", **named)


def test_connections_can_be_compared(fabric: Any) -> None:
    a, again, b = (fabric.Connection(host, user="me", port=22) for host in ("a", "a", "b"))
    assert a == again and a != b and a < b
    assert {a: 1}[again] == 1
    assert repr(a).startswith("<Connection host=a user=me")


def test_arguments_for_the_login(make: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    where = f"{loopback_server.user}@{loopback_server.host}:{loopback_server.port}"
    kwargs = {"key_filename": str(loopback_server.key), "allow_agent": False, "look_for_keys": False}
    assert make(where, connect_kwargs=kwargs, connect_timeout=30).run("echo in", hide=True).stdout == "in\n"
    with pytest.raises(ValueError, match="port"):
        make(where, connect_kwargs={"port": 1}).open()


def test_a_login_that_fails(
    fabric: Any, make: Callable[..., Any], loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    module = "paramiko" if fabric.__name__ == "fabric" else "openssh_compat.paramiko"
    ssh_exception = pytest.importorskip(f"{module}.ssh_exception")
    key = str(shared_key("stranger").write(tmp_path / "key"))
    kwargs = {"key_filename": key, "allow_agent": False, "look_for_keys": False}
    where = f"{loopback_server.user}@{loopback_server.host}:{loopback_server.port}"
    with pytest.raises(ssh_exception.AuthenticationException):
        make(where, connect_kwargs=kwargs).run("true")


def test_a_shell(c: Any) -> None:
    result = c.shell(in_stream=io.StringIO("echo $((6*7)); tty >/dev/null && echo on one; exit 0\n"))
    assert "42\r\non one\r\n" in result.stdout
    assert (result.exited, result.stderr, result.pty, result.command) == (0, "", True, None)
    with pytest.raises(TypeError, match="hide"):
        c.shell(hide=True)


def test_a_shell_that_ends_badly_is_no_error(own: Any) -> None:
    assert own.shell(in_stream=io.StringIO("exit 3\n")).exited == 3


@pytest.fixture
def agent(loopback_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An agent with one key; the key's line."""
    path = f"/tmp/oc-agent-{os.urandom(6).hex()}"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        subprocess.run(["ssh-add", "-q", str(loopback_server.key)], stdin=subprocess.DEVNULL, check=True)
        yield " ".join(Path(f"{loopback_server.key}.pub").read_text().split()[:2])
        process.kill()
    Path(path).unlink(missing_ok=True)


def test_the_agent_on_the_host(make: Callable[..., Any], loopback_server: LoopbackServer, agent: str) -> None:
    where = f"{loopback_server.user}@{loopback_server.host}:{loopback_server.port}"
    with make(where, forward_agent=True) as c:
        assert c.forward_agent
        assert c.run("ssh-add -L", hide=True).stdout.startswith(agent)
    with make(where, forward_agent=False) as c:
        assert c.run("echo none$SSH_AUTH_SOCK", hide=True).stdout == "none\n"


# ---- from fabric 1

V1 = {
    "always_use_pty": True,
    "forward_agent": False,
    "gateway": None,
    "host_string": "me@name:2222",
    "key_filename": "id",
    "no_agent": True,
    "password": "secret",
    "port": "22",
    "ssh_config_path": None,
    "sudo_password": None,
    "sudo_prompt": "sudo password:",
    "timeout": 7,
    "use_ssh_config": False,
    "user": "other",
    "warn_only": True,
}


class V1Env(dict[str, Any]):
    __getattr__ = dict.__getitem__


def test_a_configuration_from_fabric_1(fabric: Any) -> None:
    config = fabric.Config.from_v1(V1Env(V1), overrides={"timeouts": {"connect": 3}})
    assert (config.run.pty, config.run.warn, config.load_ssh_configs) == (True, True, False)
    assert (config.sudo.password, config.sudo.prompt, config.timeouts.connect) == ("secret", "sudo password:", 3)
    assert dict(config.connect_kwargs) == {"allow_agent": False, "key_filename": "id", "password": "secret"}


def test_a_connection_from_fabric_1(fabric: Any) -> None:
    c = fabric.Connection.from_v1(V1Env({**V1, "host_string": "name"}))
    assert (c.host, c.user, c.port, c.connect_timeout) == ("name", "other", 22, 7)
    assert set(c.connect_kwargs["key_filename"]) == {"id"}
    assert fabric.Connection.from_v1(V1Env({**V1, "user": None})).port == 2222
    with pytest.raises(fabric.exceptions.InvalidV1Env):
        fabric.Connection.from_v1(V1Env({**V1, "host_string": ""}))


def test_which_keys_a_login_is_made_with(fabric: Any, tmp_path: Path) -> None:
    (tmp_path / "from_ssh").touch()
    (tmp_path / "ssh_config").write_text(f"Host name\n  IdentityFile {tmp_path}/from_ssh\n")
    overrides = {"ssh_config_path": str(tmp_path / "ssh_config"), "connect_kwargs": {"key_filename": ["by_i"]}}
    c = fabric.Connection("name", config=fabric.Config(overrides=overrides), connect_kwargs={"key_filename": "own"})
    login = c.resolve_connect_kwargs({"key_filename": "own", "password": "secret"})
    assert login == {"key_filename": ["by_i", "own", f"{tmp_path}/from_ssh"], "password": "secret"}


# ---- forwards


@pytest.fixture
def shouting() -> Iterator[int]:
    """The port of a server that gives back what it gets, in capitals."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(self.request.recv(100).upper())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(60)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def ask(port: int, until: Callable[..., Any]) -> bytes:
    """Say something to a port. fabric's may not listen yet when it says that it does."""

    def connected() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), 30)
        except ConnectionRefusedError:
            return None

    with until(connected) as sock:
        sock.sendall(b"hello")
        answer: bytes = sock.recv(100)
        return answer


def test_a_local_forward(c: Any, shouting: int, until: Callable[..., Any]) -> None:
    port = free_port()
    with c.forward_local(port, remote_port=shouting, remote_host="127.0.0.1", local_host="127.0.0.1"):
        assert ask(port, until) == b"HELLO"


def test_a_remote_forward(c: Any, shouting: int, until: Callable[..., Any]) -> None:
    port = free_port()
    with c.forward_remote(port, local_port=shouting, local_host="127.0.0.1"):
        assert ask(port, until) == b"HELLO"


# ---- gateways


def sessions_of(server: LoopbackServer) -> int:
    return server.log.count("Accepted publickey")


def test_through_another_connection(make: Callable[..., Any], make_server: Callable[..., LoopbackServer]) -> None:
    bastion = make_server()
    jump = make(f"{bastion.user}@{bastion.host}:{bastion.port}", connect_kwargs={"key_filename": str(bastion.key)})
    with make(gateway=jump) as c:
        assert c.run("echo $SSH_CONNECTION", hide=True).ok
        assert jump.is_connected and "gw=proxyjump" in repr(c)
    assert sessions_of(bastion) == 1 and "direct-tcpip" not in repr(jump)


def test_no_gateway_whatever_ssh_config_says(fabric: Any, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    (tmp_path / "ssh_config").write_text(loopback_server.ssh_config.read_text() + "\n  ProxyCommand false\n")
    config = fabric.Config(overrides={"run": {"in_stream": False}, "ssh_config_path": str(tmp_path / "ssh_config")})
    with fabric.Connection("loopback", config=config, gateway=False) as c:
        assert c.run("echo out", hide=True).stdout == "out\n"


def test_a_session_of_ones_own(c: Any) -> None:
    channel = c.create_session()
    channel.exec_command("echo out; exit 3")
    assert (channel.recv(100), channel.recv_exit_status()) == (b"out\n", 3)
    channel.close()


# ---- tasks

TASKS = """
from {module} import Connection, task


@task
def prepare(c):
    print("prepare", type(c).__name__)


@task(pre=[prepare])
def kernel(c, times=1):
    "What runs there."
    for _ in range(times):
        print(c.run("uname -s", hide=True).stdout.strip(), c.original_host, flush=True)


@task(hosts=["loopback", {{"host": "loopback", "user": "root"}}])
def everywhere(c):
    print("on", c.original_host)


@task
def fails(c):
    c.run("echo why; exit 7", hide=True)
"""


@pytest.fixture
def fab(fabric: Any, loopback_server: LoopbackServer, tmp_path: Path) -> Callable[..., Any]:
    """Run the program over the tasks above."""
    (tmp_path / "fabfile.py").write_text(TASKS.format(module=fabric.__name__))
    program = ["-c", "from fabric.main import program; program.run()"] if fabric.__name__ == "fabric" else None
    command = [sys.executable, *(program or ["-m", "openssh_compat.fabric"])]

    def run(*words: str) -> Any:
        options = ["-S", str(loopback_server.ssh_config)]
        return subprocess.run(
            [*command, *options, *words], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    return run


def test_a_task_on_hosts(fab: Callable[..., Any]) -> None:
    done = fab("-H", "loopback,root@loopback", "kernel", "--times", "2")
    assert (done.stdout, done.stderr) == ("prepare Context\n" + "Linux loopback\n" * 4, "")


def test_a_task_that_knows_its_hosts(fab: Callable[..., Any]) -> None:
    assert fab("everywhere").stdout == "on loopback\non loopback\n"
    assert fab("-H", "other", "everywhere").stdout == "on other\n"


def test_the_list_of_tasks(fab: Callable[..., Any]) -> None:
    words = fab("-l").stdout.split()
    assert {"kernel", "everywhere", "fails", "What"} <= set(words)


def test_a_task_that_fails(fab: Callable[..., Any]) -> None:
    done = fab("-H", "loopback", "fails")
    assert done.returncode == 7
    assert "Encountered a bad command exit code!" in done.stderr


def test_a_command_without_a_task(fab: Callable[..., Any]) -> None:
    assert fab("-H", "loopback", "--", "echo one two").stdout == "one two\n"
    assert fab("--", "echo one two").returncode == 1


def test_a_key_on_the_command_line(fab: Callable[..., Any], loopback_server: LoopbackServer) -> None:
    where = f"{loopback_server.user}@{loopback_server.host}:{loopback_server.port}"
    done = fab("-i", str(loopback_server.key), "-t", "30", "-H", where, "--", "echo in")
    assert done.stdout == "in\n"


# ---- differences


@pytest.fixture
def ours() -> Any:
    return pytest.importorskip("openssh_compat.fabric")


@pytest.fixture
def own(ours: Any, loopback_server: LoopbackServer) -> Iterator[Any]:
    config = ours.Config(overrides={"run": {"in_stream": False}, "ssh_config_path": str(loopback_server.ssh_config)})
    with ours.Connection("loopback", config=config) as c:
        yield c


def test_variables_are_quoted(own: Any) -> None:
    assert own.run("echo $A", hide=True, env={"A": "it's; $HOME"}).stdout == "it's; $HOME\n"


def test_death_by_a_signal_tells_which(own: Any) -> None:
    assert own.run("kill -9 $$", warn=True).exited == -9


def test_a_command_that_takes_too_long(own: Any) -> None:
    """fabric says UnexpectedExit when the command ends before its timer's thread has."""
    with pytest.raises(invoke.CommandTimedOut) as caught:
        own.run("echo begun; exec sleep 600", hide=True, timeout=0.5)
    assert (caught.value.timeout, caught.value.result.stdout) == (0.5, "begun\n")


def test_a_command_that_took_too_long_is_gone(own: Any, tmp_path: Path, until: Callable[..., Any]) -> None:
    with pytest.raises(invoke.CommandTimedOut):
        own.run(f"echo $$ > {tmp_path}/pid; exec sleep 600", timeout=0.5)
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_ctrl_c_reaches_the_command(ours: Any, own: Any, tmp_path: Path, until: Callable[..., Any]) -> None:
    class Interrupted(ours.Remote):  # type: ignore[misc]
        def wait(self) -> None:
            until((tmp_path / "begun").exists)
            raise KeyboardInterrupt

    own.config.runners.remote = Interrupted
    with pytest.raises(KeyboardInterrupt):
        own.run(f"cd {tmp_path}; trap 'touch caught; exit 1' INT; touch begun; while :; do sleep 0.02; done")
    assert (tmp_path / "caught").exists()


def test_a_lost_connection_is_no_exit_status(own: Any) -> None:
    promise = own.run("sleep 600", asynchronous=True)
    os.kill(own.core.master_pid, signal.SIGKILL)
    with pytest.raises(openssh_core.ConnectionLost):
        promise.join()


def test_an_unknown_host_is_accepted_and_not_recorded(
    ours: Any, loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.touch()
    assert connection(ours, loopback_server, tmp_path, known).run("echo in", hide=True).stdout == "in\n"
    assert known.read_text() == ""


def test_an_unknown_host_is_refused_where_ssh_config_says_so(
    ours: Any, loopback_server: LoopbackServer, tmp_path: Path
) -> None:
    (known := tmp_path / "known_hosts").touch()
    with pytest.raises(Exception, match="not found in known_hosts"):
        connection(ours, loopback_server, tmp_path, known, "StrictHostKeyChecking yes").open()


def test_host_keys_can_be_chosen(ours: Any, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    (known := tmp_path / "known_hosts").touch()
    c = connection(ours, loopback_server, tmp_path, known)
    c.config.host_keys = "strict"
    with pytest.raises(Exception, match="not found in known_hosts"):
        c.open()
    c.config.host_keys = "accept-new"
    assert c.run("true").ok
    assert loopback_server.host_key.blob in known.read_text()


def test_a_changed_host_key_is_refused(ours: Any, loopback_server: LoopbackServer, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    name = known_hosts_name(loopback_server.host, loopback_server.port)
    known.write_text(known_hosts_line(name, shared_key("impostor").public) + "\n")
    with pytest.raises(Exception, match="does not match"):
        connection(ours, loopback_server, tmp_path, known).run("true")


def connection(ours: Any, server: LoopbackServer, folder: Path, known_hosts: Path, *lines: str) -> Any:
    """A connection by a configuration with another known_hosts file, and more lines."""
    text = server.ssh_config.read_text().replace(str(server.known_hosts), str(known_hosts))
    text = "\n".join(line for line in text.splitlines() if "StrictHostKeyChecking" not in line)
    (folder / "ssh_config").write_text(text + "\n" + "\n".join(f"  {line}" for line in lines) + "\n")
    overrides = {"run": {"in_stream": False}, "ssh_config_path": str(folder / "ssh_config")}
    return ours.Connection("loopback", config=ours.Config(overrides=overrides))


def test_what_is_left_alone_outlives_the_connection_and_does_not_hold_it_up(
    own: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    own.run(f"echo output; while ! test -e {go}; do sleep 0.02; done; echo more && touch {done}", disown=True, pty=True)
    own.close()
    go.touch()
    until(done.exists)


def test_from_a_running_task_of_fabric_1(ours: Any, own: Any, loopback_server: LoopbackServer) -> None:
    from openssh_compat.fabric.api import env, settings

    named = {"host_string": "loopback", "use_ssh_config": True, "ssh_config_path": str(loopback_server.ssh_config)}
    with settings(**named, always_use_pty=False), ours.Connection.from_v1(env) as c:
        assert c.run("echo out", hide=True, in_stream=False).stdout == "out\n"
    with settings(**named, key_filename="id", password="secret"):
        c = ours.Connection.from_v1(env)
        assert (c.connect_kwargs["key_filename"], c.connect_kwargs["password"]) == (["id"], "secret")
    with settings(**named, gateway="me@bastion"):
        c = ours.Connection.from_v1(env)
        assert (c.gateway.original_host, c.gateway.user, c.gateway.gateway) == ("bastion", "me", None)


def test_a_local_forward_listens_at_once(own: Any, shouting: int) -> None:
    with own.forward_local(port := free_port(), shouting, "127.0.0.1", "127.0.0.1"):
        with socket.create_connection(("127.0.0.1", port), 30) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"X"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 30)


def test_through_a_proxy_command(ours: Any, loopback_server: LoopbackServer) -> None:
    config = ours.Config(overrides={"run": {"in_stream": False}, "ssh_config_path": str(loopback_server.ssh_config)})
    with ours.Connection("loopback", config=config, gateway="nc %h %p") as c:
        assert c.run("echo out", hide=True).stdout == "out\n"
        assert "gw=proxycommand" in repr(c)


def test_the_core_is_within_reach(own: Any) -> None:
    assert own.core.run("echo", "a  b").stdout == "a  b\n"
