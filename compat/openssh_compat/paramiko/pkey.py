"""Keys: a public part that is read here, and a private one that only ssh-keygen and agents ever use.

A private key stays the text it was, with the passphrase that opens it. Nothing here computes with it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn

from .._shim import refused
from . import _keygen
from ._key_text import KeyText, blob_bits, blob_type, read_key_text
from ._kin import kin
from ._lent import lend
from .message import Message
from .ssh_exception import PasswordRequiredException, SSHException, _Error

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["OPENSSH", "PEM", "FileFormat", "PKey", "PublicBlob", "UnknownKeyType"]


@kin("pkey")
class UnknownKeyType(_Error):
    """A type of key that there is no class for.

    Attributes:
        key_type, key_bytes: the type, and the key.
    """

    def __init__(self, key_type: str | None = None, key_bytes: bytes | None = None) -> None:
        # What it was made with is in `args` already.
        self.key_type = key_type
        self.key_bytes = key_bytes

    def __str__(self) -> str:
        size = len(self.key_bytes or b"")
        return f"UnknownKeyType(type={self.key_type!r}, bytes=<{size}>)"


class FileFormat(NamedTuple):
    """How a private key is written down. Use `PEM` and `OPENSSH`."""

    format: str
    encoding: str


PEM = FileFormat("TraditionalOpenSSL", "PEM")
OPENSSH = FileFormat("OpenSSH", "PEM")


class PrivatePart:
    """The text of a private key, and what opens it.

    Attributes:
        text: as in the file.
        passphrase: None when it needs none.
        path: the file, when it came from one.
    """

    __slots__ = ("passphrase", "path", "text")

    def __init__(self, text: bytes, passphrase: str | None, path: str | None) -> None:
        self.text = text
        self.passphrase = passphrase
        self.path = path

    def __repr__(self) -> str:
        return "<PrivatePart>"


class PublicBlob:
    """A public key or a certificate, as it is in a file.

    Attributes:
        key_type: such as `ssh-ed25519-cert-v01@openssh.com`.
        key_blob: the bytes.
        comment: the rest of the line.
    """

    def __init__(self, type_: str, blob: bytes, comment: str | None = None) -> None:
        self.key_type = type_
        self.key_blob = blob
        self.comment = comment

    @classmethod
    def from_file(cls, filename: str | os.PathLike[str]) -> PublicBlob:
        """The first line of a file."""
        with open(filename, encoding="utf-8") as file:
            return cls.from_string(file.read())

    @classmethod
    def from_string(cls, string: str) -> PublicBlob:
        """`type base64 comment`.

        Raises:
            ValueError: it is no such line.
        """
        fields = string.split(None, 2)
        if len(fields) < 2:
            raise ValueError(f"Not enough fields for public blob: {fields}")
        blob = base64.b64decode(fields[1])
        if blob_type(blob) != fields[0]:
            raise ValueError(f"Invalid PublicBlob contents: key type={fields[0]!r}, but blob type={blob_type(blob)!r}")
        return cls(fields[0], blob, fields[2].strip() if len(fields) > 2 else None)

    @classmethod
    def from_message(cls, message: Message) -> PublicBlob:
        """What a message holds as a whole."""
        return cls(message.get_text(), message.asbytes())

    def __str__(self) -> str:
        return f"{self.key_type} public key/certificate{f'- {self.comment}' if self.comment else ''}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicBlob) and self.key_blob == other.key_blob

    def __hash__(self) -> int:
        return hash(self.key_blob)


class PKey:
    """A key. This class takes any type; its subclasses take one.

    Args:
        msg, data: the public key.
        filename, file_obj: the private key, in a file or an open one.
        password: of the private key.

    Attributes:
        public_blob: the certificate, if one was loaded.
        private: the private part; None for a public key.

    Raises:
        SSHException: it is no such key.
        PasswordRequiredException: it is encrypted, and there is no password.
    """

    # The types a class takes (none: all), the name of the algorithm, and the word in PEM files.
    _types: tuple[str, ...] = ()
    _algorithm = ""
    _pem_tag = "OPENSSH"

    # What there is before anything was loaded: subclasses may not call __init__.
    _blob = b""
    public_blob: PublicBlob | None = None
    private: PrivatePart | None = None
    comment = ""

    BEGIN_TAG = re.compile(r"^-{5}BEGIN (RSA|EC|OPENSSH) PRIVATE KEY-{5}\s*$")
    END_TAG = re.compile(r"^-{5}END (RSA|EC|OPENSSH) PRIVATE KEY-{5}\s*$")

    def __init__(
        self,
        msg: Message | None = None,
        data: bytes | None = None,
        filename: str | os.PathLike[str] | None = None,
        password: str | bytes | None = None,
        file_obj: IO[Any] | None = None,
    ) -> None:
        if filename is not None:
            path = os.fspath(filename)
            with open(path, "rb") as file:
                self._load(file.read(), password, path)
        elif file_obj is not None:
            text = file_obj.read()
            self._load(text.encode() if isinstance(text, str) else bytes(text), password, None)
        else:
            self._take(msg.asbytes() if data is None and msg is not None else data)

    def _take(self, blob: bytes | None) -> None:
        if blob is None:
            if self._types:
                raise SSHException("Key object may not be empty")
            return
        kind = blob_type(blob)
        plain = kind.replace("-cert-v01@openssh.com", "")
        if self._types and plain not in self._types:
            raise SSHException(f"Invalid key (class: {type(self).__name__}, data type: {kind})")
        if plain != kind:
            self.public_blob = PublicBlob(kind, blob)
            blob = _without_certificate(plain, blob)
        self._blob = bytes(blob)

    def _load(self, text: bytes, password: str | bytes | None, path: str | None) -> None:
        shown = self._examine(text)
        secret = password.decode("utf-8", "surrogateescape") if isinstance(password, bytes) else password
        if shown.encrypted and secret is None:
            raise PasswordRequiredException("Private key file is encrypted")
        public = shown.public
        if public is None or shown.encrypted:
            try:
                line = _keygen.public_line(text, secret if shown.encrypted else None)
            except SSHException as error:
                raise SSHException("Bad password or corrupt private key file") from error
            public = base64.b64decode(line.split()[1])
        self._take(public)
        self.comment = shown.comment
        self.private = PrivatePart(text, secret if shown.encrypted else None, path)

    def _examine(self, text: bytes) -> KeyText:
        try:
            shown = read_key_text(text)
        except ValueError as error:
            raise SSHException(str(error)) from error
        if shown is None:
            if not text.strip():
                raise SSHException(f"no lines in {self._pem_tag} private key file")
            raise SSHException(f"not a valid {self._pem_tag} private key file")
        if self._types and shown.tag in ("RSA", "EC", "DSA") and shown.tag != self._pem_tag:
            raise SSHException(f"encountered {shown.tag} key, expected {self._pem_tag} key")
        return shown

    # ---- loading

    @classmethod
    def from_private_key_file(cls, filename: str | os.PathLike[str], password: str | bytes | None = None) -> Self:
        """The key of a private key file. A certificate beside it is not looked for.

        Raises:
            OSError: the file cannot be read.
            PasswordRequiredException: it is encrypted, and there is no password.
            SSHException: the password is wrong, or it is no key of this class.
        """
        return cls(filename=filename, password=password)

    @classmethod
    def from_private_key(cls, file_obj: IO[Any], password: str | bytes | None = None) -> Self:
        """The same of an open file."""
        return cls(file_obj=file_obj, password=password)

    @staticmethod
    def from_path(
        path: str | os.PathLike[str],
        password: str | bytes | None = None,
        passphrase: str | bytes | None = None,
    ) -> PKey:
        """A key of whatever type, with its certificate: `x` takes `x-cert.pub`, and may be named by that.

        Args:
            password, passphrase: the same, under the names it has had.

        Raises:
            UnknownKeyType: there is no class for it, and ssh-keygen does not know it either.
            ValueError: it is no private key at all.
            OSError, PasswordRequiredException, SSHException: as `from_private_key_file`.
        """
        from pathlib import Path

        where = Path(path).expanduser()
        suffix = "-cert.pub"
        private = where.with_name(where.name.removesuffix(suffix))
        try:
            found = PKey(filename=private, password=password if passphrase is None else passphrase)
        except SSHException as error:
            raise _not_loaded(private.read_bytes(), error) from error.__cause__
        key = _of_its_class(found)
        certificate = private.with_name(private.name + suffix)
        if certificate.exists():
            key.load_certificate(certificate)
        return key

    @staticmethod
    def from_type_string(key_type: str, key_bytes: bytes, password: str | bytes | None = None) -> PKey:
        """A public key of a type.

        Raises:
            UnknownKeyType: there is no class for the type.
        """
        for kind in _key_classes():
            if key_type.replace("-cert-v01@openssh.com", "") in kind.identifiers():
                return kind(data=key_bytes)
        raise UnknownKeyType(key_type, key_bytes)

    @classmethod
    def identifiers(cls) -> list[str]:
        """The names of types and algorithms that this class stands for."""
        return list(cls._types or filter(None, [getattr(cls, "name", "")]))

    # ---- what it is

    def asbytes(self) -> bytes:
        """The public key, as in RFC 4253 section 6.6."""
        return self._blob

    __bytes__ = asbytes

    def __repr__(self) -> str:
        return f"PKey(alg={self.algorithm_name}, bits={self.get_bits()}, fp={self.fingerprint})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PKey) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(tuple(self._fields))

    @property
    def _fields(self) -> list[Any]:
        return [self.get_name(), self.asbytes()]

    def get_name(self) -> str:
        """Its type, such as `ssh-ed25519`."""
        return blob_type(self._blob)

    @property
    def algorithm_name(self) -> str:
        """RSA, ECDSA, ED25519, or what the type says."""
        return self._algorithm or self.get_name().removeprefix("ssh-").split("@")[0].upper()

    def get_bits(self) -> int:
        return blob_bits(self._blob)

    @property
    def size(self) -> int:
        return self.get_bits()

    def can_sign(self) -> bool:
        """Whether there is a private part."""
        return self.private is not None

    def get_fingerprint(self) -> bytes:
        """The MD5 fingerprint, 16 bytes."""
        import hashlib

        return hashlib.md5(self.asbytes(), usedforsecurity=False).digest()

    @property
    def fingerprint(self) -> str:
        """The SHA256 fingerprint, as ssh prints it."""
        import hashlib

        digest = base64.b64encode(hashlib.sha256(self.asbytes()).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    def get_base64(self) -> str:
        """The public key, as in .pub files."""
        return base64.b64encode(self.asbytes()).decode("ascii")

    def load_certificate(self, value: str | os.PathLike[str] | Message) -> None:
        """Give the key its certificate.

        Args:
            value: a file, the line in it, or a message.

        Raises:
            ValueError: the certificate is of another type of key.
        """
        if isinstance(value, Message):
            blob = PublicBlob.from_message(value)
        elif isinstance(value, os.PathLike) or os.path.isfile(value):
            blob = PublicBlob.from_file(value)
        else:
            blob = PublicBlob.from_string(value)
        if not blob.key_type.startswith(self.get_name()):
            raise ValueError(f"PublicBlob type {blob.key_type} incompatible with key type {self.get_name()}")
        self.public_blob = blob

    # ---- writing

    def write_private_key_file(
        self, filename: str | os.PathLike[str], password: str | None = None, file_format: FileFormat = PEM
    ) -> None:
        """Write the private key to a file that only its owner can read (as far as it was not there before).

        Args:
            password: encrypts it.
            file_format: `PEM`, or `OPENSSH`, which is also what a type gets that has no PEM.

        Raises:
            SSHException: there is no private part.
        """
        data = self._written(password, file_format)
        with open(os.open(filename, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)

    def write_private_key(self, file_obj: IO[Any], password: str | None = None, file_format: FileFormat = PEM) -> None:
        """The same to an open file, for text or for bytes."""
        data = self._written(password, file_format)
        try:
            file_obj.write(data.decode("ascii"))
        except TypeError:
            file_obj.write(data)

    def _written(self, password: str | None, file_format: FileFormat) -> bytes:
        if self.private is None:
            raise SSHException("there is no private part to this key, so it cannot be written")
        text, old = self.private.text, self.private.passphrase
        return _keygen.change_form(text, old, password, pem=tuple(file_format) == tuple(PEM))

    # ---- signing

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> Message:
        """Sign, by an agent of our own that is given the key for that.

        Args:
            algorithm: `rsa-sha2-256` or `rsa-sha2-512` (the default) for RSA keys; others have one.

        Returns:
            the signature, as in RFC 4253 section 6.6.

        Raises:
            SSHException: there is no private part, or the agent refuses.
        """
        from ._private_agent import sign

        if self.private is None:
            raise SSHException("there is no private part to this key, so it cannot sign")
        return Message(sign(self.private, self._blob, data, algorithm))

    @refused
    def verify_ssh_sig(self, data: bytes, msg: Message) -> bool:
        """Not to be had: no program of OpenSSH verifies a bare signature.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "openssh_compat does no cryptography, and ssh-keygen verifies only its own format of signatures: "
            "use `ssh-keygen -Y sign` and `ssh-keygen -Y verify`, or the cryptography package"
        )


