"""Logging in: what `connect` was told becomes a master, and that a connection."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .._cli.argv import check_control_path
from .._io.deadline import Deadline
from .._io.socket_like import Connected, Given, close_given, handing_over
from ..errors import InvalidInput
from ..master import Master
from ..options import Target
from ..starting import AnyLauncher, adopt_master, persistent_master, running_master, start_master
from .access import Access, Dial, policy_of
from .arguments import Arguments, ConnectOptions
from .front import Connection
from .life import Forwards

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .gateways import Way

# Seconds that a login on the way gets at least, to say itself that there is no time left.
_SHORTEST_LIMIT = 0.01


Connector = Callable[..., "Connection"]
"""Takes what `connect` takes."""

_diversions: list[Connector] = []
_inside = threading.local()


@contextlib.contextmanager
def diverted(connector: Connector) -> Iterator[None]:
    """Until the end of the block, `openssh_core.connect` calls this function instead, in all threads.

    Inside that function `connect` is itself again. Blocks may be nested: the innermost counts.

    Args:
        connector: called as `connector(target, **options)`; what it returns is what `connect` returns.
    """
    _diversions.append(connector)
    try:
        yield
    finally:
        _diversions.remove(connector)


def _divert(connector: Connector, target: str, options: ConnectOptions) -> Connection:
    _inside.a_diversion = True
    try:
        return connector(target, **options)
    finally:
        _inside.a_diversion = False


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
        login_handler: a callable that talks with ssh on a terminal of its own, in place of the three above: it is given
            a `pexpect.spawn` object (which reads text and does not echo) and returns when it has said everything. For
            devices with a dialogue before they let anybody in, and for an ssh before 8.4.
        agent: False to leave the ssh-agent out.
        host_keys: what happens to a host key that is in no known_hosts file: `strict` refuses it, `accept-new`
            records it, `warn` accepts it unrecorded, `config` leaves it to ssh_config. A changed key is never accepted,
            but by `config` where ssh_config says so. A callable decides itself: it is given the `HostKey` and returns
            True to accept it for this connection, "record" to record it as well; everything else, and an exception,
            refuses it. It is not asked about changed and revoked keys: these are refused. Needs OpenSSH 8.5.
        known_hosts: file(s) to use instead of the usual ones, or lines as in such a file (str or bytes). What is to be
            recorded goes into the first.
        connect_timeout: seconds for all of it, login and questions included; None for no limit.
        stage_timeouts: how long each of its stages may take besides.
        config_file: instead of ~/.ssh/config and the system's; `none` for no configuration at all.
        control_dir: an existing directory of yours for the control socket's own private directory.
        control_path: take up the master that listens there, instead of starting one; it will not be ended by us.
        sock: connected to the server already: a socket, a descriptor, or an object that can `send`, `recv` and `close`
            like one. ssh does not connect then, and the target only says whom to expect there. It becomes this
            connection's own, and is closed with it: also when this raises, whatever was wrong.
        gateway: the way to a host that cannot be reached directly: another connection; a target to log in to first,
            with the same keys; the URL of a proxy, as `socks5://user:password@host:port` (also http, https, socks4,
            socks4a); a function that is given a host and a port and returns something like `sock`; several of these in
            a list, the nearest first; or a `Gateway`. What it opens is closed with this connection.
        options: further options of ssh_config(5).
        ssh: the ssh program.
        keepalive: seconds of silence after which ssh asks the server whether it is still there; three times
            unanswered ends the connection.
        forward_agent, forward_x11: whether commands on the server may use our ssh-agent, and our display. False: never,
            whatever ssh_config says. True: those that ask for it (`run(..., forward_agent=True)`). "always": all.
            sshd gives the agent to the whole connection: from the first command that asks on, the others have it, too,
            and so has whoever is root there.
        persist: seconds the master outlives its last user. The next program (or the next `connect` of this one) that
            asks for the same with the same options takes it up in a few milliseconds, without a new login; options that
            differ never share one. Such a connection sees a death by a signal as a missing status, and cannot change
            the size of a terminal. The secrets are not compared.
        lazy: log in when the connection is first used, not now. What cannot be is still said now.
        reconnect: True, or a `Reconnect`: before the next command, log in again when the connection was lost. A command
            that was running then has failed; it is not run again. None or False: a lost connection stays lost.
        spare: keep one session open in advance, which saves a round trip for each command.
        encoding, errors: how output is made into text; encoding=None gives bytes.
        defaults: what commands get unless a call says otherwise.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: one of its subclasses says what cannot be; nothing was started.
    """
    if _diversions and not getattr(_inside, "a_diversion", False):
        return _divert(_diversions[-1], target, options)
    return connect_really(target, **options)


