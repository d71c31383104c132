"""Keys of the original's, given to ours: a program does not change all its imports on one day."""

from __future__ import annotations

import base64
import io
from typing import Any

from .agent import AgentKey
from .message import Message
from .pkey import PKey, PublicBlob
from .ssh_exception import SSHException

__all__ = ["as_ours"]


def as_ours(key: Any) -> PKey:
    """The key itself where it is ours, else one of ours in its place.

    Raises:
        SSHException: the original does not say what its private part is.
    """
    if isinstance(key, PKey) or not hasattr(key, "write_private_key"):
        return key  # type: ignore[no-any-return]
    if hasattr(key, "inner_key"):
        return AgentKey(key.agent, key.blob, getattr(key, "comment", ""))
    ours = PKey(file_obj=io.StringIO(_written(key))) if key.can_sign() else PKey(data=key.asbytes())
    if key.public_blob is not None:
        ours.public_blob = PublicBlob(key.public_blob.key_type, key.public_blob.key_blob)
    return ours


def _written(key: Any) -> str:
    """The private part as text, in the format that all types have. (paramiko 4 and before know only the other one.)"""
    text = io.StringIO()
    openssh = getattr(type(key).write_private_key, "__globals__", {}).get("OPENSSH")
    try:
        key.write_private_key(text, **({} if openssh is None else {"file_format": openssh}))
    except Exception as error:
        # Of Ed25519 it writes none, and raises whatever comes; what there is to write is the seed.
        seed = bytes(getattr(key, "_signing_key", b""))
        if key.get_name() != "ssh-ed25519" or len(seed) != 32:
            raise SSHException(
                f"this {type(key).__name__} is of paramiko, which does not write it down: "
                "load it with openssh_compat.paramiko"
            ) from error
        return _ed25519(key.asbytes(), seed)
    return text.getvalue()


def _ed25519(public: bytes, seed: bytes) -> str:
    """A private key as in PROTOCOL.key of OpenSSH's source, under no passphrase."""
    secret = Message().add_bytes(bytes(8)).add_bytes(public).add_string(seed + public[-32:]).add_string("").asbytes()
    secret += bytes(range(1, 1 + -len(secret) % 8))
    whole = Message().add_bytes(b"openssh-key-v1\0").add_string("none").add_string("none").add_string("")
    data = base64.encodebytes(whole.add_int(1).add_string(public).add_string(secret).asbytes()).decode("ascii")
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{data}-----END OPENSSH PRIVATE KEY-----\n"
