"""subprocess here and on a host: the same calls, the same answers; and where they differ on purpose."""

from __future__ import annotations

# what shell=True does is what is tested
import os
import select
import signal
import subprocess as local
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import openssh_core
from openssh_compat import subprocess
from openssh_core.testing import LoopbackServer


@pytest.fixture
def remote(loopback_server: LoopbackServer) -> Iterator[subprocess.Remote]:
    """The module, bound to a host."""
    with subprocess.on(**loopback_server.connect_options()) as remote:
        yield remote


@pytest.fixture(params=["original", "ours"])
def sp(request: pytest.FixtureRequest) -> Any:
    """subprocess, or the adapter bound to a host."""
    return local if request.param == "original" else request.getfixturevalue("remote")


# ---- run


def test_bytes_and_text(sp: Any) -> None:
    done = sp.run(["printf", "a\\r\\nb"], capture_output=True)
    assert (done.args, done.returncode, done.stdout, done.stderr) == (["printf", "a\\r\\nb"], 0, b"a\r\nb", b"")
    assert sp.run(["printf", "a\\r\\nb"], stdout=sp.PIPE, text=True).stdout == "a\nb"
    assert sp.run(["printf", "\\344"], stdout=sp.PIPE, encoding="latin-1").stdout == "ä"
    assert sp.run(["printf", "\\377"], stdout=sp.PIPE, errors="replace").stdout == "\ufffd"
    assert sp.run(["printf", "x"], stdout=sp.PIPE, universal_newlines=True).stdout == "x"
    assert isinstance(done, local.CompletedProcess)


def test_words_arrive_as_they_are(sp: Any, tmp_path: Path) -> None:
    words = ["a  b", "$HOME", "'", '"', "*", "\\", "", "-n", "ä\n", "`id`"]
    data = sp.run(["printf", "%s\\0", *words], stdout=sp.PIPE).stdout
    assert data.decode().split("\0")[:-1] == words
    assert sp.run(["printf", b"%s", b"\xff"], stdout=sp.PIPE).stdout == b"\xff"
    assert sp.run(["ls", tmp_path], stdout=sp.PIPE).returncode == 0


def test_a_command_of_the_shell(sp: Any) -> None:
    assert sp.run("echo a  b | tr a-z A-Z; exit 3", shell=True, stdout=sp.PIPE, text=True).stdout == "A B\n"
    assert sp.run(["echo $0 $1", "zero", "one"], shell=True, stdout=sp.PIPE).stdout == b"zero one\n"
    assert sp.run("exit 3", shell=True).returncode == 3


def test_a_single_word(sp: Any) -> None:
    assert sp.run("true").returncode == 0
    assert sp.run(Path("/bin/true")).returncode == 0


def test_input(sp: Any) -> None:
    assert sp.run(["cat"], input=b"\xff\n", stdout=sp.PIPE).stdout == b"\xff\n"
    assert sp.run(["cat"], input="ä\n", stdout=sp.PIPE, text=True).stdout == "ä\n"
    assert sp.run(["cat"], stdin=sp.DEVNULL, stdout=sp.PIPE).stdout == b""
    assert sp.run(["cat"], stdin=sp.PIPE, stdout=sp.PIPE).stdout == b""
    assert sp.run(["true"], input=bytes(1_000_000)).returncode == 0


def test_files(sp: Any, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"from a file")
    with open(tmp_path / "in", "rb") as source, open(tmp_path / "out", "wb") as target:
        assert sp.run("cat; echo err >&2", shell=True, stdin=source, stdout=target, stderr=sp.STDOUT).stdout is None
    assert (tmp_path / "out").read_bytes() == b"from a fileerr\n"


def test_stderr_with_stdout(sp: Any) -> None:
    done = sp.run("echo one; echo two >&2; echo three", shell=True, stdout=sp.PIPE, stderr=sp.STDOUT)
    assert (done.stdout, done.stderr) == (b"one\ntwo\nthree\n", None)


def test_output_that_nobody_wants(sp: Any) -> None:
    assert sp.run("echo x; echo y >&2", shell=True, stdout=sp.DEVNULL, stderr=sp.DEVNULL).stdout is None


