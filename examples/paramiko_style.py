"""How full are the disks over there? A script written for paramiko; one line of it has changed.

python paramiko_style.py USER@HOST[:PORT] [--key FILE] [--known-hosts FILE]
"""

import argparse

from openssh_compat import paramiko  # was: import paramiko

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("--key")
parser.add_argument("--known-hosts")
args = parser.parse_args()
user, _, rest = args.host.rpartition("@")
hostname, _, port = rest.partition(":")

client = paramiko.SSHClient()
client.load_system_host_keys(args.known_hosts)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(hostname, port=int(port or 22), username=user or None, key_filename=args.key)

stdin, stdout, stderr = client.exec_command("df -P -k / /tmp")
lines = stdout.readlines()
status = stdout.channel.recv_exit_status()
if status != 0:
    raise SystemExit(f"df ended with {status}: {stderr.read().decode()}")
for line in lines[1:]:
    device, size, used, free, percent, mount = line.split(None, 5)
    print(f"{mount.strip():<10} {int(free) // 1024:>8} MiB free, {percent} used")

stdin, stdout, stderr = client.exec_command("sort")
stdin.write("pear\napple\nfig\n")
stdin.close()
print("sorted over there:", stdout.read().decode().split())
client.close()
