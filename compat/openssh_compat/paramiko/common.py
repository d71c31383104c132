"""The numbers of the protocol, and the few constants that programs take from here (RFC 4250 section 4.1)."""

from __future__ import annotations

# ---- message numbers

MSG_DISCONNECT, MSG_IGNORE, MSG_UNIMPLEMENTED, MSG_DEBUG, MSG_SERVICE_REQUEST, MSG_SERVICE_ACCEPT, MSG_EXT_INFO = range(
    1, 8
)
MSG_KEXINIT, MSG_NEWKEYS = range(20, 22)
MSG_USERAUTH_REQUEST, MSG_USERAUTH_FAILURE, MSG_USERAUTH_SUCCESS, MSG_USERAUTH_BANNER = range(50, 54)
MSG_USERAUTH_PK_OK = 60
MSG_USERAUTH_INFO_REQUEST, MSG_USERAUTH_INFO_RESPONSE = range(60, 62)
MSG_USERAUTH_GSSAPI_RESPONSE, MSG_USERAUTH_GSSAPI_TOKEN = range(60, 62)
(
    MSG_USERAUTH_GSSAPI_EXCHANGE_COMPLETE,
    MSG_USERAUTH_GSSAPI_ERROR,
    MSG_USERAUTH_GSSAPI_ERRTOK,
    MSG_USERAUTH_GSSAPI_MIC,
) = range(63, 67)
HIGHEST_USERAUTH_MESSAGE_ID = 79
MSG_GLOBAL_REQUEST, MSG_REQUEST_SUCCESS, MSG_REQUEST_FAILURE = range(80, 83)
(
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_OPEN_SUCCESS,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_SUCCESS,
    MSG_CHANNEL_FAILURE,
) = range(90, 101)

_numbers = {name: number for name, number in list(globals().items()) if name.startswith("MSG_")}

MSG_NAMES = {number: name[4:].lower().replace("_", "-") for name, number in _numbers.items() if "GSSAPI" not in name}

# The same as single bytes: cMSG_...
globals().update({f"c{name}": bytes([number]) for name, number in _numbers.items()})

# ---- outcomes

AUTH_SUCCESSFUL, AUTH_PARTIALLY_SUCCESSFUL, AUTH_FAILED = range(3)

(
    OPEN_SUCCEEDED,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
    OPEN_FAILED_RESOURCE_SHORTAGE,
) = range(5)

CONNECTION_FAILED_CODE = {
    1: "Administratively prohibited",
    2: "Connect failed",
    3: "Unknown channel type",
    4: "Resource shortage",
}

DISCONNECT_SERVICE_NOT_AVAILABLE, DISCONNECT_AUTH_CANCELLED_BY_USER, DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE = (
    7,
    13,
    14,
)

# ---- bytes, modes, levels, sizes

zero_byte, one_byte, four_byte, max_byte = b"\x00", b"\x01", b"\x04", b"\xff"
cr_byte, linefeed_byte, crlf = b"\r", b"\n", b"\r\n"
cr_byte_value, linefeed_byte_value = 13, 10
xffffffff, x80000000 = 0xFFFFFFFF, 0x80000000

o666, o660, o644, o600, o777, o700, o70 = 0o666, 0o660, 0o644, 0o600, 0o777, 0o700, 0o70

# Those of `logging`, which takes long to load.
DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50

SSH_PORT = 22

# Seconds between two looks, in loops that poll.
io_sleep = 0.01

# Bytes. What a channel says of itself; the flow of data is the core's business.
DEFAULT_WINDOW_SIZE = 64 * 2**15
DEFAULT_MAX_PACKET_SIZE = 2**15
MIN_WINDOW_SIZE = 2**15
MIN_PACKET_SIZE = 2**12
MAX_WINDOW_SIZE = 2**32 - 1


def byte_chr(c: int) -> bytes:
    return bytes([c])


def byte_mask(c: int, mask: int) -> bytes:
    return bytes([c & mask])


def byte_ord(c: int | bytes) -> int:
    return c if isinstance(c, int) else ord(c)
