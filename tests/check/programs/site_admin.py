"""A program as people write them for paramiko: it looks after a small site on one host.

    site_admin.py HOST PORT USER KEY KNOWN_HOSTS FOLDER

It publishes a tree of files, keeps a journal, asks a service through a tunnel, talks to a shell, and runs reports in
several threads. What it prints depends on nothing but its work, so that two runs can be compared.
"""

import logging
import os
import posixpath
import select
import socket
import socketserver
import stat
import sys
import threading
import time
from contextlib import contextmanager

import paramiko
from paramiko import AutoAddPolicy, SSHClient
from paramiko.ssh_exception import AuthenticationException, BadHostKeyException, NoValidConnectionsError, SSHException

log = logging.getLogger("site_admin")

REPORTS = {
    "kernel": "uname -s",
    "words": "printf 'one two three' | wc -w",
    "sorted": "printf 'pear\\nfig\\napple\\n' | sort",
    "both": "echo to stdout; echo to stderr >&2",
    "fails": "echo before; exit 3",
}


class Site:
    """One host, and what is done on it."""

    def __init__(self, host, port, user, key, known_hosts):
        self.client = SSHClient()
        self.client.load_host_keys(known_hosts)
        self.client.set_missing_host_key_policy(AutoAddPolicy())
        self.client.connect(
            host,
            port=port,
            username=user,
            key_filename=key,
            timeout=30,
            banner_timeout=30,
            allow_agent=False,
            look_for_keys=False,
        )
        transport = self.client.get_transport()
        transport.set_keepalive(30)
        self._sftp = None
        self._lock = threading.Lock()

    @property
    def sftp(self):
        if self._sftp is None:
            self._sftp = self.client.open_sftp()
        return self._sftp

    def close(self):
        if self._sftp is not None:
            self._sftp.close()
        self.client.close()

    # ---- commands

    def run(self, command, check=True, data=None):
        """Output, errors and status of a command."""
        stdin, stdout, stderr = self.client.exec_command(command, timeout=60)
        if data is not None:
            stdin.write(data)
            stdin.flush()
        stdin.channel.shutdown_write()
        out, err = stdout.read().decode(), stderr.read().decode()
        status = stdout.channel.recv_exit_status()
        if check and status:
            raise RuntimeError("%r ended with %d: %s" % (command, status, err.strip()))
        return out, err, status

    def reports(self):
        """All reports at the same time, a thread each."""
        results = {}

        def work(name, command):
            results[name] = self.run(command, check=False)

        threads = [threading.Thread(target=work, args=item) for item in REPORTS.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    # ---- files

    def publish(self, local, remote):
        """Copy a tree there; files that are there with the same size are left alone."""
        count = 0
        for folder, _folders, names in os.walk(local):
            there = posixpath.normpath(posixpath.join(remote, os.path.relpath(folder, local)))
            self.make_folder(there)
            for name in sorted(names):
                source, target = os.path.join(folder, name), posixpath.join(there, name)
                if self.size_of(target) != os.path.getsize(source):
                    self.sftp.put(source, target)
                    self.sftp.chmod(target, 0o640)
                    count += 1
        return count

    def make_folder(self, path):
        try:
            self.sftp.stat(path)
        except FileNotFoundError:
            self.make_folder(posixpath.dirname(path))
            self.sftp.mkdir(path, 0o755)

    def size_of(self, path):
        try:
            return self.sftp.stat(path).st_size
        except IOError:
            return None

    def tree(self, path, depth=0):
        """Lines that show a tree."""
        for entry in sorted(self.sftp.listdir_attr(path), key=lambda one: one.filename):
            folder = stat.S_ISDIR(entry.st_mode)
            yield "%s%s%s" % ("  " * depth, entry.filename, "/" if folder else " %d" % entry.st_size)
            if folder:
                for line in self.tree(posixpath.join(path, entry.filename), depth + 1):
                    yield line

    def remove(self, path):
        for entry in self.sftp.listdir_attr(path):
            name = posixpath.join(path, entry.filename)
            if stat.S_ISDIR(entry.st_mode):
                self.remove(name)
            else:
                self.sftp.remove(name)
        self.sftp.rmdir(path)

    def journal(self, path, *lines):
        with self.sftp.open(path, "a") as file:
            for line in lines:
                file.write(line + "\n")
        with self.sftp.file(path) as file:
            return [line.rstrip("\n") for line in file]

    # ---- tunnel and shell

    @contextmanager
    def tunnel(self, host, port):
        """A port here that leads to a port there; yields its number."""
        transport = self.client.get_transport()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                channel = transport.open_channel("direct-tcpip", (host, port), self.request.getpeername())
                try:
                    while True:
                        ready, _, _ = select.select([self.request, channel], [], [], 30)
                        if self.request in ready:
                            data = self.request.recv(4096)
                            if not data:
                                break
                            channel.sendall(data)
                        if channel in ready:
                            data = channel.recv(4096)
                            if not data:
                                break
                            self.request.sendall(data)
                finally:
                    channel.close()

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield server.server_address[1]
            server.shutdown()

    def dialogue(self, *questions):
        """Ask a shell on a terminal, one thing after the other."""
        channel = self.client.invoke_shell(term="dumb", width=200)
        channel.settimeout(30)
        answers, text = [], ""
        for number, question in enumerate(questions):
            channel.send("echo begin''-%d; %s; echo end''-%d\n" % (number, question, number))
            while "end-%d\r\n" % number not in text:
                text += channel.recv(4096).decode()
            said = text.split("begin-%d\r\n" % number)[1].split("end-%d\r\n" % number)[0]
            answers.append(said.strip())
        channel.close()
        return answers


def serve_once(listener):
    peer, _ = listener.accept()
    with peer:
        peer.sendall(b"you said " + peer.recv(100))


def main(host, port, user, key, known_hosts, folder):
    logging.basicConfig(level=logging.WARNING)
    try:
        site = Site(host, int(port), user, key, known_hosts)
    except (AuthenticationException, BadHostKeyException, NoValidConnectionsError, SSHException) as error:
        sys.exit("no connection: %s" % error)
    try:
        print("connected:", site.client.get_transport().is_authenticated())
        for name, (out, err, status) in sorted(site.reports().items()):
            print(name, repr(out), repr(err), status)
        print(site.run("tr a-z A-Z", data="shout\n")[0].strip())
        try:
            site.run("exit 7")
        except RuntimeError as error:
            print(error)
        remote = posixpath.join(folder, "srv", "site")
        print("published", site.publish(os.path.join(folder, "src"), remote), "files")
        print("published", site.publish(os.path.join(folder, "src"), remote), "files")
        print("\n".join(site.tree(remote)))
        print(oct(site.sftp.stat(remote + "/index.html").st_mode & 0o777))
        print(site.journal(remote + "/journal", "first", "second"))
        print(site.journal(remote + "/journal", "third"))
        site.sftp.posix_rename(remote + "/journal", remote + "/old journal")
        site.sftp.get(remote + "/old journal", os.path.join(folder, "fetched"))
        print(open(os.path.join(folder, "fetched")).read().split())
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=serve_once, args=(listener,), daemon=True).start()
            with site.tunnel("127.0.0.1", listener.getsockname()[1]) as local:
                with socket.create_connection(("127.0.0.1", local), 30) as sock:
                    sock.sendall(b"hello")
                    print(sock.recv(100).decode())
        try:
            site.client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 0))
        except paramiko.ChannelException as error:
            print("refused:", error.code)
        print(site.dialogue("echo $((6*7))", "cd /; pwd", "echo $TERM"))
        site.remove(posixpath.join(folder, "srv"))
        print("left:", sorted(os.listdir(folder)))
    finally:
        site.close()
    began = time.monotonic()
    while site.client.get_transport() is not None and time.monotonic() < began + 30:
        time.sleep(0.01)
    print("closed:", site.client.get_transport() is None)


if __name__ == "__main__":
    main(*sys.argv[1:])
