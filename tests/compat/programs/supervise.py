"""Keeps some workers running: whoever dies is started again, at most so often; at the end all are asked to go."""

import select
import signal
import subprocess
import sys

WORKER = """
trap 'echo bye; exit 0' TERM
echo "$0 up"
case $0 in
    crash) exit 3;;
    killed) kill -9 $$;;
    stubborn) trap '' TERM;;
esac
while :; do sleep 0.05; done
"""


class Worker:
    def __init__(self, name):
        self.name = name
        self.ends = []
        self.start()

    def start(self):
        command = ["sh", "-c", WORKER, self.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)

    def said(self):
        return self.process.stdout.readline().strip()

    def look_after(self):
        """Start it again if it has ended; whether it is worth another look."""
        if self.process.poll() is None:
            return False
        self.process.stdout.close()
        self.ends.append(self.process.returncode)
        if len(self.ends) < 3:
            self.start()
            return True
        return False


try:
    subprocess.Popen(["no-such-worker"])
except FileNotFoundError:
    print("no such worker")

workers = {name: Worker(name) for name in ("steady", "crash", "killed", "stubborn")}
for worker in workers.values():
    assert select.select([worker.process.stdout], [], [], 60)[0]
    print(worker.said())
for name in ("crash", "killed"):
    worker = workers[name]
    while len(worker.ends) < 3:
        worker.process.wait(60)
        worker.look_after()
    print(name, worker.ends)

steady, stubborn = workers["steady"].process, workers["stubborn"].process
assert steady.poll() is None and stubborn.poll() is None
for process in (steady, stubborn):
    process.terminate()
print("steady", steady.wait(60), workers["steady"].said())
try:
    stubborn.wait(0.3)
except subprocess.TimeoutExpired:
    stubborn.send_signal(signal.SIGKILL)
print("stubborn", stubborn.wait(60))
for process in (steady, stubborn):
    process.stdout.close()
sys.exit(7)
