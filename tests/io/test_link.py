"""Sessions on a link, against a server that does as it is told: also what no server should do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from openssh_core._backends.base import Piped, SessionRequest, Streams
from openssh_core._backends.proxy import ProxyBackend
from openssh_core._backends.proxy_session import ProxySession
from openssh_core._cli.script import PidLine
from openssh_core._io import control, patience
from openssh_core._io.deadline import Deadline
from openssh_core._io.link import ProxyLink
from openssh_core._io.reactor import Reactor
from openssh_core._io.sinks import Collect
from openssh_core._wire import channels as wire
from openssh_core._wire.frames import MAX_FRAME, frame
from openssh_core._wire.requests import ExitSignal, ExitStatus
from openssh_core.command import Launch
from openssh_core.errors import (
    ConnectionClosed,
    ConnectionLost,
    ExitStatusMissing,
    OpenRefused,
    OpenSSHError,
    RemoteProtocolError,
    RequestRefused,
    SignalNotDelivered,
)
from openssh_core.options import Pty
from openssh_core.program_start import LoginShell
from openssh_core.results import Exit
from openssh_core.testing import FakeChannel, FakeMaster, FakeServer

Until = Callable[[Callable[[], Any]], Any]

PATIENCE = 30.0


class Running:
    """A session and what came out of it."""

    def __init__(self, session: ProxySession, out: Collect, err: Collect) -> None:
        self.session = session
        self._out = out
        self._err = err

    def done(self) -> Running:
        """Wait for its end."""
        assert self.session.wait_closed(PATIENCE), "it hangs"
        return self

    @property
    def end(self) -> tuple[Exit | None, bytes, bytes]:
        self.done()
        assert self.session.error is None
        return self.session.exit, self._out.value(), self._err.value()

    @property
    def error(self) -> OpenSSHError:
        self.done()
        assert self.session.error is not None
        return self.session.error

    @property
    def output(self) -> bytes:
        return self._out.value()


class Place:
    """A fake master, and a back end whose link leads to the server behind it."""

    def __init__(self, master: FakeMaster, reactor: Reactor, *, signals_work: bool | None, spare: bool) -> None:
        self.master = master
        self.ended = threading.Event()
        deadline = Deadline.after(PATIENCE)
        with control.greet(master.path, deadline) as conversation:
            sock = conversation.proxy(deadline)
        self.link = ProxyLink(sock, reactor, lost=lambda what: ConnectionLost(what, host="web1"), ended=self.ended.set)
        self.backend = ProxyBackend(
            self.link, reactor, path=master.path, host="web1", signals_work=signals_work, spare=spare
        )
        self.server: Any = master.wait_for(lambda: master.servers)[0]

    def start(
        self,
        command: str = "true",
        *,
        stdin: bytes | Piped | None = None,
        stdout: Piped | None = None,
        env: Mapping[str, str] | None = None,
        pty: Pty | None = None,
        kind: str = "exec",
        urgent: bool = False,
    ) -> Running:
        request = Launch(kind=kind, command=command, env=env or {}, login_shell=LoginShell(), pty=pty).request()
        out, err = Collect(), Collect()
        streams = Streams(stdin, stdout or out, err)
        return Running(self.backend.start(request.replace(urgent=urgent), streams), out, err)

    def heard(self, kind: type[wire.Message]) -> list[Any]:
        """What the server has heard of one kind."""
        return [message for message in self.server.received if isinstance(message, kind)]

    def wait_to_hear(self, kind: type[wire.Message], count: int = 1) -> list[Any]:
        return self.master.wait_for(lambda: heard if len(heard := self.heard(kind)) >= count else [])

    def asked(self, name: str) -> list[wire.ChannelRequest]:
        """The channel requests of one name that the server has heard."""
        return [request for request in self.heard(wire.ChannelRequest) if request.name == name]

    def channel(self) -> FakeChannel:
        """The first channel that the server has not closed."""
        channels: dict[int, FakeChannel] = self.server.channels

        def found() -> list[FakeChannel]:
            return [channel for channel in list(channels.values()) if not channel.said_close]

        return self.master.wait_for(found)[0]

    def close(self) -> None:
        self.backend.close(ConnectionClosed("the test is over"))
        assert self.ended.wait(PATIENCE)


Make = Callable[..., Place]


@pytest.fixture
def place(make_master: Callable[..., FakeMaster], reactor: Reactor) -> Iterator[Make]:
    """Make a place: `place(ServerClass, spare=..., signals_work=...)`."""
    made: list[Place] = []

    def make(
        server: Callable[[], FakeServer] = FakeServer, *, signals_work: bool | None = True, spare: bool = False
    ) -> Place:
        made.append(Place(make_master(server=server), reactor, signals_work=signals_work, spare=spare))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Passive(FakeServer):
    """Opens channels and grants requests; what else happens is the test's to say."""

    def on_exec(self, channel: FakeChannel, command: bytes) -> None:
        channel.reply(True)


