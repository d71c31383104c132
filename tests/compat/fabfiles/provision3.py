"""Provisioning, with fabric 3: templates, files of root, and a service that starts anew when something has changed."""

import io
from pathlib import Path
from string import Template

from openssh_compat.fabric import task


def fill_in(c, name, **values):
    text = Template(Path("templates", name).read_text()).substitute(values, host=c.original_host)
    target = f"{c.config.etc}/{c.original_host}/{name}"
    before = c.sudo(f"cat {target}", hide=True, warn=True).stdout
    if before == text:
        return False
    c.put(io.StringIO(text), target, sudo=True)
    return True


def service(c, *words):
    return c.sudo(f"{c.config.service} {' '.join(words)}", env={"SERVICE_HOST": c.original_host}, hide=True).stdout


@task
def provision(c, workers=4):
    """Have the host as it should be."""
    c.sudo(f"mkdir -p {c.config.etc}/{c.original_host}")
    changed = [name for name in ("app.conf", "proxy.conf") if fill_in(c, name, workers=workers)]
    if changed:
        print(f"{c.original_host}: {', '.join(changed)} changed; {service(c, 'restart', 'app').strip()}")
    else:
        print(f"{c.original_host}: nothing to do")


@task
def status(c):
    """What the service says."""
    with c.cd(f"{c.config.etc}/{c.original_host}"):
        print(c.run("grep -h workers *.conf", hide=True).stdout.strip())
