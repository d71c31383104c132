"""fabric: commands on a host, on a group, with sudo's and a dialogue's watchers, over a tunnel."""

import os
import socket
import threading

from fabric import Connection, SerialGroup, ThreadingGroup
from invoke import Responder, UnexpectedExit

address = f"{os.environ['SERVER_USER']}@{os.environ['SERVER_HOST']}:{os.environ['SERVER_PORT']}"
with Connection(address) as c:
    result = c.run("echo out; echo err >&2", hide=True)
    print(result.stdout.strip(), result.stderr.strip(), result.ok)
    try:
        c.run("exit 7", hide=True)
    except UnexpectedExit as error:
        print("exit", error.result.exited)
    answer = Responder(r"name\? ", "world\n")
    print(c.run("printf 'name? '; read n; echo hello $n", pty=True, watchers=[answer], hide=True).stdout.split()[-1])
    with c.cd("/"):
        print(c.run("pwd", hide=True).stdout.strip())
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"through")

    threading.Thread(target=serve, daemon=True).start()
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with c.forward_local(port, remote_port=listener.getsockname()[1], remote_host="127.0.0.1"):
        for _ in range(500):
            try:
                with socket.create_connection(("127.0.0.1", port), 10) as visitor:
                    print(visitor.recv(100).decode())
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.01)
for kind in (SerialGroup, ThreadingGroup):
    # Two names for one server.
    with kind(address, address.replace("127.0.0.1", "localhost")) as group:
        print(sorted(one.stdout.strip() for one in group.run("echo all", hide=True).values()))