class Silent(FakeServer):
    """Answers no open."""

    def on_open(self, opening: wire.ChannelOpen) -> None:
        pass


# ---- as it should be


def test_a_command_runs(place: Make) -> None:
    running = place().start("echo out; echo err >&2; exit 3")
    assert running.end == (Exit(3), b"out\n", b"err\n")
    assert running.session.is_running
    assert running.session.wait_started(0) and running.session.wait_exited(0)


def test_input_of_many_windows_and_as_much_output(place: Make) -> None:
    data = os.urandom(5_000_000)
    assert place().start("cat", stdin=data).end == (Exit(0), data, b"")


def test_no_input_is_the_end_of_input(place: Make) -> None:
    assert place().start("cat; echo over").end == (Exit(0), b"over\n", b"")


def test_a_death_by_signal(place: Make) -> None:
    assert place().start("kill -9 $$").end == (Exit(None, "KILL"), b"", b"")


def test_many_commands_at_once_do_not_mix(place: Make) -> None:
    here = place()
    commands = [here.start(f"cat; exit {number}", stdin=b"%d" % number * 10_000) for number in range(25)]
    for number, running in enumerate(commands):
        assert running.end == (Exit(number), b"%d" % number * 10_000, b"")
    assert not here.backend.sessions


def test_a_server_that_grants_its_window_with_the_channel(place: Make) -> None:
    """As servers other than OpenSSH's do; nothing tells then that there is room for input."""

    class Early(FakeServer):
        def on_open(self, opening: wire.ChannelOpen) -> None:
            self.confirm(opening, window=1_000_000)

        def on_exec(self, channel: FakeChannel, command: bytes) -> None:
            channel.reply(True)
            self.run(channel, command)

    assert place(Early).start("cat", stdin=b"input").end == (Exit(0), b"input", b"")


def test_input_waits_while_the_server_does_not_read(place: Make) -> None:
    """A window of any width: what the socket does not take is neither lost nor piled up without end."""
    go_on = threading.Event()

    class Stuck(FakeServer):
        def on_exec(self, channel: FakeChannel, command: bytes) -> None:
            channel.grant(100_000_000)
            channel.reply(True)
            go_on.wait(PATIENCE)
            self.run(channel, command)

    here = place(Stuck)
    running = here.start("wc -c", stdin=bytes(8_000_000))
    assert running.session.wait_started(PATIENCE)
    here.master.wait_for(lambda: here.link.congested)
    other = here.start("echo other")
    go_on.set()
    assert running.end[1].strip() == b"8000000"
    assert other.end[1] == b"other\n"


