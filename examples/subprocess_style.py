"""A log looked through, written for subprocess: the commands run on the other machine.

python subprocess_style.py USER@HOST[:PORT] [--key FILE] [--known-hosts FILE]
"""

import argparse

from openssh_compat import subprocess  # was: import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("--key")
parser.add_argument("--known-hosts")
args = parser.parse_args()

# This line is new: which machine it is about.
with subprocess.on(args.host, key=args.key, known_hosts=args.known_hosts) as subprocess:
    name = subprocess.check_output(["uname", "-n"], text=True).strip()
    print("on", name)

    log = "ok one\nerror: 'disk' $FULL\nok two\nerror: again\n"
    found = subprocess.run(["grep", "-c", "^error"], input=log, capture_output=True, text=True)
    print("errors in the log:", found.stdout.strip())

    try:
        subprocess.run(["ls", "/no such directory"], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        print("ls ended with", error.returncode)

    try:
        subprocess.run(["sleep", "60"], timeout=0.5)
    except subprocess.TimeoutExpired as error:
        print("gave up, and ended it over there, after", error.timeout, "s")

    watch = "while sleep 0.2; do uptime; done"
    with subprocess.Popen(["sh", "-c", watch], stdout=subprocess.PIPE, text=True) as watching:
        for _ in range(3):
            print("load:", watching.stdout.readline().rpartition(":")[2].strip())
        watching.terminate()
    print("the watch ended with", watching.returncode)
