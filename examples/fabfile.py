"""Tasks written for fabric; one line of it has changed.

python -m openssh_compat.fabric -r examples -H USER@HOST[:PORT] release --version 1.2
"""

from openssh_compat.fabric import task  # was: from fabric import task


@task
def release(c, version="1.0"):
    """Put a release into a directory of its own and point `current` at it."""
    base = c.run("mktemp -d", hide=True).stdout.strip()
    with c.cd(base):
        c.run(f"mkdir -p releases/{version}")
        c.run(f"echo release {version} > releases/{version}/VERSION")
        c.run(f"ln -sfn releases/{version} current")
        c.run("cat current/VERSION")
    c.run(f"rm -r {base}")


@task
def health(c):
    """A check that may fail without ending everything."""
    done = c.run("test -e /no/such/pidfile", warn=True, hide=True)
    print("the service runs" if done.ok else f"the service does not run (status {done.exited})")
