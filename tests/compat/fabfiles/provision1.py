"""Provisioning, with fabric 1: templates, files of root, and a service that starts anew."""

import os

from openssh_compat.fabric.api import cd, env, hide, run, settings, shell_env, sudo, task
from openssh_compat.fabric.contrib.files import append, contains, upload_template

env.use_ssh_config = True
env.ssh_config_path = "ssh_config"
env.shell = "/bin/sh -c"
env.etc = os.environ["ETC"]


@task
def provision(workers="4"):
    """Have the host as it should be."""
    folder = "%s/%s" % (env.etc, env.host_string)
    sudo("mkdir -p %s" % folder)
    context = {"host": env.host_string, "workers": workers}
    upload_template("app.conf", folder + "/app.conf", context, template_dir="templates1", use_sudo=True, mode=0o644)
    append(folder + "/hosts", ["10.0.0.1 db", "10.0.0.2 cache"], use_sudo=True)
    append(folder + "/hosts", "10.0.0.1 db", use_sudo=True)
    with shell_env(SERVICE_HOST=env.host_string), hide("running", "stdout"):
        print("%s: %s" % (env.host_string, sudo("%s restart app" % os.environ["SERVICE"])))


@task
def status():
    """What there is."""
    with cd("%s/%s" % (env.etc, env.host_string)), settings(hide("running")):
        run("grep -c . hosts")
        print(contains("app.conf", "workers"))
