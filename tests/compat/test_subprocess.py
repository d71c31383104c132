"""subprocess here and on a host: the same calls, the same answers; and where they differ on purpose."""

from __future__ import annotations

# what shell=True does is what is tested
import errno
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


@pytest.fixture(scope="module")
def shared(loopback_server: LoopbackServer) -> Iterator[subprocess.Remote]:
    """The same, for tests that do it no harm."""
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        yield subprocess.on(host)


@pytest.fixture(params=["original", "ours"])
def sp(request: pytest.FixtureRequest) -> Any:
    """subprocess, or the adapter bound to a host."""
    return local if request.param == "original" else request.getfixturevalue("shared")


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
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        sp.run(["true"], nonsense=1)
    with pytest.raises(TypeError, match="multiple values for argument 'bufsize'"):
        sp.run(["true"], -1, bufsize=0)
    with pytest.raises(TypeError):
        sp.run(["true"], *[None] * 17)


def test_arguments_by_position(sp: Any) -> None:
    nothing = (None, sp.PIPE, None, None, True, True, "/", {"A": "b"}, True)
    assert sp.run("pwd; echo $A", -1, None, None, *nothing[1:]).stdout == "/\nb\n"


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


# ---- how it starts


@pytest.mark.parametrize(
    ("args", "error", "filename"),
    [
        (["no-such-program-anywhere", "x"], FileNotFoundError, "no-such-program-anywhere"),
        (["/no/such/program"], FileNotFoundError, "/no/such/program"),
        ("no such program", FileNotFoundError, "no such program"),
        (["/etc/passwd"], PermissionError, "/etc/passwd"),
        (["/etc"], PermissionError, "/etc"),
        (["/etc/passwd/x"], NotADirectoryError, "/etc/passwd/x"),
        (["if"], FileNotFoundError, "if"),
    ],
)
def test_a_program_that_is_not_there(sp: Any, args: Any, error: type[OSError], filename: str) -> None:
    for function in (sp.Popen, sp.run, sp.call, sp.check_output):
        with pytest.raises(error) as caught:
            function(args)
        assert (caught.value.filename, type(caught.value)) == (filename, error)


@pytest.mark.parametrize(
    ("cwd", "error"),
    [("/no/such/place", FileNotFoundError), ("/etc/passwd", NotADirectoryError), ("", FileNotFoundError)],
)
def test_a_directory_that_is_not_there(sp: Any, cwd: str, error: type[OSError]) -> None:
    for function in (sp.Popen, sp.run):
        with pytest.raises(error) as caught:
            function(["true"], cwd=cwd)
        assert caught.value.filename == cwd


def test_another_executable(sp: Any, tmp_path: Path) -> None:
    command = "echo $0; tr '\\0' ' ' </proc/$$/cmdline"
    with sp.Popen(["other name", "-c", command, "zero"], executable="/bin/sh", stdout=sp.PIPE) as process:
        assert process.communicate()[0] == f"zero\nother name -c {command} zero ".encode()
    assert sp.check_output("echo $BASH", shell=True, executable="/bin/bash").endswith(b"bash\n")
    with pytest.raises(FileNotFoundError) as caught:
        sp.Popen(["true"], executable="/no/such")
    assert caught.value.filename == "/no/such"
    with pytest.raises(TypeError):
        sp.run(tmp_path, shell=True)


def test_a_mask_and_ids(sp: Any) -> None:
    assert sp.check_output("umask", shell=True, umask=0o27) == b"0027\n"
    me = {"user": os.geteuid(), "group": os.getegid()}
    assert sp.check_output("id -u; id -g", shell=True, **me).split() == [b"%d" % number for number in me.values()]
    with pytest.raises(ValueError, match="-1"):
        sp.run(["true"], user=-1)
    with pytest.raises(KeyError, match="name not found"):
        sp.run(["true"], user="no-such-user-anywhere")
    if os.geteuid() == 0:
        who = {"user": "nobody", "group": "nogroup", "extra_groups": ["daemon", 33]}
        assert sp.check_output(["id", "-u"], **who) == b"65534\n"
        assert sorted(sp.check_output(["id", "-G"], **who).split()) == [b"1", b"33", b"65534"]


@pytest.mark.parametrize("restore", [False, True])
def test_signals_that_python_ignores(sp: Any, restore: bool) -> None:
    done = sp.run("kill -PIPE $$; echo alive", shell=True, stdout=sp.PIPE, restore_signals=restore)
    assert (done.returncode, done.stdout) == ((-signal.SIGPIPE, b"") if restore else (0, b"alive\n"))


def test_a_group_of_its_own(sp: Any) -> None:
    for options in ({"start_new_session": True}, {} if sys.version_info < (3, 11) else {"process_group": 0}):
        with sp.Popen(["sh", "-c", "ps -o pgid= -p $$"], stdout=sp.PIPE, **options) as process:
            assert int(process.communicate()[0]) == process.pid