def test_a_directory(sp: Any, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    assert sp.check_output(["pwd"], cwd=tmp_path / "a b", text=True) == f"{tmp_path}/a b\n"


def test_an_environment_replaces_all(sp: Any) -> None:
    env = {"A": "1 '2'", "B_C": "$A", "PATH": os.environ["PATH"]}
    lines = sp.check_output(["env"], env=env, text=True).splitlines()
    assert sorted(lines) == sorted(f"{name}={value}" for name, value in env.items())
    assert sp.check_output("echo $A", shell=True, env={"A": "x"}) == b"x\n"
    with pytest.raises(ValueError, match="illegal environment variable name"):
        sp.run(["true"], env={"A=B": "x"})


def test_death_by_a_signal(sp: Any) -> None:
    assert sp.run("kill -9 $$", shell=True).returncode == -signal.SIGKILL


# ---- failures


def test_check(sp: Any) -> None:
    with pytest.raises(local.CalledProcessError) as caught:
        sp.run("echo out; echo err >&2; exit 3", shell=True, check=True, capture_output=True, text=True)
    error = caught.value
    assert (error.returncode, error.cmd) == (3, "echo out; echo err >&2; exit 3")
    assert (error.output, error.stdout, error.stderr) == ("out\n", "out\n", "err\n")


def test_a_command_that_takes_too_long(sp: Any) -> None:
    with pytest.raises(local.TimeoutExpired) as caught:
        sp.run("echo begun; exec sleep 600", shell=True, stdout=sp.PIPE, text=True, timeout=0.5)
    error = caught.value
    assert (error.cmd, error.timeout, error.output, error.stderr) == (
        "echo begun; exec sleep 600",
        0.5,
        b"begun\n",
        None,
    )


def test_the_short_forms(sp: Any) -> None:
    assert sp.call(["false"]) == 1
    assert sp.check_call(["true"]) == 0
    assert sp.check_output(["cat"], input="x", text=True) == "x"
    assert sp.check_output(["cat"], input=None) == b""
    for function, words in ((sp.check_call, ["false"]), (sp.check_output, "false")):
        with pytest.raises(local.CalledProcessError):
            function(words)
    with pytest.raises(local.TimeoutExpired):
        sp.call(["sleep", "600"], timeout=0.1)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("run", {"input": b"", "stdin": local.PIPE}),
        ("run", {"capture_output": True, "stdout": local.PIPE}),
        ("check_output", {"stdout": local.PIPE}),
        ("check_output", {"check": True}),
    ],
)
def test_arguments_that_contradict_each_other(sp: Any, function: str, arguments: dict[str, Any]) -> None:
    # Before Python 3.11 `check` was a TypeError.
    with pytest.raises((ValueError, TypeError)):
        getattr(sp, function)(["true"], **arguments)


def test_arguments_that_make_no_sense(sp: Any) -> None:
    with pytest.raises(local.SubprocessError):
        sp.run(["true"], text=True, universal_newlines=False)
    with pytest.raises(IndexError):
        sp.run([])
    with pytest.raises(ValueError, match=r"(?i)null|NUL"):
        sp.run(["echo", "a\0b"])
    with pytest.raises(TypeError):
        sp.run(["true"], nonsense=1)


# ---- Popen


def test_pipes(sp: Any) -> None:
    with sp.Popen(["cat"], stdin=sp.PIPE, stdout=sp.PIPE) as process:
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 60)[0] == [process.stdout]
        assert process.stdout.readline() == b"one\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.read() == b""
    assert (process.returncode, process.args, process.stderr) == (0, ["cat"], None)


def test_pipes_of_text_by_lines(sp: Any) -> None:
    with sp.Popen(["cat"], 1, None, sp.PIPE, sp.PIPE, text=True) as process:
        process.stdin.write("eine längere Zeile\n")
        assert process.stdout.readline() == "eine längere Zeile\n"


def test_communicate(sp: Any) -> None:
    process = sp.Popen("cat; echo err >&2", shell=True, stdin=sp.PIPE, stdout=sp.PIPE, stderr=sp.PIPE, text=True)
    process.stdin.write("first ")
    assert process.communicate("second") == ("first second", "err\n")
    assert (process.returncode, process.stdin.closed, process.stdout.closed) == (0, True, True)
    with sp.Popen(["true"], stdin=sp.PIPE) as process:
        assert process.communicate(bytes(1_000_000)) == (None, None)


def test_communicate_that_takes_too_long_can_go_on(sp: Any) -> None:
    command = "echo begun; exec sleep 600"
    with sp.Popen(command, shell=True, stdin=sp.PIPE, stdout=sp.PIPE) as process:
        assert process.stdout.read(6) == b"begun\n"
        with pytest.raises(local.TimeoutExpired) as caught:
            process.communicate(timeout=0.1)
        assert (caught.value.cmd, caught.value.output) == (command, None)
        with pytest.raises(ValueError, match="Cannot send input"):
            process.communicate(b"late")
        process.terminate()
        assert process.communicate() == (b"", None)


