"""A conversation with a master: what is asked and answered, and what a master gets that answers wrongly, or never."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openssh_core._io import control
from openssh_core._io.control import Conversation
from openssh_core._io.deadline import Deadline
from openssh_core._wire import mux as wire
from openssh_core._wire.frames import MAX_FRAME, frame
from openssh_core.errors import (
    ConnectionLost,
    ForwardRefused,
    InsecureControlSocket,
    MasterUnresponsive,
    OpenRefused,
    OpenSSHError,
    RemoteProtocolError,
)
from openssh_core.testing import FakeMaster, HangUp
from openssh_core.testing.fake_master import HELLO

Make = Callable[..., FakeMaster]
Ask = Callable[[Conversation], object]

LOCAL = wire.Forward(wire.FORWARD_LOCAL, "localhost", 8080, "db", 5432)
REMOTE = wire.Forward(wire.FORWARD_REMOTE, "localhost", 0, "db", 5432)
NOBODY = 65_534

# From Python 3.12 on a fork is warned of where there are threads.
forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


def soon() -> Deadline:
    """For what must come."""
    return Deadline.after(30)


def now() -> Deadline:
    """For what never comes."""
    return Deadline.after(0.05)


@pytest.fixture
def converse(make_master: Make) -> Iterator[Callable[..., Conversation]]:
    """Start a conversation with a fake master; its arguments are the master's."""
    started: list[Conversation] = []

    def start(**named: object) -> Conversation:
        started.append(control.greet(make_master(**named).path, soon()))
        return started[-1]

    yield start
    for conversation in started:
        conversation.close()


# ---- the greeting


@pytest.mark.parametrize(
    "hello",
    [
        HELLO,
        frame(bytes.fromhex("00000001 00000004 00000004 696e666f 00000001 30")),
        frame(wire.Hello(4, ((b"\xff\xfe", b""), (b"info", b"9"), (b"info", b"8"))).encode()),
    ],
    ids=["9.2", "10.5", "unknown extensions"],
)
def test_a_master_that_says_hello_can_be_talked_to(converse: Callable[..., Conversation], hello: bytes) -> None:
    conversation = converse(hello=hello, pid=4242)
    assert conversation.peer_pid == os.getpid()
    assert conversation.alive(soon()) == 4242
    assert conversation.alive(soon()) == 4242


def test_a_master_that_never_says_hello(make_master: Make) -> None:
    master = make_master(hello=b"")
    with pytest.raises(MasterUnresponsive, match="does not answer"):
        control.greet(master.path, now())
    master.wait_for(lambda: master.gone == 1)


def test_a_master_that_says_half_of_hello(make_master: Make) -> None:
    with pytest.raises(MasterUnresponsive):
        control.greet(make_master(hello=HELLO[:-1]).path, now())


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (frame(wire.Hello(5).encode()), "speaks mux version 5"),
        (frame(wire.Hello(3).encode()), "speaks mux version 3"),
        (frame(wire.Alive(1, 1).encode()), "before it said hello"),
        (frame(b""), "ends early"),
        (frame(b"\0\0\0\1"), "ends early"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "was announced"),
        (b"HTTP/1.1 400 Bad Request\r\n", "was announced"),
        ((MAX_FRAME + 1).to_bytes(4, "big"), "was announced"),
    ],
)
def test_what_is_no_master_of_our_kind_is_said(make_master: Make, hello: bytes, why: str) -> None:
    master = make_master(hello=hello)
    with pytest.raises(RemoteProtocolError, match=why):
        control.greet(master.path, soon())
    master.wait_for(lambda: master.gone == 1)


def test_a_second_hello_ends_the_conversation(converse: Callable[..., Conversation]) -> None:
    conversation = converse(hello=HELLO + HELLO)
    with pytest.raises(RemoteProtocolError, match="hello twice"):
        conversation.alive(soon())


def test_nobody_listens(clean: None, tmp_path: Path) -> None:
    path = str(tmp_path / "c")
    with pytest.raises(ConnectionLost, match="no control socket"):
        control.greet(path, soon())
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    with pytest.raises(ConnectionLost, match="no master listens"):
        control.greet(path, soon())


@forks
def test_a_master_that_hangs_up_instead_of_greeting(clean: None, tmp_path: Path) -> None:
    path = str(tmp_path / "c")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(MasterUnresponsive):
            control.greet(path, now())
        listener.accept()[0].close()
        child = os.fork()
        if child == 0:
            listener.accept()[0].close()
            os._exit(0)
        with pytest.raises(ConnectionLost):
            control.greet(path, soon())
        os.waitpid(child, 0)


def test_a_master_that_accepts_nobody(clean: None, tmp_path: Path) -> None:
    path = str(tmp_path / "c")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        with pytest.raises(MasterUnresponsive, match="accepts no connection"):
            control.greet(path, now())


