"""sftpretty: a transport built by hand, trees up and down, with the host key looked up; and fabric's put and get."""

import io
import os
import sys

from fabric import Connection as Host
from sftpretty import CnOpts, Connection

folder = sys.argv[1]
host, port, user = os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]), os.environ["SERVER_USER"]
key = os.path.expanduser("~/.ssh/id_ed25519")
os.makedirs(f"{folder}/local/sub")
for name in ("one", "sub/two"):
    with open(f"{folder}/local/{name}", "w") as file:
        file.write(name * 1000)
with Connection(host, port=port, username=user, private_key=key, cnopts=CnOpts()) as sftp:
    sftp.mkdir(f"{folder}/there")
    sftp.put_d(f"{folder}/local", f"{folder}/there")
    sftp.mkdir(f"{folder}/there/local/sub")
    sftp.put(f"{folder}/local/sub/two", f"{folder}/there/local/sub/two")
    print(sorted(sftp.listdir(f"{folder}/there/local")), sftp.stat(f"{folder}/there/local/sub/two").st_size)
    with sftp.cd(f"{folder}/there/local"):
        sftp.rename("one", "renamed")
        print(sftp.exists("renamed"), sftp.isdir("sub"), sftp.isfile("sub"))
    sftp.get(f"{folder}/there/local/renamed", f"{folder}/back")
    print(open(f"{folder}/back").read() == "one" * 1000)

with Host(f"{user}@{host}:{port}") as c:
    c.put(io.StringIO("from memory"), f"{folder}/memory")
    c.put(f"{folder}/back", f"{folder}/there")
    out = io.BytesIO()
    c.get(f"{folder}/memory", out)
    print(out.getvalue(), c.run(f"ls {folder}/there", hide=True).stdout.split())
