"""SFTP version 3, byte for byte as draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openssh_core._wire import sftp as wire
from openssh_core._wire import sftp_extensions as extensions
from openssh_core._wire import sftp_replies as replies
from openssh_core._wire.primitives import Reader, string, u32, u64
from openssh_core._wire.sftp_attrs import Attributes, Entry
from openssh_core.errors import Malformed

SOME = Attributes(size=5, permissions=0o644)
SOME_BYTES = "00000005 0000000000000005 000001a4"

REQUESTS = [
    (wire.Open(b"/f", wire.READ), "03 00000007 00000002 2f66 00000001 00000000"),
    (wire.Open(b"/f", wire.WRITE | wire.CREATE, SOME), "03 00000007 00000002 2f66 0000000a" + SOME_BYTES),
    (wire.Close(b"h"), "04 00000007 00000001 68"),
    (wire.Read(b"h", 2**40, 32768), "05 00000007 00000001 68 0000010000000000 00008000"),
    (wire.Write(b"h", 3, b"abc"), "06 00000007 00000001 68 0000000000000003 00000003 616263"),
    (wire.LStat(b"/f"), "07 00000007 00000002 2f66"),
    (wire.FStat(b"h"), "08 00000007 00000001 68"),
    (wire.SetStat(b"/f", SOME), "09 00000007 00000002 2f66" + SOME_BYTES),
    (wire.FSetStat(b"h", SOME), "0a 00000007 00000001 68" + SOME_BYTES),
    (wire.OpenDir(b"/d"), "0b 00000007 00000002 2f64"),
    (wire.ReadDir(b"h"), "0c 00000007 00000001 68"),
    (wire.Remove(b"/f"), "0d 00000007 00000002 2f66"),
    (wire.MakeDir(b"/d"), "0e 00000007 00000002 2f64 00000000"),
    (wire.RemoveDir(b"/d"), "0f 00000007 00000002 2f64"),
    (wire.RealPath(b"."), "10 00000007 00000001 2e"),
    (wire.Stat(b"/f"), "11 00000007 00000002 2f66"),
    (wire.Rename(b"a", b"b"), "12 00000007 00000001 61 00000001 62"),
    (wire.ReadLink(b"l"), "13 00000007 00000001 6c"),
    # What it leads to first, then the link: OpenSSH's order.
    (wire.Symlink(b"to", b"l"), "14 00000007 00000002 746f 00000001 6c"),
]


def sent(request: wire.Request) -> bytes:
    return b"".join(request.pieces(7))


@pytest.mark.parametrize(("request_", "expected"), REQUESTS, ids=lambda value: type(value).__name__)
def test_requests(request_: wire.Request, expected: str) -> None:
    body = bytes.fromhex(expected)
    assert sent(request_) == u32(len(body)) + body


EXTENDED = [
    (extensions.PosixRename(b"a", b"b"), b"posix-rename@openssh.com", string(b"a") + string(b"b")),
    (extensions.StatVfs(b"/"), b"statvfs@openssh.com", string(b"/")),
    (extensions.FStatVfs(b"h"), b"fstatvfs@openssh.com", string(b"h")),
    (extensions.HardLink(b"a", b"b"), b"hardlink@openssh.com", string(b"a") + string(b"b")),
    (extensions.FSync(b"h"), b"fsync@openssh.com", string(b"h")),
    (extensions.LSetStat(b"l", SOME), b"lsetstat@openssh.com", string(b"l") + bytes.fromhex(SOME_BYTES)),
    (extensions.AskLimits(), b"limits@openssh.com", b""),
    (extensions.ExpandPath(b"~"), b"expand-path@openssh.com", string(b"~")),
    (
        extensions.CopyData(b"a", 1, 2, b"b", 3),
        b"copy-data",
        string(b"a") + u64(1) + u64(2) + string(b"b") + u64(3),
    ),
    (extensions.HomeDirectory(b"joe"), b"home-directory", string(b"joe")),
    (
        extensions.UsersGroupsById((0, 1), (2,)),
        b"users-groups-by-id@openssh.com",
        string(u32(0) + u32(1)) + string(u32(2)),
    ),
]


@pytest.mark.parametrize(("request_", "name", "rest"), EXTENDED, ids=lambda value: type(value).__name__)
def test_extended_requests(request_: wire.Request, name: bytes, rest: bytes) -> None:
    body = b"\xc8" + u32(7) + string(name) + rest
    assert sent(request_) == u32(len(body)) + body


def test_the_first_packet() -> None:
    assert wire.init() == bytes.fromhex("00000005 01 00000003")


def test_data_is_sent_from_where_it_lies() -> None:
    data = memoryview(bytearray(100_000))
    head, payload = wire.Write(b"h", 0, data).pieces(1)
    assert payload is data
    assert len(head) < 64


def test_a_large_answer_is_read_from_where_it_lies() -> None:
    packet = memoryview(b"\x67" + u32(1) + string(b"x" * 1000))
    _, reply = replies.decode(packet)
    assert isinstance(reply, replies.Data) and isinstance(reply.data, memoryview)
    assert reply.data.obj is packet.obj


REPLIES = [
    ("65 00000009 00000002 00000004 676f6e65 00000000", replies.Status(2, "gone")),
    ("65 00000009 00000001", replies.Status(1)),
    ("66 00000009 00000002 6831", replies.Handle(b"h1")),
    ("67 00000009 00000003 616263", replies.Data(b"abc")),
    ("69 00000009" + SOME_BYTES, replies.Attrs(SOME)),
    (
        "68 00000009 00000001 00000001 61 00000002 2d61" + SOME_BYTES,
        replies.Names((Entry(b"a", b"-a", SOME),)),
    ),
    ("c9 00000009 0102", replies.ExtendedReply(b"\x01\x02")),
]


@pytest.mark.parametrize(("packet", "expected"), REPLIES, ids=lambda value: type(value).__name__)
def test_replies(packet: str, expected: replies.Reply) -> None:
    assert replies.decode(bytes.fromhex(packet)) == (9, expected)


@pytest.mark.parametrize(("packet", "expected"), REPLIES, ids=lambda value: type(value).__name__)
def test_a_reply_that_ends_early_is_none(packet: str, expected: replies.Reply) -> None:
    whole = bytes.fromhex(packet)
    if isinstance(expected, replies.ExtendedReply):
        return  # what is in it only whoever asked can tell
    for size in range(len(whole)):
        try:
            replies.decode(whole[:size])
        except Malformed:
            continue
        # The words of a status may be missing altogether; the language behind them is nobody's business.
        assert isinstance(expected, replies.Status) and size >= 9


def test_an_unknown_packet() -> None:
    with pytest.raises(Malformed, match="type 103, which|type 99, which"):
        replies.decode(b"\x63" + u32(1))


@pytest.mark.parametrize("flags", [0x10, 0x40000000, 0x7FFFFFFF])
def test_attributes_with_flags_of_other_versions(flags: int) -> None:
    with pytest.raises(Malformed, match="flags"):
        Attributes.read(Reader(u32(flags) + bytes(100)))


@pytest.mark.parametrize("count", [2, 2**31, 2**32 - 1])
def test_more_names_than_can_follow_are_not_believed(count: int) -> None:
    packet = b"\x68" + u32(1) + u32(count) + bytes(12)
    with pytest.raises(Malformed, match="announced"):
        replies.decode(packet)


def test_more_pairs_than_can_follow_are_not_believed() -> None:
    with pytest.raises(Malformed, match="announced"):
        Attributes.read(Reader(u32(0x80000000) + u32(2**32 - 1) + bytes(8)))


def test_a_handle_longer_than_any() -> None:
    assert replies.decode(b"\x66" + u32(1) + string(b"h" * 256)) == (1, replies.Handle(b"h" * 256))
    with pytest.raises(Malformed, match="257"):
        replies.decode(b"\x66" + u32(1) + string(b"h" * 257))


def test_the_version_and_what_is_offered() -> None:
    packet = b"\x02" + u32(3) + string(b"limits@openssh.com") + string(b"1") + string(b"x") + string(b"")
    assert replies.decode_version(packet) == (3, {b"limits@openssh.com": b"1", b"x": b""})
    with pytest.raises(Malformed, match="type 101"):
        replies.decode_version(b"\x65" + u32(3))
    with pytest.raises(Malformed, match="early"):
        replies.decode_version(packet[:-1])


def test_an_extension_counts_in_the_version_known_here() -> None:
    assert extensions.supported(extensions.StatVfs, {b"statvfs@openssh.com": b"2"})
    assert extensions.supported(extensions.StatVfs, {b"statvfs@openssh.com": b"1,2"})
    assert not extensions.supported(extensions.StatVfs, {b"statvfs@openssh.com": b"1"})
    assert not extensions.supported(extensions.StatVfs, {})


numbers = st.none() | st.integers(0, 2**32 - 1)


@given(
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    numbers,
    st.none() | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=3),
)
def test_attributes_come_back(size, owner, mode, times, extended) -> None:  # type: ignore[no-untyped-def]
    attributes = Attributes(size, *(owner or (None, None)), mode, *(times or (None, None)), tuple(extended))
    body = Reader(attributes.encode())
    assert Attributes.read(body) == attributes
    assert body.left == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_malformed(data: bytes) -> None:
    for read in (replies.decode, replies.decode_version):
        try:
            read(data)
        except Malformed:
            pass


def test_answers_of_extensions() -> None:
    words = b"".join(map(u64, range(11)))
    assert extensions.VfsStatistics.decode(words).namemax == 10
    assert extensions.LimitsReply.decode(b"".join(map(u64, (1, 2, 3, 4)))) == extensions.LimitsReply(1, 2, 3, 4)
    names = extensions.UsersGroups.decode(string(string(b"root") + string(b"")) + string(b""))
    assert names == extensions.UsersGroups(("root", ""), ())
    with pytest.raises(Malformed):
        extensions.check_counts(names, extensions.UsersGroupsById((0,), ()))
    with pytest.raises(Malformed):
        extensions.UsersGroups.decode(string(b"\x00\x00\x00\x05ro") + string(b""))
