"""fsspec's SFTP file system, and smart_open: files up, down, listed, renamed and read in pieces."""

import os
import sys

import fsspec
import smart_open

folder = sys.argv[1]
host, port, user = os.environ["SERVER_HOST"], int(os.environ["SERVER_PORT"]), os.environ["SERVER_USER"]
fs = fsspec.filesystem("sftp", host=host, port=port, username=user)
fs.makedirs(f"{folder}/a/b", exist_ok=True)
with fs.open(f"{folder}/a/data", "wb") as file:
    file.write(bytes(range(256)) * 1000)
with fs.open(f"{folder}/a/data", "rb") as file:
    file.seek(255_000)
    print(fs.info(f"{folder}/a/data")["size"], len(file.read()))
fs.mv(f"{folder}/a/data", f"{folder}/a/moved")
print(sorted(os.path.basename(name) for name in fs.ls(f"{folder}/a", detail=False)))
fs.put(__file__, f"{folder}/a/program")
fs.get(f"{folder}/a/program", f"{folder}/back")
print(open(f"{folder}/back").read() == open(__file__).read())
print(sorted(os.path.basename(path) for path in fs.find(folder)))
fs.rm(f"{folder}/a", recursive=True)
print(fs.exists(f"{folder}/a"))

url = f"sftp://{user}@{host}:{port}/{folder}/smart"
with smart_open.open(url, "w") as file:
    file.write("one\ntwo\n")
with smart_open.open(url) as file:
    print([line.strip() for line in file])
