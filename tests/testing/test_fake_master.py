"""The real ssh takes the fake master for a real one; and what a test wants said is said, byte for byte."""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openssh_core._wire import channels, requests
from openssh_core._wire import mux as wire
from openssh_core._wire.frames import MAX_FRAME, FrameSplitter, frame
from openssh_core.testing import FakeMaster, FakeServer, HangUp, assert_nothing_left, snapshot
from openssh_core.testing.fake_master import HELLO

Master = Callable[..., FakeMaster]


@pytest.fixture
def make_master() -> Iterator[Master]:
    """Make fake masters; each leaves nothing behind, neither thread nor file nor process."""
    before = snapshot()
    made: list[FakeMaster] = []

    def make(**named: object) -> FakeMaster:
        made.append(FakeMaster(**named))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for master in made:
        master.close()
        master.close()
        assert not os.path.exists(master.path)
        assert not os.path.exists(os.path.dirname(master.path))
    assert_nothing_left(before)


def command(master: FakeMaster, *words: str) -> list[str]:
    # Where the master refuses, ssh would log in by itself.
    return ["ssh", "-F", "none", "-S", master.path, "-o", "ControlMaster=no", "-o", "ProxyCommand=false", *words]


def run_ssh(master: FakeMaster, *words: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(master, *words), input=text, capture_output=True, timeout=60)


def start_ssh(master: FakeMaster, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command(master, *words), stdin=stdin, stdout=pipe, stderr=pipe)


class Connection:
    """A client of the test's own."""

    def __init__(self, master: FakeMaster) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(master.path)
        self._splitter = FrameSplitter()
        self._bodies: list[bytes] = []

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, *messages: wire.Hello | wire.Request) -> None:
        self.sock.sendall(b"".join(frame(message.encode()) for message in messages))

    def send_on_link(self, *messages: channels.Message) -> None:
        assert not any(isinstance(message, channels.Ignored) for message in messages)
        self.sock.sendall(b"".join(frame(b"\0" + message.encode()) for message in messages))  # type: ignore[union-attr]

    def body(self) -> bytes | None:
        """The next body, None at the end of the connection."""
        while not self._bodies:
            try:
                data = self.sock.recv(65_536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._bodies += [bytes(body) for body in self._splitter.feed(data)]
        return self._bodies.pop(0)

    def reply(self) -> wire.Hello | wire.Reply | None:
        body = self.body()
        return None if body is None else wire.decode_reply(body)

    def message(self) -> channels.Message | None:
        body = self.body()
        return None if body is None else channels.decode(body[1:])

    def greet(self) -> None:
        self.send(wire.Hello())
        assert self.reply() == wire.Hello()

    def link(self) -> None:
        self.greet()
        self.send(wire.Proxy(1))
        assert self.reply() == wire.ProxyReady(1)

    def open_channel(self, number: int) -> int:
        """Open a channel; the server's number for it."""
        self.send_on_link(channels.ChannelOpen("session", number, 100_000, 32_768))
        answer = self.message()
        assert isinstance(answer, channels.OpenConfirmation) and answer.recipient == number
        return answer.sender


# ---- for the real ssh


def test_ssh_finds_it_alive(make_master: Master) -> None:
    master = make_master(pid=4242)
    done = run_ssh(master, "-O", "check", "nowhere")
    assert done.returncode == 0
    assert b"Master running (pid=4242)" in done.stderr
    assert [type(request) for request in master.received] == [wire.AliveCheck]


def test_ssh_runs_a_command_through_it(make_master: Master) -> None:
    done = run_ssh(make_master(), "nowhere", "cat; echo err >&2; exit 3", text=b"hello")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"hello", b"err\n")


def test_ssh_does_not_learn_of_a_death_by_signal(make_master: Master) -> None:
    assert run_ssh(make_master(), "nowhere", "kill -9 $$").returncode == 255


def test_ssh_is_refused(make_master: Master) -> None:
    refusal = {wire.NewSession: lambda request: wire.Failure(request.request_id, "Session open refused by peer")}
    done = run_ssh(make_master(script=refusal), "nowhere", "echo hi")
    assert done.returncode == 255
    assert b"Session open refused by peer" in done.stderr
    assert done.stdout == b""


