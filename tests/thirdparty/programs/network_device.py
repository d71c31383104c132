"""netmiko: its drivers for Linux and for terminal servers."""

import os

from netmiko import ConnectHandler

device = {
    "host": os.environ["SERVER_HOST"],
    "port": int(os.environ["SERVER_PORT"]),
    "username": os.environ["SERVER_USER"],
    "use_keys": True,
    "key_file": os.path.expanduser("~/.ssh/id_ed25519"),
    "allow_agent": False,
}
with ConnectHandler(device_type="linux", **device) as connection:
    print(connection.send_command("echo one; echo two").split())
    print(connection.is_alive())
with ConnectHandler(device_type="generic_termserver", **device) as connection:
    connection.write_channel("echo t$((40+2))\n")
    print("t42" in connection.read_until_pattern(r"t42"))