def test_output_waits_while_nobody_reads_it(place: Make, until: Until) -> None:
    """What is granted and not read stays bounded; then all of it comes."""
    here = place()
    ours, theirs = os.pipe()
    running = here.start("head -c 8000000 /dev/zero; echo over >&2", stdout=Piped(theirs))
    other = here.start("echo not held up")
    assert other.end[1] == b"not held up\n"
    channel = here.channel()
    until(lambda: channel.window == 0)
    granted = 65_536 + sum(message.count for message in here.heard(wire.WindowAdjust))
    assert granted <= 65_536 + 2 * 2**20 + 65_536
    count = 0
    while piece := os.read(ours, 65_536):
        count += len(piece)
    os.close(ours)
    assert count == 8_000_000
    assert running.end[2] == b"over\n"


def test_a_reader_that_goes_away_is_told_to_the_server(place: Make) -> None:
    here = place(Passive)
    ours, theirs = os.pipe()
    running = here.start(stdout=Piped(theirs))
    assert running.session.wait_started(PATIENCE)
    os.close(ours)
    here.channel().data(b"data")
    here.master.wait_for(lambda: here.asked("eow@openssh.com"))
    here.channel().exit(-13)
    assert running.end[0] == Exit(None, "PIPE")


# ---- channels in advance


def test_a_spare_channel_saves_a_round_trip(place: Make) -> None:
    here = place(spare=True)
    assert here.start("echo one").end[1] == b"one\n"
    here.wait_to_hear(wire.ChannelOpen, 2)
    spare = here.channel().number
    assert here.start("echo two").end[1] == b"two\n"
    assert here.asked("exec")[-1].recipient == spare
    here.wait_to_hear(wire.ChannelOpen, 3)


def test_without_a_spare_channels_are_opened_as_they_are_needed(place: Make) -> None:
    here = place()
    for number in range(3):
        assert here.start("echo x").end[1] == b"x\n"
        assert len(here.heard(wire.ChannelOpen)) == number + 1


def test_a_spare_that_the_server_closes_is_not_missed(place: Make) -> None:
    here = place(spare=True)
    here.start("true").done()
    here.wait_to_hear(wire.ChannelOpen, 2)
    here.channel().eof()
    here.channel().close()
    here.master.wait_for(lambda: not here.server.channels)
    assert len(here.heard(wire.ChannelOpen)) == 2, "the next comes with the next command"
    assert here.start("echo x").end[1] == b"x\n"


def test_a_spare_is_given_back(place: Make, reactor: Reactor) -> None:
    here = place(spare=True)
    here.start("true").done()
    here.wait_to_hear(wire.ChannelOpen, 2)
    here.master.wait_for(lambda: reactor.call(here.backend.opener.drop_spare))
    here.master.wait_for(lambda: not here.server.channels)
    assert not reactor.call(here.backend.opener.drop_spare)
    assert here.start("echo x").end[1] == b"x\n"


def test_a_spare_that_is_given_back_makes_room_for_who_waits(place: Make, reactor: Reactor) -> None:
    class Two(FakeServer):
        max_sessions = 2

    here = place(Two, spare=True)
    refusals = [here.start("echo x") for _ in range(5)]
    assert [running.end[1] for running in refusals] == [b"x\n"] * 5, "now the limit is known"
    here.start("true").done()
    long = here.start("exec cat", stdin=Piped(_held_open()))
    assert long.session.wait_started(PATIENCE)

    def give_back_and_ask() -> Running:
        here.backend.opener.drop_spare()
        return here.start("echo in time")

    assert reactor.call(give_back_and_ask).end[1] == b"in time\n"
    here.backend.end_all()
    long.done()


_held: list[int] = []


def _held_open() -> int:
    """The read end of a pipe to which nobody ever writes."""
    ours, theirs = os.pipe()
    _held.append(theirs)
    return ours


@pytest.fixture(autouse=True)
def _let_go(clean: None) -> Iterator[None]:
    yield
    while _held:
        os.close(_held.pop())


# ---- a server that allows only so much


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
@pytest.mark.parametrize("spare", [False, True])
def test_more_commands_than_sessions_all_run(place: Make, limit: int, spare: bool) -> None:
    class Limited(FakeServer):
        max_sessions = limit

    here = place(Limited, spare=spare)
    commands = [here.start(f"echo {number}") for number in range(40)]
    assert [running.end[1] for running in commands] == [b"%d\n" % number for number in range(40)]
    assert len(here.asked("exec")) == 40, "nothing ran twice"
    assert len(here.heard(wire.ChannelOpen)) <= 2 * 40