def test_what_is_no_socket_is_not_talked_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("file", "link", "."):
        with pytest.raises(InsecureControlSocket, match="is not a socket"):
            control.greet(str(tmp_path / name), soon())


def test_a_link_to_a_socket_is_not_followed(make_master: Make, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(make_master().path)
    with pytest.raises(InsecureControlSocket, match="is not a socket"):
        control.greet(str(tmp_path / "link"), soon())


@as_root
def test_a_socket_of_another_user_is_not_connected_to(make_master: Make) -> None:
    master = make_master()
    os.chown(master.path, NOBODY, NOBODY)
    with pytest.raises(InsecureControlSocket, match=f"belongs to user {NOBODY}"):
        control.greet(master.path, soon())
    assert master.connections == 0


@as_root
@forks
def test_a_listener_of_another_user_gets_not_one_byte(clean: None) -> None:
    """The socket has been made ours, as in a directory that others can write to; who listens cannot hide."""
    before = set(os.listdir("/tmp"))
    path = f"/tmp/fm-{os.getpid()}-{len(before)}"
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(_listen_as_nobody(path, told))
    os.close(told)
    try:
        assert os.read(ready, 1) == b"r"
        os.chown(path, os.geteuid(), os.getegid())
        with pytest.raises(InsecureControlSocket, match=f"process behind .* belongs to user {NOBODY}"):
            control.greet(path, soon())
        assert os.read(ready, 100) == b"heard 0", "what the listener has read"
        assert os.waitpid(child, 0)[1] == 0
    finally:
        os.close(ready)
        os.unlink(path)


def _listen_as_nobody(path: str, told: int) -> int:
    signal.alarm(60)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        os.write(told, b"r")
        sock, _ = listener.accept()
        heard = 0
        while data := sock.recv(100):
            heard += len(data)
        os.write(told, b"heard %d" % heard)
    return 0


# ---- questions and answers


def test_every_question_gets_its_answer(converse: Callable[..., Conversation]) -> None:
    conversation = converse()
    assert conversation.alive(soon()) == os.getpid()
    assert conversation.open_forward(LOCAL, soon()) == 8080
    assert conversation.open_forward(REMOTE, soon()) == 40_003
    conversation.close_forward(LOCAL, soon())
    conversation.stop_listening(soon())
    assert conversation.alive(soon()) == os.getpid()


def test_terminate_is_answered_by_the_end(make_master: Make) -> None:
    master = make_master()
    with control.greet(master.path, soon()) as conversation:
        conversation.terminate(soon())
        assert not os.path.exists(master.path)
    assert master.received == [wire.Terminate(1)]


@pytest.mark.parametrize("answer", [wire.Ok(1), HangUp()], ids=["ok", "the end"])
def test_terminate_may_be_answered_either_way(converse: Callable[..., Conversation], answer: object) -> None:
    converse(script={wire.Terminate: answer}).terminate(soon())


ASK: dict[str, tuple[type[wire.Request], Ask]] = {
    "alive": (wire.AliveCheck, lambda conversation: conversation.alive(soon())),
    "terminate": (wire.Terminate, lambda conversation: conversation.terminate(soon())),
    "stop_listening": (wire.StopListening, lambda conversation: conversation.stop_listening(soon())),
    "open_forward": (wire.OpenForward, lambda conversation: conversation.open_forward(LOCAL, soon())),
    "close_forward": (wire.CloseForward, lambda conversation: conversation.close_forward(LOCAL, soon())),
    "proxy": (wire.Proxy, lambda conversation: conversation.proxy(soon())),
}
every_question = pytest.mark.parametrize("what", ASK)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("alive", RemoteProtocolError),
        ("terminate", RemoteProtocolError),
        ("stop_listening", RemoteProtocolError),
        ("open_forward", ForwardRefused),
        ("close_forward", ForwardRefused),
        ("proxy", OpenRefused),
    ],
)
@pytest.mark.parametrize("refusal", [wire.Failure, wire.PermissionDenied])
def test_a_refusal_has_the_words_of_the_master(
    converse: Callable[..., Conversation],
    what: str,
    error: type[OpenSSHError],
    refusal: type[wire.Failure] | type[wire.PermissionDenied],
) -> None:
    kind, ask = ASK[what]
    conversation = converse(script={kind: lambda request: refusal(request.request_id, "because \x1b")})
    with pytest.raises(error, match="because"):
        ask(conversation)