def test_ssh_has_it_end(make_master: Master) -> None:
    master = make_master()
    assert run_ssh(master, "-O", "exit", "nowhere").returncode == 0
    master.wait_for(lambda: not os.path.exists(master.path))
    assert run_ssh(master, "-O", "check", "nowhere").returncode == 255


def test_ssh_has_it_stop(make_master: Master) -> None:
    master = make_master()
    assert run_ssh(master, "-O", "stop", "nowhere").returncode == 0
    assert not os.path.exists(master.path)


def test_ssh_asks_it_for_forwards(make_master: Master) -> None:
    master = make_master()
    assert run_ssh(master, "-O", "forward", "-L", "8080:db:5432", "nowhere").returncode == 0
    done = run_ssh(master, "-O", "forward", "-R", "0:db:5432", "nowhere")
    assert (done.returncode, done.stdout.strip()) == (0, str(40_000 + master.received[-1].request_id).encode())
    assert run_ssh(master, "-O", "cancel", "-L", "8080:db:5432", "nowhere").returncode == 0
    assert [type(request) for request in master.received if not isinstance(request, wire.AliveCheck)] == [
        wire.OpenForward,
        wire.OpenForward,
        wire.CloseForward,
    ]


def test_ssh_is_refused_a_stdio_forward(make_master: Master) -> None:
    done = run_ssh(make_master(), "-W", "db:5432", "nowhere")
    assert done.returncode == 255


def test_ssh_speaks_with_the_server_behind_it(make_master: Master) -> None:
    """With `-O proxy` ssh itself is the client of a proxy connection."""
    master = make_master()
    done = run_ssh(master, "-O", "proxy", "nowhere", "cat; echo err >&2; exit 3", text=b"x" * 300_000)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"x" * 300_000, b"err\n")
    (server,) = master.servers
    assert [type(message) for message in server.received][:2] == [channels.ChannelOpen, channels.ChannelRequest]


# ---- what it says


@pytest.mark.parametrize(
    "hello",
    [
        HELLO,
        frame(bytes.fromhex("00000001 00000004 00000004 696e666f 00000001 30")),
        frame(wire.Hello(5).encode()),
        HELLO + HELLO,
        b"rubbish",
    ],
)
def test_its_hello_is_what_the_test_wants(make_master: Master, hello: bytes) -> None:
    with Connection(make_master(hello=hello)) as client:
        assert client.sock.recv(1000) == hello


def test_it_can_keep_silent(make_master: Master) -> None:
    master = make_master(hello=b"")
    with Connection(master) as client:
        client.send(wire.Hello(), wire.AliveCheck(1))
        assert client.reply() == wire.Alive(1, os.getpid()), "no hello before"


def test_no_answer_is_an_answer_too(make_master: Master) -> None:
    master = make_master(script={wire.AliveCheck: None})
    with Connection(master) as client:
        client.greet()
        client.send(wire.AliveCheck(1), wire.StopListening(2))
        assert client.reply() == wire.Ok(2)


def test_several_answers_go_in_one_piece(make_master: Master) -> None:
    answer = [wire.Ok(1), b"\0\0\0\4raw!", HangUp()]
    with Connection(make_master(script={wire.AliveCheck: answer})) as client:
        client.greet()
        client.send(wire.AliveCheck(1))
        assert client.sock.recv(1000) == frame(wire.Ok(1).encode()) + b"\0\0\0\4raw!"
        assert client.sock.recv(1000) == b""


def test_descriptors_of_a_scripted_session_are_the_tests(make_master: Master) -> None:
    master = make_master(script={wire.NewSession: lambda request: wire.SessionOpened(request.request_id, 7)})
    with start_ssh(master, "nowhere", "ignored", stdin=subprocess.PIPE) as process:
        master.wait_for(lambda: master.descriptors)
        ((stdin, stdout, stderr),) = master.descriptors
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"in")
        process.stdin.flush()
        assert select.select([stdin], [], [], 30)[0]
        assert stdin.read(10) == b"in"
        stdout.write(b"out")
        stderr.write(b"err")
        assert process.stdout.read(3) == b"out"
        assert process.stderr.read(3) == b"err"
        master.hang_up()
        assert process.wait(60) == 255
        assert process.stdout.read() == b"", "they are closed with the connection"


