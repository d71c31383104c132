"""jumpssh: a session, and another one through it."""

import os

from jumpssh import SSHSession

host, port, user = os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]), os.environ["SERVER_USER"]
key = os.path.expanduser("~/.ssh/id_ed25519")
gateway = SSHSession(host, user, port=port, private_key_file=key).open()
print(gateway.get_cmd_output("echo from the gateway"))
inner = gateway.get_remote_session(host, user, port=port, private_key_file=key)
print(inner.get_cmd_output("echo from behind it"), inner.get_exit_code("exit 3"))
inner.close()
gateway.close()
