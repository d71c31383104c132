"""Deployment, with fabric 1: releases side by side, a link to the one that counts, and the way back."""

import os

from openssh_compat.fabric.api import abort, cd, env, execute, hide, local, put, run, runs_once, settings, task
from openssh_compat.fabric.contrib.files import exists

env.use_ssh_config = True
env.ssh_config_path = "ssh_config"
env.shell = "/bin/sh -c"
env.root = os.environ["DEPLOY_ROOT"]


def place(*names):
    return "/".join([env.root, env.host_string, *names])


@task
@runs_once
def pack():
    """Make the archive, once."""
    local("tar -czf app.tar.gz -C app .")


@task
def deploy(version):
    """Bring a version to the hosts, and have it count."""
    execute(pack)
    release = place("releases", version)
    if exists(release):
        abort("version %s is there already" % version)
    run("mkdir -p %s" % release)
    put("app.tar.gz", release + "/")
    with cd(release):
        run("tar -xzf app.tar.gz && rm app.tar.gz")
        with settings(hide("everything"), warn_only=True):
            checked = run("sh ./check.sh")
        if checked.failed:
            run("rm -r %s" % release)
            abort("version %s does not pass its own check" % version)
    link(version)


def link(version):
    with cd(place()):
        run("ln -sfn releases/%s current.new && mv -T current.new current" % version)


@task
def rollback():
    """Go back to the release before this one."""
    with hide("running", "stdout"):
        now = run("basename $(readlink %s)" % place("current"))
        others = [name for name in run("ls -1t %s" % place("releases")).split() if name != now]
    link(others[0])
    print("%s: back from %s to %s" % (env.host_string, now, others[0]))
