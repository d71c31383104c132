"""The streams of a session on a proxy link: data to and from its channel, as far as the windows go."""

from __future__ import annotations

import os
from collections.abc import Callable

from .._cli.script import PidLine
from .._io.feed import Feed
from .._io.link import ProxyLink
from .._io.outlet import Outlet
from .._io.reactor import Reactor
from .._io.sinks import Chunk, PidFilter, Sink, ToPipe
from .._io.sources import FromBytes, FromDescriptor, Source
from .base import Input, KeptOpen, Output, Piped, Streams


class ProxyStreams:
    """Stdin, stdout and stderr of one channel. In the reactor's thread, but for making it.

    Args:
        pid_line: the line to be taken out of stdout, None when there will be none.
        told: given what stands in it.
    """

    def __init__(
        self,
        link: ProxyLink,
        reactor: Reactor,
        streams: Streams,
        *,
        pid_line: PidLine | None,
        told: Callable[[bytes], None],
    ) -> None:
        self._link = link
        self._reactor = reactor
        self._number: int | None = None
        self._descriptor: FromDescriptor | None = None
        self._source = self._make_source(streams.stdin)
        if streams.asking is not None:
            self._source = streams.asking.over_source(self._source, self.pump)
        out = self._make_sink(streams.stdout, self._stdout_broken)
        self._out = out if pid_line is None else PidFilter(pid_line.token.encode(), out, told)
        err = self._make_sink(streams.stderr, _nothing)
        self._err = err if streams.asking is None else streams.asking.over_sink(err)

    def _make_source(self, stdin: Input) -> Source | None:
        if stdin is None:
            return None
        if isinstance(stdin, Piped):
            self._descriptor = FromDescriptor(self._reactor, stdin.fd, self.pump)
            return self._descriptor
        if isinstance(stdin, KeptOpen):
            return FromBytes(stdin.data, ends=False)
        return FromBytes(stdin)

    def _make_sink(self, output: Output, broken: Callable[[], None]) -> Sink:
        if isinstance(output, Piped):
            os.set_blocking(output.fd, False)
            return ToPipe(self._reactor, output.fd, credit=self._credit, broken=broken)
        if isinstance(output, Feed):
            output.attach(self._credit)
        if isinstance(output, Outlet):
            output.attach(self._credit, lambda: self._reactor.submit(broken))
        return output

    @property
    def has_input(self) -> bool:
        """Whether anything will be sent."""
        return self._source is not None

    @property
    def nothing_came(self) -> bool:
        """Whether not even the line with the process id came, where there should be one."""
        return isinstance(self._out, PidFilter) and self._out.nothing_came

    def begin(self, number: int) -> None:
        """The channel is open. Input follows when its window does."""
        self._number = number

    def pump(self) -> None:
        """Send what input there is, as far as the window goes."""
        if self._source is None or self._number is None:
            return
        given = self._descriptor
        with self._link as link:
            if given is not None and given.marks:
                given.pass_marks()
            while (room := link.room(self._number)) > 0:
                piece = self._source.pull(room)
                if piece is None:
                    return
                if not piece:
                    link.eof(self._number)
                    self._drop_source()
                    return
                link.data(self._number, piece)
                if given is not None and given.marks:
                    given.pass_marks()

    def after_input(self, call: Callable[[], None]) -> None:
        """Have it called in the reactor's thread, when what was written to the input until now is sent, and before
        anything else is. From any thread."""
        given = self._descriptor
        if given is None:
            return self._reactor.submit(call)
        try:
            given.mark(call)
        finally:
            self._reactor.submit(self._pump_or_pass)

    def _pump_or_pass(self) -> None:
        if self._source is None and self._descriptor is not None:
            self._descriptor.pass_marks(all_of_them=True)
        self.pump()

    def received(self, data: Chunk, *, stderr: bool) -> None:
        """Output came; what is taken at once is credited at once."""
        taken = (self._err if stderr else self._out).write(data)
        if taken and self._number is not None:
            self._link.consumed(self._number, taken)

    def finish_output(self) -> None:
        """No more output will come."""
        self._out.finish()
        self._err.finish()

    def finish(self) -> None:
        """The channel is gone."""
        self.finish_output()
        self._drop_source()

    def part(self) -> PidFilter | None:
        """Let go of the search for the line with the process id; None when that is over."""
        line = self._out
        if not isinstance(line, PidFilter) or not line.searches:
            return None
        self._out = line.divert()
        return line

    def abandon(self) -> None:
        """In a forked child: close our copies of descriptors, and nothing else."""
        self._out.abandon()
        self._err.abandon()
        if self._source is not None:
            self._source.abandon()

    def _drop_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
            if self._descriptor is not None:
                self._descriptor.pass_marks(all_of_them=True)

    def _credit(self, count: int) -> None:
        if not self._reactor.is_current():
            self._reactor.submit(lambda: self._credit(count))
        elif self._number is not None:
            self._link.consumed(self._number, count)

    def _stdout_broken(self) -> None:
        # As ssh(1) does: the server then closes its end of the command's output, and the command gets the
        # SIGPIPE it would get at home instead of writing for ever.
        if self._number is not None:
            self._link.request(self._number, "eow@openssh.com", want_reply=False)


def _nothing() -> None:
    pass