def test_a_session_may_be_opened_and_ended_in_one_piece(make_master: Master) -> None:
    def at_once(request: wire.NewSession) -> list[wire.Reply]:
        return [wire.SessionOpened(request.request_id, 7), wire.ExitMessage(7, 5)]

    master = make_master(script={wire.NewSession: lambda request: [*at_once(request), HangUp()]})
    assert run_ssh(master, "nowhere", "ignored").returncode == 5


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        frame(wire.AliveCheck(1).encode()),
        frame(wire.Hello(3).encode()),
        HELLO + HELLO,
        HELLO + b"\0\0\0\0",
        HELLO + (MAX_FRAME + 1).to_bytes(4, "big"),
        HELLO + frame(b"\x20\0\0\x01\0\0\0\1"),
        HELLO + frame(wire.NewSession(1, b"x").encode()) + b"\0",
    ],
    ids=["nothing", "no hello", "version 3", "hello twice", "empty", "too long", "unknown", "no descriptor"],
)
def test_who_is_no_client_is_hung_up_on_and_nobody_else(make_master: Master, stream: bytes) -> None:
    master = make_master()
    with Connection(master) as other, Connection(master) as client:
        other.greet()
        client.sock.sendall(stream)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.reply() == wire.Hello()
        assert client.reply() is None
        other.send(wire.AliveCheck(1))
        assert other.reply() == wire.Alive(1, os.getpid())
    master.wait_for(lambda: (master.connections, master.gone) == (2, 2))


def test_it_can_be_killed_and_come_back(make_master: Master) -> None:
    master = make_master()
    with Connection(master) as client:
        client.greet()
        master.hang_up()
        assert client.reply() is None
    with Connection(master) as client:
        client.greet()


