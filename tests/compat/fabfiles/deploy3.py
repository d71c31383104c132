"""Deployment, with fabric 3: releases side by side, a link to the one that counts, and the way back."""

from invoke import Exit

from openssh_compat.fabric import task


def place(c):
    return f"{c.config.deploy.root}/{c.original_host}"


def releases(c):
    return c.run(f"ls -1t {place(c)}/releases", hide=True).stdout.split()


def current(c):
    return c.run(f"basename $(readlink {place(c)}/current)", hide=True, warn=True).stdout.strip()


@task
def pack(c):
    """Make the archive, once."""
    c.run("tar -czf app.tar.gz -C app .")


@task(pre=[pack])
def deploy(c, version, keep=2):
    """Bring a version to the hosts, and have it count."""
    release = f"{place(c)}/releases/{version}"
    c.run(f"mkdir -p {release} {place(c)}/shared")
    c.put("app.tar.gz", f"{release}/")
    with c.cd(release):
        c.run("tar -xzf app.tar.gz && rm app.tar.gz")
        c.run(f"ln -sfn {place(c)}/shared shared")
        if c.run("sh ./check.sh", warn=True, hide=True).failed:
            c.run(f"rm -r {release}")
            raise Exit(f"{c.original_host}: version {version} does not pass its own check", code=3)
    link(c, version)
    for old in releases(c)[int(keep) :]:
        c.run(f"rm -r {place(c)}/releases/{old}")
    print(f"{c.original_host}: {version} of {len(releases(c))} releases")


def link(c, version):
    with c.cd(place(c)):
        c.run(f"ln -sfn releases/{version} current.new && mv -T current.new current")


@task
def rollback(c):
    """Go back to the release before this one."""
    now = current(c)
    others = [version for version in releases(c) if version != now]
    if not others:
        raise Exit(f"{c.original_host}: there is nothing to go back to")
    link(c, others[0])
    print(f"{c.original_host}: back from {now} to {current(c)}")
