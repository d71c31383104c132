"""Operations, with fabric 3: roles at once, and a dump of the database fetched."""

import gzip

from openssh_compat.fabric import Connection, ThreadingGroup, task


@task
def uptime(c):
    """How the hosts are."""
    c.run(f"echo up since {c.original_host}")


@task
def dump(c, name="app"):
    """Dump a database there, fetch it, and leave nothing behind."""
    path = c.run("mktemp", hide=True).stdout.strip()
    try:
        c.run(f"{c.config.dump} {name} | gzip >{path}")
        got = c.get(path, f"dumps/{c.original_host}-{name}.sql.gz")
    finally:
        c.run(f"rm {path}")
    with gzip.open(got.local, "rt") as file:
        print(f"{c.original_host}: {len(file.readlines())} lines")


@task
def versions(c):
    """The kernel of all hosts of the configuration, from one task."""
    hosts = [*c.config.roles.web, c.config.roles.db]
    with ThreadingGroup(*hosts, config=c.config) as group:
        for connection, result in group.run("uname -s", hide=True).items():
            print(connection.original_host, result.stdout.strip())


@task
def copy_to(c, target):
    """Take a dump from this host to another one."""
    c.run(f"{c.config.dump} app >{c.config.spool}/{c.original_host}.sql")
    c.get(f"{c.config.spool}/{c.original_host}.sql", "passing.sql")
    with Connection(target, config=c.config) as other:
        other.put("passing.sql", f"{c.config.spool}/{target}-from-{c.original_host}.sql")
        other.run(f"wc -l <{c.config.spool}/{target}-from-{c.original_host}.sql")