def test_output_of_one_is_input_of_another(sp: Any) -> None:
    with sp.Popen(["printf", "c\\na\\nb\\n"], stdout=sp.PIPE) as first:
        with sp.Popen(["sort"], stdin=first.stdout, stdout=sp.PIPE) as second:
            first.stdout.close()
            with local.Popen(["tr", "a-z", "A-Z"], stdin=second.stdout, stdout=sp.PIPE) as third:
                second.stdout.close()
                assert third.communicate()[0] == b"A\nB\nC\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_reader_that_has_enough(sp: Any) -> None:
    with sp.Popen(["yes"], stdout=sp.PIPE) as first:
        with sp.Popen(["head", "-n", "1"], stdin=first.stdout, stdout=sp.PIPE) as second:
            first.stdout.close()
            assert second.communicate()[0] == b"y\n"
    assert first.returncode == -signal.SIGPIPE


def test_output_of_the_shell_as_text(sp: Any) -> None:
    assert sp.getoutput("echo a; echo b >&2") == "a\nb"
    assert sp.getstatusoutput("echo 'a\n'; exit 3") == (3, "a\n")
    assert sp.getstatusoutput("kill -9 $$")[0] == -9


def test_an_argument_that_no_kernel_takes(sp: Any) -> None:
    with pytest.raises(OSError, match="Argument list too long") as caught:
        sp.run(["true", "x" * 200_000])
    assert caught.value.errno == errno.E2BIG


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


def test_without_the_handshake_the_remote_shell_says_it(remote: subprocess.Remote) -> None:
    done = remote.run(["no-such-program-anywhere"], capture_output=True, text=True, handshake=False)
    assert done.returncode == 127
    assert "no-such-program-anywhere" in done.stderr
    done = remote.run(["echo", "not here"], cwd="/no/such/directory", capture_output=True, handshake=False)
    assert (done.returncode, done.stdout) == (127, b"")


def test_a_process_of_another_machine_has_its_process_id(remote: subprocess.Remote) -> None:
    with remote.Popen(["sh", "-c", "echo $$; ps -o pgid= -p $$"], stdout=remote.PIPE) as process:
        assert process.communicate()[0].split() == [b"%d" % process.pid] * 2


def test_the_environment_is_that_of_a_login(remote: subprocess.Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY_HERE", "x")
    assert remote.check_output("echo ${ONLY_HERE-none}", shell=True) == b"none\n"
    assert remote.check_output("echo $EXTRA $LOGNAME", shell=True, extra_env={"EXTRA": "y"}).startswith(b"y ")


def test_a_program_with_an_equals_sign_in_its_name(remote: subprocess.Remote, tmp_path: Path) -> None:
    program = tmp_path / "a=b"
    program.write_text("#!/bin/sh\necho $X $1\n")
    program.chmod(0o755)
    assert remote.check_output([program, "arg"], env={"X": "x"}) == b"x arg\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preexec_fn", print),
        ("startupinfo", object()),
        ("creationflags", 1),
        ("pass_fds", [3]),
        ("process_group", 1),
    ],
)
def test_arguments_that_are_not_supported_are_named(remote: subprocess.Remote, name: str, value: Any) -> None:
    for function in (remote.run, remote.Popen):
        with pytest.raises(ValueError, match=rf"Popen\({name}=\.\.\.\) is not supported"):
            function(["true"], **{name: value})  # type: ignore[operator]


def test_arguments_there_is_nothing_to_do_for(remote: subprocess.Remote) -> None:
    named = {"close_fds": False, "restore_signals": False, "start_new_session": True, "pipesize": 4096}
    assert remote.call(["true"], **named) == 0


def test_the_whole_surface_is_there(remote: subprocess.Remote) -> None:
    for name in local.__all__:
        assert getattr(remote, name) and getattr(subprocess, name)
    for name in ("CalledProcessError", "CompletedProcess", "SubprocessError", "TimeoutExpired", "PIPE", "list2cmdline"):
        assert getattr(remote, name) is getattr(subprocess, name) is getattr(local, name)
    for module in (remote, subprocess):
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            module.nonsense  # noqa: B018


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
    with pytest.raises(subprocess.ConnectionLost) as caught:
        process.wait()
    assert process.returncode is None
    assert isinstance(caught.value, openssh_core.ConnectionLost) and isinstance(caught.value, local.SubprocessError)


def test_a_lost_connection_does_not_pass_for_success(remote: subprocess.Remote) -> None:
    with pytest.raises(subprocess.ConnectionLost):
        with remote.Popen(["sleep", "600"]):
            os.kill(remote.connection.master_pid, signal.SIGKILL)


def test_a_lost_connection_loses_no_output(remote: subprocess.Remote) -> None:
    with pytest.raises(subprocess.ConnectionLost) as caught:
        with remote.Popen("echo so far; exec sleep 600", shell=True, stdout=remote.PIPE) as process:
            with pytest.raises(local.TimeoutExpired):
                process.communicate(timeout=0.2)
            os.kill(remote.connection.master_pid, signal.SIGKILL)
            process.communicate()
    assert (caught.value.stdout, caught.value.stderr) == (b"so far\n", None)