def no_cryptography(_key: PKey) -> NoReturn:
    """For attributes that are objects of the `cryptography` package."""
    raise NotImplementedError(
        "openssh_compat does no cryptography: write the key down with write_private_key() and load it with the "
        "cryptography package"
    )


def _key_classes() -> Sequence[type[PKey]]:
    from . import key_classes

    return key_classes


def _not_loaded(text: bytes, error: SSHException) -> Exception:
    """What `from_path` raises where no class is asked for."""
    try:
        shown = read_key_text(text)
    except ValueError:
        return error
    if shown is None:
        return ValueError(str(error))
    # In a format that many kinds of keys have, and not locked: it is the kind that nobody knows.
    return error if shown.tag else UnknownKeyType(key_bytes=text)


def _of_its_class(found: PKey) -> PKey:
    for kind in _key_classes():
        if found.get_name() in kind.identifiers():
            key = kind(data=found.asbytes())
            key.private, key.comment = found.private, found.comment
            return key
    # ssh can use it all the same: a security key, for one.
    return found


def _without_certificate(plain: str, blob: bytes) -> bytes:
    """The public key that a certificate is about (PROTOCOL.certkeys): type, nonce, then the key's own fields."""
    fields = {"ssh-rsa": 2, "ssh-ed25519": 1, "ssh-dss": 4}.get(plain, 2)
    certificate, public = Message(blob), Message()
    certificate.get_string(), certificate.get_string()
    public.add_string(plain)
    for _ in range(fields):
        public.add_string(certificate.get_string())
    return public.asbytes()


def public_key(line: str) -> PKey | None:
    """The key of `type base64 ...`, of whatever type; None when there is none."""
    words = line.split()
    try:
        key = PKey(data=base64.b64decode(words[1], validate=True))
    except (IndexError, binascii.Error):
        return None
    return _of_its_class(key) if key.get_name() else None


lend(__name__)