def test_first_come_first_served(place: Make) -> None:
    class One(FakeServer):
        max_sessions = 1

    here = place(One)
    for running in [here.start(f"echo {number}") for number in range(10)]:
        running.done()
    commands = [request.payload[4:] for request in here.asked("exec")]
    assert commands == [b"echo %d" % number for number in range(10)]


def test_refused_opens_are_tried_again(place: Make) -> None:
    class Moody(FakeServer):
        refusals = 5

        def on_open(self, opening: wire.ChannelOpen) -> None:
            self.refusals -= 1
            if self.refusals >= 0:
                self.refuse(opening)
            else:
                self.confirm(opening)

    here = place(Moody)
    assert here.start("echo at last").end[1] == b"at last\n"
    assert len(here.heard(wire.ChannelOpen)) == 6


def test_a_server_that_opens_nothing_is_given_up(place: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(FakeServer):
        def on_open(self, opening: wire.ChannelOpen) -> None:
            self.send(wire.OpenFailure(opening.sender, 1, "not today"))

    monkeypatch.setattr(patience, "PATIENCE", 0.0)
    here = place(Never)
    commands = [here.start() for _ in range(3)]
    for running in commands:
        error = running.error
        assert isinstance(error, OpenRefused)
        assert (error.code, error.host) == (1, "web1")
        assert "not today" in str(error)
    assert not here.backend.sessions
    assert isinstance(here.start().error, OpenRefused), "the link goes on"


def test_an_open_that_is_never_answered(place: Make, until: Until) -> None:
    here = place(Silent)
    running = here.start()
    assert not running.session.wait_started(0.05)
    until(lambda: running.session.unanswered_for() > 0)
    running.session.close()
    assert isinstance(running.error, ConnectionClosed)
    assert not here.backend.sessions


def test_a_channel_that_nobody_wants_any_more_is_closed(place: Make) -> None:
    here = place(Silent)
    given_up = [here.start() for _ in range(3)]
    openings = here.wait_to_hear(wire.ChannelOpen, 3)
    for running in given_up:
        running.session.close()
        running.done()
    for opening in openings:
        here.server.confirm(opening)
    here.wait_to_hear(wire.Close, 3)


def test_of_channels_that_nobody_wants_one_is_kept_in_advance(place: Make) -> None:
    here = place(Silent, spare=True)
    given_up = [here.start() for _ in range(3)]
    openings = here.wait_to_hear(wire.ChannelOpen, 3)
    for running in given_up:
        running.session.close()
        running.done()
    for opening in openings:
        here.server.confirm(opening)
    here.wait_to_hear(wire.Close, 2)
    here.master.wait_for(lambda: len(here.server.channels) == 1)
    assert here.start("echo on the spare").end[1] == b"on the spare\n"


def test_an_urgent_session_does_not_wait_behind_others(place: Make) -> None:
    """Where signals are refused, ending a command takes a session: it must come about though all others are taken."""

    class Three(FakeServer):
        max_sessions = 3

    here = place(Three, signals_work=False)
    commands = [here.start("exec cat", stdin=Piped(_held_open())) for _ in range(5)]
    assert here.start("echo urgent", urgent=True).end[1] == b"urgent\n"
    while _held:
        os.close(_held.pop())
    for running in commands:
        assert running.end[0] == Exit(0)


# ---- what servers ask


def test_keepalives_are_answered(place: Make) -> None:
    here = place(Passive)
    running = here.start()
    assert running.session.wait_started(PATIENCE)
    for _ in range(3):
        here.channel().request("keepalive@openssh.com", want_reply=True)
    refusals = here.wait_to_hear(wire.RequestFailure, 3)
    assert [refusal.recipient for refusal in refusals] == [here.channel().number] * 3
    here.channel().exit(0)
    assert running.end[0] == Exit(0)


def test_keepalives_are_answered_on_a_spare(place: Make) -> None:
    here = place(spare=True)
    here.start().done()
    here.wait_to_hear(wire.ChannelOpen, 2)
    here.channel().request("keepalive@openssh.com", want_reply=True)
    here.wait_to_hear(wire.RequestFailure)


def test_a_channel_that_the_server_opens_is_refused(place: Make) -> None:
    here = place()
    here.server.send(wire.ChannelOpen("x11", 5, 100, 100, b"whatever"))
    # The refusal names a channel that the fake server does not have as its own, so it ends the link; it was heard.
    here.wait_to_hear(wire.OpenFailure)
    assert here.heard(wire.OpenFailure) == [wire.OpenFailure(5, 1, "not requested")]


# ---- variables


class TakesA(FakeServer):
    accepts = frozenset({"A"})


def test_variables_that_the_server_takes_are_sent(place: Make) -> None:
    here = place(TakesA)
    assert here.start("echo $A", env={"A": "it's"}).end[1] == b"it's\n"
    assert here.asked("exec")[0].payload[4:] == b"echo $A"


def test_variables_that_it_does_not_take_are_set_by_the_command(place: Make) -> None:
    here = place(TakesA)
    env = {"A": "1", "B": 'it\'s "$HOME"\n', "C": ""}
    assert here.start('printf "%s|" "$A" "$B" "$C"', env=env).end[1] == b'1|it\'s "$HOME"\n||'
    (command,) = (request.payload[4:] for request in here.asked("exec"))
    assert b"B=" in command and b"A=" not in command


def test_what_it_takes_is_asked_only_once(place: Make) -> None:
    here = place(TakesA)
    for _ in range(3):
        assert here.start("echo $A$B", env={"A": "1", "B": "2"}).end[1] == b"12\n"
    assert [(request.payload[4:5], request.want_reply) for request in here.asked("env")] == [
        (b"A", True),
        (b"B", True),
        (b"A", False),
        (b"A", False),
    ]


# ---- requests that are refused


class Refusing(FakeServer):
    refuses: frozenset[str] = frozenset()

    def on_request(self, channel: FakeChannel, request: wire.ChannelRequest) -> None:
        if request.name in self.refuses:
            if request.want_reply:
                channel.reply(False)
        else:
            super().on_request(channel, request)


@pytest.mark.parametrize("kind", ["exec", "shell", "subsystem"])
def test_a_refused_command_is_said_and_the_link_goes_on(place: Make, kind: str) -> None:
    class Server(Refusing):
        refuses = frozenset({kind})

    here = place(Server)
    error = here.start(kind=kind).error
    assert isinstance(error, RequestRefused)
    assert (error.request, error.host) == (kind, "web1")
    here.wait_to_hear(wire.Close)
    here.server.refuses = frozenset()
    assert here.start("echo x").end[1] == b"x\n"


def test_a_refused_terminal(place: Make) -> None:
    class Server(Refusing):
        refuses = frozenset({"pty-req"})

    here = place(Server)
    error = here.start(pty=Pty()).error
    assert isinstance(error, RequestRefused)
    assert error.request == "pty-req"
    assert here.asked("exec") == []


def test_a_terminal_is_asked_for_and_resized(place: Make) -> None:
    here = place(Passive)
    running = here.start(pty=Pty("xterm", 100, 50))
    assert running.session.wait_started(PATIENCE)
    running.session.resize(Pty(columns=120, rows=60))
    here.master.wait_for(lambda: here.asked("window-change"))
    assert here.asked("pty-req")[0].payload == bytes.fromhex(
        "00000005 787465726d 00000064 00000032 00000000 00000000 00000001 00"
    )
    assert here.asked("window-change")[0].payload == bytes.fromhex("00000078 0000003c 00000000 00000000")
    assert here.heard(wire.Eof) == [], "a terminal has no end of input"
    here.channel().exit(0)
    running.done()


def test_a_new_size_keeps_its_place_in_the_input(place: Make) -> None:
    """What was written before it comes before it, also when the window is shut; what is written after, after."""

    class Slow(FakeServer):
        def on_exec(self, channel: FakeChannel, command: bytes) -> None:
            channel.grant(10)
            channel.reply(True)

        def on_data(self, channel: FakeChannel, data: bytes) -> None:
            pass

    here = place(Slow)
    theirs, ours = os.pipe()
    running = here.start(stdin=Piped(theirs), pty=Pty())
    assert running.session.wait_started(PATIENCE)
    pieces = (b"a" * 4, b"b" * 40, b"", b"c" * 400)
    with open(ours, "wb", buffering=0) as pipe:
        for number, piece in enumerate(pieces, 1):
            pipe.write(piece)
            running.session.resize(Pty(columns=number, rows=60))
        here.wait_to_hear(wire.Data)
        here.master.wait_for(lambda: len(here.channel().received) == 10)
        assert len(here.asked("window-change")) == 1
        here.channel().grant(1000)
        here.master.wait_for(lambda: len(here.asked("window-change")) == len(pieces))
    came: list[bytes] = [b""]
    for message in here.server.received:
        if isinstance(message, wire.Data):
            came[-1] += message.data
        elif isinstance(message, wire.ChannelRequest) and message.name == "window-change":
            assert message.payload[:4] == len(came).to_bytes(4, "big")
            came.append(b"")
    assert tuple(came[:-1]) == pieces
    here.channel().exit(0)
    running.done()


def test_a_new_size_after_the_end_of_the_input(place: Make) -> None:
    here = place(Passive)
    theirs, ours = os.pipe()
    running = here.start(stdin=Piped(theirs), pty=Pty())
    assert running.session.wait_started(PATIENCE)
    here.channel().grant(10)
    os.close(ours)
    here.wait_to_hear(wire.Eof)
    running.session.resize(Pty(columns=120, rows=60))
    here.master.wait_for(lambda: here.asked("window-change"))
    here.channel().exit(0)
    running.done()


# ---- how a session can end


def test_a_channel_that_closes_without_a_status(place: Make) -> None:
    here = place(Passive)
    running = here.start()
    assert running.session.wait_started(PATIENCE)
    here.channel().data(b"the last words")
    here.channel().close()
    assert isinstance(running.error, ExitStatusMissing)
    assert running.output == b"the last words"


def test_a_channel_that_closes_instead_of_an_answer(place: Make) -> None:
    class Rude(FakeServer):
        def on_exec(self, channel: FakeChannel, command: bytes) -> None:
            channel.close()

    error = place(Rude).start().error
    assert isinstance(error, RequestRefused)
    assert "before the command started" in str(error)


def test_output_may_follow_the_status(place: Make) -> None:
    here = place(Passive)
    running = here.start()
    assert running.session.wait_started(PATIENCE)
    channel = here.channel()
    channel.request("exit-status", ExitStatus(4).encode())
    assert running.session.wait_exited(PATIENCE)
    assert not running.session.wait_closed(0)
    channel.data(b"late")
    channel.data(b"later", stderr=True)
    channel.close()
    assert running.end == (Exit(4), b"late", b"later")


def test_the_words_of_a_death(place: Make) -> None:
    here = place(Passive)
    running = here.start()
    assert running.session.wait_started(PATIENCE)
    how = ExitSignal("SEGV", True, "oops")
    here.channel().request("exit-signal", how.encode())
    here.channel().close()
    assert running.end[0] == Exit(None, "SEGV", True, "oops")


def test_a_session_that_is_given_up_closes_its_channel(place: Make) -> None:
    here = place()
    running = here.start("exec cat", stdin=Piped(_held_open()))
    assert running.session.wait_started(PATIENCE)
    running.session.close()
    running.session.close()
    assert isinstance(running.error, ExitStatusMissing)
    here.wait_to_hear(wire.Close)
    assert here.start("echo x").end[1] == b"x\n"


# ---- signals


def test_a_signal_is_delivered_by_the_server(place: Make) -> None:
    running = place().start("echo on; exec sleep 1000")
    assert running.session.wait_started(PATIENCE)
    running.session.signal("TERM", PATIENCE)
    assert running.end[0] == Exit(None, "TERM")
    running.session.signal("TERM", PATIENCE)


def test_a_signal_that_the_server_refuses(place: Make) -> None:
    class Deaf(FakeServer):
        signals = False

    here = place(Deaf, signals_work=None)
    running = here.start("exec cat", stdin=Piped(_held_open()))
    assert running.session.wait_started(PATIENCE)
    with pytest.raises(SignalNotDelivered):
        running.session.signal("TERM", PATIENCE)
    assert here.backend.signals_work is False, "the next commands tell their process ids"
    running.session.close()
    running.done()


def test_where_signals_are_refused_a_session_of_its_own_kills(place: Make) -> None:
    class Deaf(FakeServer):
        signals = False

    here = place(Deaf, signals_work=False)
    running = here.start("echo out; exec sleep 1000")
    assert running.session.wait_located(PATIENCE)
    here.master.wait_for(lambda: running.output == b"out\n")
    running.session.signal("TERM", PATIENCE)
    assert running.end[:2] == (Exit(None, "TERM"), b"out\n")


def test_everything_can_be_ended_at_once(place: Make) -> None:
    here = place()
    commands = [here.start("exec sleep 1000") for _ in range(3)]
    for running in commands:
        assert running.session.wait_started(PATIENCE)
    here.backend.end_all()
    assert {running.end[0] for running in commands} == {Exit(None, "TERM")}


# ---- a link that breaks


def sessions_in_every_state(here: Place, third: str) -> list[Running]:
    """One that runs, one whose command is not answered, and two that have no channel yet: either their opens are not
    answered, or one was refused and both wait for room."""
    here.server.next_answers = ["run", "confirm", third]
    running = here.start("exec cat", stdin=Piped(_held_open()))
    assert running.session.wait_started(PATIENCE)
    unanswered = here.start("unanswered")
    here.master.wait_for(lambda: len(here.asked("exec")) == 2)
    without_channel = here.start("third")
    here.wait_to_hear(wire.ChannelOpen, 3)
    return [running, unanswered, without_channel, here.start("fourth")]


every_state = pytest.mark.parametrize("third", ["refuse", "silence"])


class Mixed(FakeServer):
    """Answers each open as the test says, and then none."""

    next_answers: list[str]

    def on_open(self, opening: wire.ChannelOpen) -> None:
        answer = self.next_answers.pop(0) if self.next_answers else "silence"
        if answer == "refuse":
            self.refuse(opening)
        elif answer != "silence":
            self.confirm(opening)

    def on_exec(self, channel: FakeChannel, command: bytes) -> None:
        if command != b"unanswered":
            super().on_exec(channel, command)


RUBBISH = {
    "padding": frame(b"\4" + wire.Eof(0).encode()),
    "empty": frame(b""),
    "no message": frame(b"\0"),
    "KEXINIT": frame(b"\0\x14"),
    "too long": (MAX_FRAME + 1).to_bytes(4, "big"),
    "text": b"Connection closed by remote host\r\n",
    "short": frame(b"\0" + wire.WindowAdjust(0, 1).encode()[:-1]),
    "data for nobody": frame(b"\0" + wire.Data(77, b"x").encode()),
    "data past the window": frame(b"\0" + wire.Data(0, bytes(70_000)).encode()),
    "the server's number for ours": frame(b"\0" + wire.Data(4_000_000, b"x").encode()),
    "opened twice": frame(b"\0" + wire.OpenConfirmation(0, 5, 0, 100).encode()),
    "window overflow": 2 * frame(b"\0" + wire.WindowAdjust(0, 2**32 - 1).encode()),
    "short status": frame(b"\0" + wire.ChannelRequest(0, "exit-status", False, b"\0").encode()),
    "packets of 0 bytes": frame(b"\0" + wire.OpenConfirmation(3, 5, 0, 0).encode()),
}


@every_state
@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_rubbish_ends_every_session_with_a_reason(place: Make, rubbish: bytes, third: str) -> None:
    here = place(Mixed)
    sessions = sessions_in_every_state(here, third)
    here.server.send(rubbish)
    for running in sessions:
        assert isinstance(running.error, RemoteProtocolError)
        assert running.session.wait_started(0) and running.session.wait_exited(0), "whatever is waited for"
    assert here.ended.wait(PATIENCE)
    assert isinstance(here.link.error, RemoteProtocolError)
    assert isinstance(here.start().error, RemoteProtocolError), "and whoever comes later is told, too"
    assert not here.backend.sessions
    here.master.wait_for(lambda: here.master.gone == 1)


@every_state
@pytest.mark.parametrize("part", [b"\0\0\0\x09\0", b""])
def test_the_end_of_the_connection_ends_every_session(place: Make, part: bytes, third: str) -> None:
    here = place(Mixed)
    running, unanswered, third_one, fourth = sessions_in_every_state(here, third)
    here.server.send(part)
    here.master.hang_up()
    for one, started in ((running, True), (unanswered, False), (third_one, False), (fourth, False)):
        assert isinstance(one.error, ConnectionLost)
        assert one.error.started is started, "whether it can safely be run again"
        assert one.error.host == "web1"
    assert here.ended.wait(PATIENCE)
    assert isinstance(here.start().error, ConnectionLost)


def test_what_came_before_the_end_is_kept(place: Make) -> None:
    here = place(Passive)
    running = here.start()
    assert running.session.wait_started(PATIENCE)
    here.channel().data(b"the last words")
    here.master.hang_up()
    assert isinstance(running.error, ConnectionLost)
    assert running.output == b"the last words"


@every_state
def test_a_link_that_is_closed_by_us_tells_why(place: Make, third: str) -> None:
    here = place(Mixed)
    sessions = sessions_in_every_state(here, third)
    here.backend.close(ConnectionClosed("on purpose"))
    here.backend.close(ConnectionClosed("again"))
    for running in sessions:
        assert isinstance(running.error, ConnectionClosed)
        assert "on purpose" in str(running.error)


def test_one_link_that_breaks_does_not_harm_another(place: Make) -> None:
    here, there = place(), place()
    running = there.start("exec cat", stdin=b"data")
    here.server.send(b"rubbish, rubbish, rubbish")
    assert here.ended.wait(PATIENCE)
    assert running.end == (Exit(0), b"data", b"")


def test_an_order_that_cannot_be_composed_does_not_stop_the_link(place: Make) -> None:
    """Nothing like that gets here; if it did, it must not cost the other sessions."""

    def compose(_inline: Mapping[str, str], _pid_line: PidLine | None) -> bytes:
        raise ValueError("on purpose")

    here = place()
    session = here.backend.start(SessionRequest("exec", compose), Streams(None, Collect(), Collect()))
    assert here.start("echo x").end[1] == b"x\n"
    session.close()
    assert session.wait_closed(PATIENCE)


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_what_came_in_one_piece_with_rubbish_is_not_lost(place: Make, rubbish: bytes) -> None:
    here = place(Passive)
    ended, running = here.start(), here.start()
    assert ended.session.wait_started(PATIENCE) and running.session.wait_started(PATIENCE)
    last = [
        wire.Data(0, b"last of one"),
        wire.ChannelRequest(0, "exit-status", False, ExitStatus(3).encode()),
        wire.Close(0),
        wire.Data(1, b"of two"),
    ]
    here.server.send(b"".join(frame(b"\0" + message.encode()) for message in last) + rubbish)
    assert ended.end == (Exit(3), b"last of one", b"")
    assert isinstance(running.error, RemoteProtocolError)
    assert running.output == b"of two"