@every_question
def test_no_answer_in_time(converse: Callable[..., Conversation], what: str) -> None:
    kind, _ = ASK[what]
    conversation = converse(script={kind: None})
    ask: dict[str, Ask] = {
        "alive": lambda conversation: conversation.alive(now()),
        "terminate": lambda conversation: conversation.terminate(now()),
        "stop_listening": lambda conversation: conversation.stop_listening(now()),
        "open_forward": lambda conversation: conversation.open_forward(LOCAL, now()),
        "close_forward": lambda conversation: conversation.close_forward(LOCAL, now()),
        "proxy": lambda conversation: conversation.proxy(now()),
    }
    with pytest.raises(MasterUnresponsive):
        ask[what](conversation)


@every_question
@pytest.mark.parametrize(
    "answer",
    [
        b"\0\0\0\0",
        b"\0\0\0\4\x80\0\0\1",
        frame(wire.Ok(1).encode() + b"\0"),
        frame(b"\x80\0\0\x77" + bytes(4)),
        (MAX_FRAME + 1).to_bytes(4, "big"),
        b"\xff" * 64,
        wire.Ok(2),
        wire.Alive(0xFFFFFFFF, 1),
        HELLO,
    ],
    ids=["empty", "short", "long", "unknown", "huge", "rubbish", "of another question", "of none", "hello"],
)
def test_a_wrong_answer_is_an_error_and_never_a_value(
    converse: Callable[..., Conversation], what: str, answer: wire.Reply | bytes
) -> None:
    kind, ask = ASK[what]
    conversation = converse(script={kind: answer})
    with pytest.raises(RemoteProtocolError):
        ask(conversation)


@pytest.mark.parametrize("what", [what for what in ASK if what != "terminate"])
def test_half_an_answer_and_then_the_end(converse: Callable[..., Conversation], what: str) -> None:
    kind, ask = ASK[what]
    conversation = converse(script={kind: [b"\0\0\0\x08\x80", HangUp()]})
    with pytest.raises(ConnectionLost, match="closed the connection|went away"):
        ask(conversation)


@pytest.mark.parametrize("what", [what for what in ASK if what != "terminate"])
def test_a_master_that_is_killed_meanwhile(make_master: Make, what: str) -> None:
    master = make_master()
    with control.greet(master.path, soon()) as conversation:
        master.wait_for(lambda: master.connections == 1)
        master.hang_up()
        master.wait_for(lambda: master.gone == 1)
        with pytest.raises(ConnectionLost):
            ASK[what][1](conversation)


@every_question
def test_after_close_there_is_nobody_to_ask(converse: Callable[..., Conversation], what: str) -> None:
    conversation = converse()
    conversation.close()
    conversation.close()
    with pytest.raises(ConnectionLost, match="is over"):
        ASK[what][1](conversation)


# ---- sessions


class Pipes:
    """Three pipes for a session: their ends and ours."""

    def __init__(self) -> None:
        self.stdin, self.ours_in = os.pipe()
        self.ours_out, self.stdout = os.pipe()
        self.ours_err, self.stderr = os.pipe()
        self._given = False

    @property
    def theirs(self) -> tuple[int, int, int]:
        return self.stdin, self.stdout, self.stderr

    def give(self) -> None:
        """Close their ends: whoever got copies has the only ones."""
        self._given = True
        for fd in self.theirs:
            os.close(fd)

    def close(self) -> None:
        if not self._given:
            self.give()
        for fd in (self.ours_in, self.ours_out, self.ours_err):
            os.close(fd)


@pytest.fixture
def pipes(clean: None) -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


def read_all(fd: int) -> bytes:
    data = b""
    while piece := os.read(fd, 65_536):
        data += piece
    return data


def test_a_session_runs_on_the_descriptors(converse: Callable[..., Conversation], pipes: Pipes) -> None:
    conversation = converse()
    session = wire.NewSession(conversation.next_id(), b"read word; echo got $word; echo err >&2; exit 7")
    sock, number = conversation.new_session(session, pipes.theirs, soon())
    pipes.give()
    with sock:
        os.write(pipes.ours_in, b"hello\n")
        assert read_all(pipes.ours_out) == b"got hello\n"
        assert read_all(pipes.ours_err) == b"err\n"
        sock.settimeout(30)
        assert sock.recv(100) == frame(wire.ExitMessage(number, 7).encode())
        assert sock.recv(100) == b""
    with pytest.raises(ConnectionLost, match="is over"):
        conversation.alive(soon())


def test_descriptors_arrive_as_they_were(make_master: Make, pipes: Pipes) -> None:
    opened = {wire.NewSession: lambda request: wire.SessionOpened(request.request_id, 5)}
    master = make_master(script=opened)
    with control.greet(master.path, soon()) as conversation:
        session = wire.NewSession(conversation.next_id(), b"x", subsystem=True, terminal="vt100")
        sock, number = conversation.new_session(session, pipes.theirs, soon())
        with sock:
            pipes.give()
            assert number == 5
            assert master.received == [session]
            ours = (pipes.ours_in, pipes.ours_out, pipes.ours_err)
            for file, fd in zip(master.descriptors[0], ours, strict=True):
                assert stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
                assert os.fstat(file.fileno()).st_ino == os.fstat(fd).st_ino


