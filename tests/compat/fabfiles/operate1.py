"""Operations, with fabric 1: roles at once, and a dump of the database fetched."""

import os

from openssh_compat.fabric.api import env, execute, get, hide, parallel, roles, run, runs_once, settings, task

env.use_ssh_config = True
env.ssh_config_path = "ssh_config"
env.shell = "/bin/sh -c"
env.roledefs = {"web": ["h0", "h1"], "db": ["h2"]}


@task
@roles("web")
@parallel(pool_size=2)
def uptime():
    """How the hosts are."""
    return run("echo up since %s" % env.host_string)


@task
@roles("db")
def dump(name="app"):
    """Dump a database there, fetch it, and leave nothing behind."""
    with hide("running", "stdout"):
        path = run("mktemp")
        try:
            run("%s %s >%s" % (os.environ["DUMP"], name, path))
            got = get(path, "dumps/%(host)s-" + name + ".sql")
        finally:
            run("rm %s" % path)
    with open(got[0]) as file:
        print("%s: %d lines" % (env.host_string, len(file.readlines())))


@task
@runs_once
def report():
    """What all hosts say, in one place."""
    with settings(hide("everything")):
        said = execute(uptime)
    for host in sorted(said):
        print("%s says %s" % (host, said[host]))
