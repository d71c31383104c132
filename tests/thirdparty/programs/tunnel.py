"""sshtunnel: through the server to a port, twice, with a key file."""

import os
import socket
import threading

from sshtunnel import SSHTunnelForwarder

listener = socket.create_server(("127.0.0.1", 0))


def echo() -> None:
    while True:
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)


threading.Thread(target=echo, daemon=True).start()
payload = os.urandom(300_000)
with SSHTunnelForwarder(
    (os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"])),
    ssh_username=os.environ["SERVER_USER"],
    ssh_pkey=os.path.expanduser("~/.ssh/id_ed25519"),
    allow_agent=False,
    remote_bind_address=listener.getsockname(),
) as tunnel:
    assert tunnel.is_active
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", tunnel.local_bind_port), 30) as visitor:
            threading.Thread(target=visitor.sendall, args=(payload,)).start()
            received = b""
            while len(received) < len(payload):
                received += visitor.recv(65536)
            assert received == payload
print("tunnelled", 2 * len(payload))
