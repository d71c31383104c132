"""The control-socket client against a real master: what sessions do not need and forwards do."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

import pytest

from openssh_core import Connection, ConnectionLost, ForwardRefused, OpenRefused
from openssh_core._io import control
from openssh_core._io.deadline import Deadline
from openssh_core._wire import mux

SOON = 30.0


@pytest.fixture
def conversation(host: Connection) -> Iterator[control.Conversation]:
    with control.greet(host.control_path, Deadline.after(SOON)) as talk:
        yield talk


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A port of this machine where each connection gets its first bytes back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(peer.recv(100))

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def echo(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address) as client:
        client.sendall(b"hello")
        return client.recv(100)


def test_the_master_tells_its_process_id(host: Connection, conversation: control.Conversation) -> None:
    assert conversation.alive(Deadline.after(SOON)) == host.master_pid


def test_several_questions_can_be_asked_in_one_conversation(conversation: control.Conversation) -> None:
    pids = {conversation.alive(Deadline.after(SOON)) for _ in range(3)}
    assert len(pids) == 1


def test_a_remote_forward_gets_a_port_and_goes_again(conversation: control.Conversation, echo_port: int) -> None:
    forward = mux.Forward(mux.FORWARD_REMOTE, "127.0.0.1", 0, "127.0.0.1", echo_port)
    port = conversation.open_forward(forward, Deadline.after(SOON))
    assert port > 0
    assert echo(("127.0.0.1", port)) == b"hello"
    # The master knows it by what was asked for, not by what came of it.
    conversation.close_forward(forward, Deadline.after(SOON))
    # The master's OK does not wait for the server's.
    with pytest.raises(ConnectionRefusedError):
        while True:
            with contextlib.suppress(ConnectionResetError):
                echo(("127.0.0.1", port))


def test_a_forward_to_a_port_in_use_is_refused(conversation: control.Conversation, echo_port: int) -> None:
    forward = mux.Forward(mux.FORWARD_LOCAL, "127.0.0.1", echo_port, "127.0.0.1", 1)
    with pytest.raises(ForwardRefused):
        conversation.open_forward(forward, Deadline.after(SOON))
    assert conversation.alive(Deadline.after(SOON))


def test_stdio_forward_makes_a_socket_of_ours_the_connection(
    conversation: control.Conversation, echo_port: int
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fds = [theirs.fileno(), os.dup(theirs.fileno())]
        with conversation.stdio_forward("127.0.0.1", echo_port, fds, Deadline.after(SOON)):
            os.close(fds[1])
            ours.sendall(b"hello")
            ours.settimeout(SOON)
            assert ours.recv(100) == b"hello"


def test_a_stdio_forward_to_nobody_is_refused(host: Connection, conversation: control.Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        unused = server.getsockname()[1]
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(OpenRefused):
        conversation.stdio_forward("127.0.0.1", unused, [theirs.fileno(), theirs.fileno()], Deadline.after(SOON))
    host.check()


def test_a_master_that_stopped_listening_goes_on_serving(host: Connection, conversation: control.Conversation) -> None:
    path = host.control_path
    conversation.stop_listening(Deadline.after(SOON))
    with pytest.raises(ConnectionLost):
        control.greet(path, Deadline.after(SOON))
    assert host.run("echo still here").stdout == "still here\n"


def test_terminate_is_answered_by_going_away(host: Connection, conversation: control.Conversation) -> None:
    conversation.terminate(Deadline.after(SOON))
    with pytest.raises(ConnectionLost):
        host.run("true")
