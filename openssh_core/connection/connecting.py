"""Logging in: what `connect` was told becomes a master, and that a connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .._io.deadline import Deadline
from .._io.socket_like import handing_over
from ..master import Master
from ..starting import adopt_master, start_master
from .arguments import Arguments, ConnectOptions
from .front import Connection

if TYPE_CHECKING:
    from typing_extensions import Unpack


def connect(target: str, **options: Unpack[ConnectOptions]) -> Connection:
    """Log in to a host.

    Args:
        target: `host`, `user@host:port`, a Host alias of ssh_config, or an ssh:// URL.
        user, port: instead of in the target.
        key: private key file(s); nothing else is offered then, but for what the agent has of them. Also the text of
            private keys (str, bytes, `PrivateKey`): such a key is held by an ssh-agent of its own during the login and
            never written to the disk; another agent is not asked then.
        certificate: file(s) with certificates for the keys, or their text.
        password, passphrase: the secret, or a callable that is given ssh's question and returns the answer (or None).
            A secret is given once; the password only to the user and host that was asked for, not to jump hosts.
            Without any of them and `answer` ssh asks nothing (BatchMode).
        answer: a callable for every other question (one-time codes, passwords of jump hosts, PINs of tokens): it is
            given a `Prompt` and returns the answer, or None to give up. Questions about host keys are not among them.
        agent: False to leave the ssh-agent out.
        host_keys: what happens to a host key that is in no known_hosts file: `strict` refuses it, `accept-new`
            records it, `warn` accepts it unrecorded, `config` leaves it to ssh_config. A changed key is never accepted,
            but by `config` where ssh_config says so. A callable decides itself: it is given the `HostKey` and returns
            True to accept it for this connection, "record" to record it as well; everything else, and an exception,
            refuses it. It is not asked about changed and revoked keys: these are refused. Needs OpenSSH 8.5.
        known_hosts: file(s) to use instead of the usual ones, or lines as in such a file (str or bytes). What is to be
            recorded goes into the first.
        connect_timeout: seconds for all of it, login and questions included; None for no limit.
        config_file: instead of ~/.ssh/config and the system's; `none` for no configuration at all.
        control_dir: an existing directory of yours for the control socket's own private directory.
        control_path: take up the master that listens there, instead of starting one; it will not be ended by us.
        sock: connected to the server already: a socket, a descriptor, or an object that can `send`, `recv` and `close`
            like one. ssh does not connect then, and the target only says whom to expect there. It becomes this
            connection's own.
        options: further options of ssh_config(5).
        ssh: the ssh program.
        keepalive: seconds of silence after which ssh asks the server whether it is still there; three times
            unanswered ends the connection.
        spare: keep one session open in advance, which saves a round trip for each command.
        encoding, errors: how output is made into text; encoding=None gives bytes.
        defaults: what commands get unless a call says otherwise.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: one of its subclasses says what cannot be; nothing was started.
    """
    given = Arguments.of(options)
    where = given.target(target)
    deadline = Deadline.after(given.connect_timeout)
    name = str(where)
    if given.control_path is not None:
        master: Master = adopt_master(os.fspath(given.control_path), name, deadline, ssh=given.ssh)
    else:
        with handing_over(given.sock) as transport:
            master = start_master(given.order(where).replace(transport=transport), deadline)
    connection = Connection(master, name, encoding=given.encoding, errors=given.errors)
    connection.defaults = given.defaults
    return connection