def connect_really(target: str, **options: Unpack[ConnectOptions]) -> Connection:
    """The same, whoever `connect` is diverted to."""
    with owning(options):
        given = Arguments.of(options)
        connection = prepared(target, given)
    if not given.lazy:
        try:
            connection._live()
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def owning(options: ConnectOptions) -> Iterator[None]:
    """`sock=` is ours from the first moment: when nothing comes of these options, it is closed."""
    try:
        yield
    except BaseException:
        close_given(options.get("sock"))
        raise


def prepared(target: str, given: Arguments, launched: Callable[[AnyLauncher], None] | None = None) -> Connection:
    """A connection that is not logged in yet, with everything checked.

    Args:
        launched: told of each ssh that is started for it.
    """
    where = given.target(target)
    name = str(where)
    way = way_for(given)
    sock = Given(given.sock)
    access = Access(_dialler(given, where, way, sock, launched), name, policy_of(given.reconnect))
    connection = Connection(access, name, encoding=given.encoding, errors=given.errors, defaults=given.defaults)
    connection._beneath = sock if way is None else way
    ours = given.control_path is None
    connection._forwards = Forwards(*(given.forward_agent, given.forward_x11) if ours else (None, None))
    return connection


def stop_persistent(target: str, **options: Unpack[ConnectOptions]) -> bool:
    """End the master that `connect` with these arguments, `persist=` among them, would take up.

    Returns:
        whether there was one.

    Raises:
        InvalidInput: one of its subclasses says what cannot be.
    """
    given = Arguments.of(options)
    if given.persist is None:
        raise InvalidInput("persist= is missing: only with it is there a master that outlives its program")
    master = running_master(given.order(given.target(target)))
    if master is not None:
        master.end()
    return master is not None


def _dialler(
    given: Arguments, where: Target, way: Way | None, sock: Given, launched: Callable[[AnyLauncher], None] | None
) -> Dial:
    """What logs in, with everything checked before the first time."""
    timeout = given.connect_timeout
    if given.control_path is not None:
        path, name = os.fspath(given.control_path), str(where)
        check_control_path(path)
        return lambda: adopt_master(path, name, Deadline.after(timeout), ssh=given.ssh)
    order = given.order(where).replace(launched=launched)
    if order.persist is not None:
        return lambda: persistent_master(order, Deadline.after(timeout))

    def dial() -> Master:
        deadline = Deadline.after(timeout)
        with handing_over(sock.take()) as handed:
            transport = handed if way is None else way.transport(order.options)
            return start_master(order.replace(transport=transport), deadline)

    return dial


def way_for(given: Arguments) -> Way | None:
    """What `gateway=` leads through; None without one.

    Raises:
        InvalidInput: one of its subclasses says what cannot be.
    """
    if given.gateway is None:
        return None
    from .gateways import Gateway, Way, address_of, make_gateway

    hops = given.for_hops()

    def log_in(target: str, sock: Connected | None, deadline: Deadline) -> Connection:
        left = deadline.left()
        limit = None if left is None else max(left, _SHORTEST_LIMIT)
        return connect_really(target, **hops, sock=sock, connect_timeout=limit, spare=False)

    def resolve(target: str) -> tuple[str, int]:
        one = Arguments.of(hops)
        return address_of(one.order(one.target(target)).options)

    gateway = make_gateway(given.gateway, log_in, resolve)
    return Way(gateway, owned=not isinstance(given.gateway, Gateway))