@pytest.mark.parametrize(("method", "number"), [("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)])
def test_ending_it(sp: Any, method: str, number: int) -> None:
    with sp.Popen(["sleep", "600"]) as process:
        with pytest.raises(local.TimeoutExpired):
            process.wait(timeout=0.05)
        getattr(process, method)()
        assert process.wait(60) == -number
        getattr(process, method)()
    assert repr(process).startswith(f"<Popen: returncode: {-number} args: ['sleep', '600']")


def test_a_signal_of_ones_choice(sp: Any) -> None:
    command = "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.02; done"
    with sp.Popen(["/bin/sh", "-c", command], stdout=sp.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.read() == "caught\n"
    assert process.returncode == 9


def test_it_can_be_a_type(sp: Any) -> None:
    assert sp.Popen[bytes] is not None
    with sp.Popen(["true"]) as process:
        assert isinstance(process, sp.Popen)


# ---- what this program's own streams are


PROGRAM = """
import sys
if {ours}:
    from openssh_compat import subprocess
    sp = subprocess.on(**{options!r})
else:
    import subprocess as sp
print("before", flush=True)
sp.run("read line; echo got $line; echo err >&2", shell=True)
if {ours}:
    sp.close()
"""


@pytest.mark.parametrize("ours", [False, True], ids=["original", "ours"])
def test_streams_are_inherited(ours: bool, loopback_server: LoopbackServer) -> None:
    program = PROGRAM.format(ours=ours, options=loopback_server.connect_options())
    done = local.run([sys.executable, "-c", program], input=b"input\n", capture_output=True, env=dict(os.environ))
    assert (done.stdout, done.stderr) == (b"before\ngot input\nerr\n".replace(b"err\n", b""), b"err\n")


def test_a_program_without_stdin(loopback_server: LoopbackServer) -> None:
    program = PROGRAM.format(ours=True, options=loopback_server.connect_options())
    done = local.run([sys.executable, "-c", f"import os; os.close(0)\n{program}"], capture_output=True)
    assert done.stdout == b"before\ngot\n"


# ---- differences


def test_a_program_that_does_not_exist_is_status_127(remote: subprocess.Remote) -> None:
    done = remote.run(["no-such-program-anywhere"], capture_output=True, text=True)
    assert done.returncode == 127
    assert "no-such-program-anywhere" in done.stderr


def test_a_directory_that_does_not_exist_is_a_failure(remote: subprocess.Remote) -> None:
    done = remote.run(["echo", "not here"], cwd="/no/such/directory", capture_output=True)
    assert done.returncode != 0 and done.stdout == b"" and b"/no/such/directory" in done.stderr


def test_a_program_with_an_equals_sign_in_its_name(remote: subprocess.Remote, tmp_path: Path) -> None:
    program = tmp_path / "a=b"
    program.write_text("#!/bin/sh\necho $X $1\n")
    program.chmod(0o755)
    assert remote.check_output([program, "arg"], env={"X": "x"}) == b"x arg\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("executable", "/bin/sh"),
        ("preexec_fn", print),
        ("startupinfo", object()),
        ("creationflags", 1),
        ("pass_fds", [3]),
        ("user", "nobody"),
        ("group", "nogroup"),
        ("extra_groups", []),
        ("umask", 0o022),
        ("process_group", 0),
    ],
)
def test_arguments_that_are_not_supported_are_named(remote: subprocess.Remote, name: str, value: Any) -> None:
    for function in (remote.run, remote.Popen):
        with pytest.raises(ValueError, match=rf"Popen\({name}=\.\.\.\) is not supported"):
            function(["true"], **{name: value})  # type: ignore[operator]


def test_arguments_there_is_nothing_to_do_for(remote: subprocess.Remote) -> None:
    named = {"close_fds": False, "restore_signals": False, "start_new_session": True, "pipesize": 4096}
    assert remote.call(["true"], **named) == 0


def test_names_that_are_not_there_yet(remote: subprocess.Remote) -> None:
    with pytest.raises(AttributeError, match="no subprocess.getoutput yet"):
        remote.getoutput  # noqa: B018
    with pytest.raises(AttributeError, match=r"subprocess\.on\(host\)\.run"):
        subprocess.run  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        subprocess.nonsense  # noqa: B018
    with pytest.raises(TypeError, match="needs a host"):
        subprocess.Popen(["true"])


def test_over_a_connection_that_is_there(loopback_server: LoopbackServer) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        with subprocess.on(host) as remote:
            assert remote.check_output(["echo", "shared"]) == b"shared\n"
            assert remote.connection is host
        assert host.run("true").returncode == 0
        with pytest.raises(TypeError, match="port"):
            subprocess.on(host, port=22)


def test_a_connection_of_its_own_is_closed(loopback_server: LoopbackServer, until: Callable[..., Any]) -> None:
    with subprocess.on(**loopback_server.connect_options()) as remote:
        pid = remote.connection.master_pid
    remote.close()
    until(lambda: not os.path.exists(f"/proc/{pid}"))
    with pytest.raises(openssh_core.ConnectionClosed):
        remote.run(["true"])


def test_a_lost_connection_is_no_exit_status(remote: subprocess.Remote) -> None:
    process = remote.Popen(["sleep", "600"])
    os.kill(remote.connection.master_pid, signal.SIGKILL)
    with pytest.raises(openssh_core.ConnectionLost):
        process.wait()
    assert process.returncode is None