def test_a_path_of_the_tests_own(make_master: Master, tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    with FakeMaster(path) as master:
        assert master.path == path
        assert run_ssh(master, "-O", "check", "nowhere").returncode == 0
        assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == []


def test_a_path_that_cannot_be_leaves_nothing(make_master: Master, tmp_path: Path) -> None:
    before = snapshot()
    with pytest.raises(OSError, match="No such file"):
        FakeMaster(str(tmp_path / "missing" / "m"))
    assert_nothing_left(before)


def test_what_never_comes_true_is_said(make_master: Master) -> None:
    with pytest.raises(AssertionError, match="never came true"):
        make_master().wait_for(lambda: False, timeout=0)


def test_it_ends_though_a_session_goes_on(make_master: Master) -> None:
    master = make_master()
    with start_ssh(master, "nowhere", "echo on; exec sleep 1000") as process:
        assert process.stdout and process.stdout.readline() == b"on\n"
        master.close()
        assert process.wait(60) == 255


# ---- the server behind it


def test_the_server_numbers_its_channels_unlike_the_client(make_master: Master) -> None:
    with Connection(make_master()) as client:
        client.link()
        assert [client.open_channel(0), client.open_channel(1)] == [4_000_000, 3_999_993]


def test_the_server_runs_a_command(make_master: Master) -> None:
    with Connection(make_master()) as client:
        client.link()
        there = client.open_channel(3)
        client.send_on_link(
            channels.ChannelRequest(there, "env", True, requests.env("GREETING", "hello")),
            channels.ChannelRequest(there, "exec", True, requests.exec_command(b"cat; echo $GREETING; exit 3")),
        )
        assert client.message() == channels.RequestSuccess(3)
        assert client.message() == channels.WindowAdjust(3, 2 * 2**20)
        assert client.message() == channels.RequestSuccess(3)
        client.send_on_link(channels.Data(there, b"in "), channels.Eof(there))
        output, rest = b"", []
        while not isinstance(message := client.message(), channels.Close):
            if isinstance(message, channels.Data):
                output += bytes(message.data)
            elif not isinstance(message, channels.WindowAdjust):
                rest.append(message)
        assert output == b"in hello\n"
        assert rest == [channels.ChannelRequest(3, "exit-status", False, b"\0\0\0\3"), channels.Eof(3)]
        client.send_on_link(channels.Close(there))


def test_the_server_sends_no_more_than_the_window(make_master: Master) -> None:
    with Connection(make_master()) as client:
        client.link()
        client.send_on_link(channels.ChannelOpen("session", 0, 10, 4))
        opened = client.message()
        assert isinstance(opened, channels.OpenConfirmation)
        there = opened.sender
        client.send_on_link(
            channels.ChannelRequest(there, "exec", True, requests.exec_command(b"echo 0123456789abcdef"))
        )
        assert isinstance(client.message(), channels.WindowAdjust)
        assert client.message() == channels.RequestSuccess(0)
        pieces = [client.message() for _ in range(3)]
        assert pieces == [channels.Data(0, b"0123"), channels.Data(0, b"4567"), channels.Data(0, b"89")]
        client.send_on_link(channels.WindowAdjust(there, 100))
        assert client.message() == channels.Data(0, b"abcd")


def test_the_server_passes_signals(make_master: Master) -> None:
    with Connection(make_master()) as client:
        client.link()
        there = client.open_channel(0)
        client.send_on_link(channels.ChannelRequest(there, "exec", True, requests.exec_command(b"exec sleep 1000")))
        assert isinstance(client.message(), channels.WindowAdjust)
        assert client.message() == channels.RequestSuccess(0)
        client.send_on_link(
            channels.ChannelRequest(there, "signal", True, requests.signal("NONESUCH")),
            channels.ChannelRequest(there, "signal", True, requests.signal("TERM")),
        )
        assert client.message() == channels.RequestFailure(0)
        assert client.message() == channels.RequestSuccess(0)
        ended = client.message()
        assert isinstance(ended, channels.ChannelRequest) and ended.name == "exit-signal"
        assert requests.ExitSignal.decode(ended.payload) == requests.ExitSignal("TERM")


def test_the_server_refuses_what_it_does_not_allow(make_master: Master) -> None:
    class Strict(FakeServer):
        max_sessions = 1
        accepts = frozenset({"A"})
        signals = False

    master = make_master(server=Strict)
    with Connection(master) as client:
        client.link()
        there = client.open_channel(0)
        client.send_on_link(
            channels.ChannelOpen("session", 1, 100, 100),
            channels.ChannelRequest(there, "env", True, requests.env("A", "1")),
            channels.ChannelRequest(there, "env", True, requests.env("B", "1")),
            channels.ChannelRequest(there, "subsystem", True, requests.subsystem("sftp")),
            channels.ChannelRequest(there, "signal", True, requests.signal("TERM")),
        )
        assert client.message() == channels.OpenFailure(1, 2, "open failed")
        assert [client.message() for _ in range(4)] == [
            channels.RequestSuccess(0),
            channels.RequestFailure(0),
            channels.RequestFailure(0),
            channels.RequestFailure(0),
        ]
        (server,) = master.servers
        assert server.channels[there].variables == {"A": "1"}
        assert len(server.received) == 6


def test_the_server_says_whatever_the_test_wants(make_master: Master) -> None:
    master = make_master()
    with Connection(master) as client:
        client.link()
        client.open_channel(0)
        server = master.wait_for(lambda: master.servers)[0]
        (channel,) = server.channels.values()
        channel.data(bytes(200_000))
        channel.request("keepalive@openssh.com", want_reply=True)
        server.send(channels.Eof(99))
        server.send(b"\0\0\0\3raw")
        channel.close()
        channel.close()
        assert client.message() == channels.Data(0, bytes(200_000))
        assert client.message() == channels.ChannelRequest(0, "keepalive@openssh.com", True)
        assert client.message() == channels.Eof(99)
        assert client.body() == b"raw"
        assert client.message() == channels.Close(0)


def test_the_server_drops_who_speaks_of_a_channel_that_is_not_there(make_master: Master) -> None:
    with Connection(make_master()) as client:
        client.link()
        client.send_on_link(channels.Eof(0))
        assert client.body() is None


def test_the_server_ends_though_a_program_runs(make_master: Master) -> None:
    master = make_master()
    with Connection(master) as client:
        client.link()
        there = client.open_channel(0)
        client.send_on_link(
            channels.ChannelRequest(there, "exec", True, requests.exec_command(b"echo on; exec sleep 1000"))
        )
        while client.message() != channels.Data(0, b"on\n"):
            pass
        master.close()
        assert client.body() is None


def test_a_program_whose_channel_is_closed_loses_its_pipes(make_master: Master) -> None:
    master = make_master()
    with Connection(master) as client:
        client.link()
        there = client.open_channel(0)
        client.send_on_link(channels.ChannelRequest(there, "exec", True, requests.exec_command(b"exec cat")))
        assert isinstance(client.message(), channels.WindowAdjust)
        assert client.message() == channels.RequestSuccess(0)
        client.send_on_link(channels.Close(there))
        assert client.message() == channels.Close(0)
        assert client.open_channel(1) != there