def test_a_session_that_ends_while_it_is_answered_for_is_not_lost(
    converse: Callable[..., Conversation], pipes: Pipes
) -> None:
    """Answer and end come in one piece when this process was slow; the end is for whoever gets the socket."""

    def at_once(request: wire.NewSession) -> list[object]:
        return [wire.SessionOpened(request.request_id, 5), wire.ExitMessage(5, 3), HangUp()]

    conversation = converse(script={wire.NewSession: at_once})
    sock, number = conversation.new_session(wire.NewSession(conversation.next_id(), b"x"), pipes.theirs, soon())
    pipes.give()
    with sock:
        sock.settimeout(30)
        assert sock.recv(100) == frame(wire.ExitMessage(number, 3).encode())


@pytest.mark.parametrize("refusal", [wire.Failure, wire.PermissionDenied])
def test_a_refused_session(
    converse: Callable[..., Conversation],
    pipes: Pipes,
    refusal: type[wire.Failure] | type[wire.PermissionDenied],
) -> None:
    script = {wire.NewSession: lambda request: [refusal(request.request_id, "Session open refused by peer"), HangUp()]}
    conversation = converse(script=script)
    with pytest.raises(OpenRefused, match="Session open refused by peer"):
        conversation.new_session(wire.NewSession(conversation.next_id(), b"x"), pipes.theirs, soon())
    pipes.give()
    assert read_all(pipes.ours_out) == b"", "the master has closed what it got"


def test_a_session_that_is_never_answered(converse: Callable[..., Conversation], pipes: Pipes) -> None:
    conversation = converse(script={wire.NewSession: None})
    with pytest.raises(MasterUnresponsive):
        conversation.new_session(wire.NewSession(conversation.next_id(), b"x"), pipes.theirs, now())


@pytest.mark.parametrize(
    "answer",
    [wire.SessionOpened(2, 5), b"\0\0\0\4\x80\0\0\x06", b"\xff" * 64, wire.Hello()],
    ids=["of another request", "short", "rubbish", "hello"],
)
def test_a_session_that_is_answered_wrongly(
    converse: Callable[..., Conversation], pipes: Pipes, answer: wire.Reply | bytes
) -> None:
    conversation = converse(script={wire.NewSession: answer})
    with pytest.raises(RemoteProtocolError):
        conversation.new_session(wire.NewSession(conversation.next_id(), b"x"), pipes.theirs, soon())


def test_a_session_whose_master_is_killed(make_master: Make, pipes: Pipes) -> None:
    master = make_master()
    with control.greet(master.path, soon()) as conversation:
        master.wait_for(lambda: master.connections == 1)
        master.hang_up()
        master.wait_for(lambda: master.gone == 1)
        with pytest.raises(ConnectionLost):
            conversation.new_session(wire.NewSession(conversation.next_id(), b"x"), pipes.theirs, soon())


def test_a_stdio_forward(make_master: Make) -> None:
    master = make_master(script={wire.NewStdioForward: lambda request: wire.SessionOpened(request.request_id, 5)})
    ours, theirs = socket.socketpair()
    with ours, control.greet(master.path, soon()) as conversation:
        with theirs:
            sock = conversation.stdio_forward("db", 5432, (theirs.fileno(), theirs.fileno()), soon())
        with sock:
            assert master.received == [wire.NewStdioForward(1, "db", 5432)]
            ours.sendall(b"question")
            stdin, stdout = master.descriptors[0]
            assert stdin.read(100) == b"question"
            stdout.write(b"answer")
            assert ours.recv(100) == b"answer"


def test_a_refused_stdio_forward(converse: Callable[..., Conversation]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OpenRefused, match="refused by peer"):
        converse().stdio_forward("db", 5432, (theirs.fileno(), theirs.fileno()), soon())


# ---- a link


def test_a_link_is_the_socket_itself(make_master: Make) -> None:
    master = make_master()
    with control.greet(master.path, soon()) as conversation:
        sock = conversation.proxy(soon())
    with sock:
        sock.settimeout(30)
        sock.sendall(bytes.fromhex("00000019 00 5a 00000007 73657373696f6e 00000007 00010000 00008000"))
        assert sock.recv(100)[:10] == bytes.fromhex("00000012 00 5b 00000007")


def test_what_a_server_says_at_once_is_not_lost(converse: Callable[..., Conversation]) -> None:
    conversation = converse(script={wire.Proxy: [wire.ProxyReady(1), b"the first packet"]})
    with conversation.proxy(soon()) as sock:
        sock.settimeout(30)
        assert sock.recv(100) == b"the first packet"
