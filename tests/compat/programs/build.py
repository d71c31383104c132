"""Builds what there is to build in a directory, tells what failed, and runs what came out."""

import os
import subprocess
import sys

source, target = sys.argv[1:]


def compiled(name):
    """Compile one file; whether that worked."""
    out = os.path.join(target, name.removesuffix(".c"))
    try:
        subprocess.run(["cc", "-o", out, name], cwd=source, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        print(f"{name}: cc ended with {error.returncode}")
        assert "error" in error.stderr
        return False
    return True


compiler = subprocess.check_output(["cc", "-dumpversion"], text=True).strip()
print("compiler", compiler)
subprocess.check_call(["mkdir", "-p", target])
names = subprocess.check_output("ls *.c", shell=True, cwd=source, text=True).split()
built = [name.removesuffix(".c") for name in names if compiled(name)]
print("built", built)
for name in built:
    env = {"PATH": os.environ["PATH"], "GREETING": "it's me"}
    done = subprocess.run(["./" + name, "a b", "*"], cwd=target, env=env, stdout=subprocess.PIPE, text=True, timeout=60)
    print(name, done.returncode, repr(done.stdout))
try:
    subprocess.run([os.path.join(target, "broken")])
except FileNotFoundError as error:
    print("not there:", os.path.basename(error.filename))
print(subprocess.getoutput(f"ls {target} | wc -l").strip(), "programs")
