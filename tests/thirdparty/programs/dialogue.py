"""paramiko-expect: a conversation with a shell."""

import os

import paramiko
from paramiko_expect import SSHClientInteraction

client = paramiko.SSHClient()
client.load_system_host_keys()
client.connect(os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]), os.environ["SERVER_USER"])
with SSHClientInteraction(client, timeout=30, display=False) as interact:
    interact.send("PS1='ready> '")
    interact.expect(r".*ready> .*")
    interact.send("echo a; printf 'name? '; read name; echo hello $name")
    interact.expect(r".*name\? ")
    interact.send("world")
    interact.expect(r".*ready> .*")
    print(interact.current_output_clean.strip().splitlines()[-1])
    interact.send("exit")
    interact.expect()
client.close()
