"""Packs a directory through a chain of programs, checks what came out, and keeps the newest two."""

import subprocess
import sys

source, target = sys.argv[1:]

subprocess.check_call(["mkdir", "-p", target])
for number in range(3):
    name = f"{target}/backup-{number}.tar.gz"
    with subprocess.Popen(["tar", "-cf", "-", "."], cwd=source, stdout=subprocess.PIPE) as tar:
        with subprocess.Popen(["gzip", "-c"], stdin=tar.stdout, stdout=subprocess.PIPE) as gzip:
            tar.stdout.close()
            with subprocess.Popen(["tee", name], stdin=gzip.stdout, stdout=subprocess.PIPE) as tee:
                gzip.stdout.close()
                size = 0
                while data := tee.stdout.read(65536):
                    size += len(data)
    assert [tar.returncode, gzip.returncode, tee.returncode] == [0, 0, 0]
    stored = int(subprocess.check_output(["sh", "-c", 'wc -c < "$0"', name]))
    print("backup", number, "is whole:", size == stored, subprocess.call(["gzip", "-t", name]))

listing = subprocess.run(["tar", "-tzf", name], capture_output=True, text=True, check=True).stdout
print(sorted(line for line in listing.splitlines() if not line.endswith("/")))
print("content:", subprocess.check_output(["tar", "-xzOf", name, "./notes.txt"]))

old = subprocess.check_output("ls -r | tail -n +3", shell=True, cwd=target, text=True).split()
subprocess.run(["xargs", "rm", "--"], cwd=target, input="\n".join(old), text=True, check=True)
print("kept:", subprocess.getoutput(f"ls {target}").split())
damaged = subprocess.run(["gzip", "-t"], input=b"no archive", stderr=subprocess.DEVNULL)
print("damaged:", damaged.returncode)
