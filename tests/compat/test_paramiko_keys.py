"""Keys, loaded, made, written and used for signing: the same over paramiko and over ours."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openssh_compat import paramiko as ours

CLASSES = {"rsa": "RSAKey", "ecdsa": "ECDSAKey", "ed25519": "Ed25519Key"}


def keygen(*arguments: object) -> str:
    words = ["ssh-keygen", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout


@pytest.fixture(scope="session")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Key files of every type and format; those whose name ends in -locked have the passphrase "open sesame"."""
    folder = tmp_path_factory.mktemp("keys")
    kinds = {"rsa": ["-t", "rsa", "-b", "2048"], "ecdsa": ["-t", "ecdsa"], "ed25519": ["-t", "ed25519"]}
    for kind, arguments in kinds.items():
        for form in ("", "-pem"):
            for lock, phrase in (("", ""), ("-locked", "open sesame")):
                if kind == "ed25519" and form:
                    continue  # that type has no such format
                format_ = ["-m", "PEM"] if form else []
                # One round of the function that makes a key of the passphrase: it is as hard to get right as with 16.
                words = [*arguments, *format_, "-a", "1", "-N", phrase, "-C", "a comment"]
                keygen("-q", *words, "-f", folder / f"{kind}{form}{lock}")
    keygen("-q", "-t", "ed25519", "-N", "", "-f", folder / "ca")
    for kind in kinds:
        keygen("-q", "-s", folder / "ca", "-I", "me", "-n", "me", folder / f"{kind}.pub")
    return {path.name: path for path in folder.iterdir()}


FILES = [f"{kind}{form}{lock}" for kind in CLASSES for form in ("", "-pem") for lock in ("", "-locked")]
FILES = [name for name in FILES if not name.startswith("ed25519-pem")]


def cls_of(paramiko: Any, name: str) -> Any:
    return getattr(paramiko, CLASSES[name.split("-")[0]])


@pytest.mark.behaviour("keys")
@pytest.mark.shows(
    "ECDSAKey.can_sign",
    "Ed25519Key.can_sign",
    "Ed25519Key.get_bits",
    "PKey",
    "PKey.algorithm_name",
    "PKey.can_sign",
    "PKey.get_fingerprint",
    "RSAKey.can_sign",
)
@pytest.mark.parametrize("name", FILES)
def test_a_key_of_its_class(paramiko: Any, key_files: Mapping[str, Path], name: str) -> None:
    path = key_files[name]
    key = cls_of(paramiko, name).from_private_key_file(str(path), "open sesame" if "locked" in name else None)
    kind, base64, _ = key_files[f"{name}.pub"].read_text().split(None, 2)
    bits, fingerprint = keygen("-l", "-f", path).split()[:2]
    md5 = keygen("-l", "-E", "md5", "-f", path).split()[1].removeprefix("MD5:").replace(":", "")
    assert (key.get_name(), key.get_base64()) == (kind, base64)
    assert (key.get_bits(), key.fingerprint, key.get_fingerprint().hex()) == (int(bits), fingerprint, md5)
    assert key.can_sign()
    assert repr(key) == f"PKey(alg={key.algorithm_name}, bits={bits}, fp={fingerprint})"
    public = cls_of(paramiko, name)(data=key.asbytes())
    assert public == key and hash(public) == hash(key) and not public.can_sign()


@pytest.mark.behaviour("locked-keys")
@pytest.mark.shows("PasswordRequiredException")
@pytest.mark.parametrize("name", [name for name in FILES if "locked" in name])
def test_a_locked_key(paramiko: Any, key_files: Mapping[str, Path], name: str) -> None:
    cls = cls_of(paramiko, name)
    with pytest.raises(paramiko.PasswordRequiredException, match="(?i)private key file is encrypted"):
        cls.from_private_key_file(str(key_files[name]))
    with pytest.raises(paramiko.SSHException) as caught:
        cls.from_private_key_file(str(key_files[name]), "wrong")
    assert not isinstance(caught.value, paramiko.PasswordRequiredException)


@pytest.mark.behaviour("locked-keys")
@pytest.mark.parametrize("name", FILES)
def test_the_loop_over_all_classes(paramiko: Any, key_files: Mapping[str, Path], name: str) -> None:
    """What programs do who do not know what kind of key they have."""
    password = "open sesame" if "locked" in name else None
    loaded = []
    for cls in (paramiko.RSAKey, paramiko.ECDSAKey, paramiko.Ed25519Key):
        try:
            loaded.append(cls.from_private_key_file(str(key_files[name]), password))
        except paramiko.SSHException:
            continue
    assert [type(key) for key in loaded] == [cls_of(paramiko, name)]


@pytest.mark.behaviour("keys")
@pytest.mark.shows("RSAKey")
def test_a_key_in_memory(paramiko: Any, key_files: Mapping[str, Path]) -> None:
    text = key_files["rsa-pem"].read_text()
    key = paramiko.RSAKey.from_private_key(io.StringIO(text))
    assert key == paramiko.RSAKey(file_obj=io.StringIO(text))
    assert key == paramiko.RSAKey(filename=str(key_files["rsa-pem"]))


@pytest.mark.behaviour("keys")
@pytest.mark.parametrize("text", ["", "no key at all\n", "-----BEGIN RSA PRIVATE KEY-----\n"])
def test_what_is_no_key(paramiko: Any, text: str) -> None:
    for cls in (paramiko.RSAKey, paramiko.ECDSAKey, paramiko.Ed25519Key):
        with pytest.raises(paramiko.SSHException):
            cls.from_private_key(io.StringIO(text))


@pytest.mark.behaviour("keys")
@pytest.mark.shows("PKey.from_private_key_file")
def test_a_key_file_that_is_not_there_either(paramiko: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        paramiko.RSAKey.from_private_key_file(str(tmp_path / "nothing"))


@pytest.mark.behaviour("locked-keys")
@pytest.mark.shows("Ed25519Key.asbytes", "PKey.asbytes")
def test_public_keys_that_are_none(paramiko: Any, key_files: Mapping[str, Path]) -> None:
    blob = paramiko.Ed25519Key.from_private_key_file(str(key_files["ed25519"])).asbytes()
    for make in (lambda: paramiko.RSAKey(data=blob), lambda: paramiko.RSAKey(data=b"rubbish"), paramiko.RSAKey):
        with pytest.raises(paramiko.SSHException):
            make()


@pytest.mark.behaviour("any-key")
@pytest.mark.shows("PKey.from_type_string", "RSAKey.asbytes")
def test_a_key_by_the_name_of_its_type(paramiko: Any, key_files: Mapping[str, Path]) -> None:
    for name in CLASSES:
        key = cls_of(paramiko, name).from_private_key_file(str(key_files[name]))
        same = paramiko.PKey.from_type_string(key.get_name(), key.asbytes())
        assert same == key and type(same) is type(key)
    with pytest.raises(paramiko.UnknownKeyType) as caught:
        paramiko.PKey.from_type_string("ssh-unheard-of", b"abc")
    assert caught.value.key_type == "ssh-unheard-of"


@pytest.mark.behaviour("any-key")
@pytest.mark.shows("ECDSAKey.get_name", "Ed25519Key.get_name", "PKey.from_path", "PKey.get_name", "RSAKey.get_name")
def test_a_key_of_whatever_class_with_its_certificate(paramiko: Any, key_files: Mapping[str, Path]) -> None:
    for name in CLASSES:
        for path in (key_files[name], key_files[f"{name}-cert.pub"]):
            key = paramiko.PKey.from_path(path)
            assert type(key) is cls_of(paramiko, name)
            assert key.public_blob.key_type == f"{key.get_name()}-cert-v01@openssh.com"


@pytest.mark.behaviour("any-key")
@pytest.mark.shows("PKey.load_certificate")
def test_giving_a_key_its_certificate(paramiko: Any, key_files: Mapping[str, Path]) -> None:
    key = paramiko.RSAKey.from_private_key_file(str(key_files["rsa"]))
    assert key.public_blob is None
    key.load_certificate(str(key_files["rsa-cert.pub"]))
    assert key.public_blob.key_type == "ssh-rsa-cert-v01@openssh.com"
    with pytest.raises(ValueError, match="incompatible with key type ssh-rsa"):
        key.load_certificate(str(key_files["ed25519-cert.pub"]))


@pytest.mark.behaviour("making-keys")
@pytest.mark.shows("ECDSAKey.get_bits", "RSAKey.get_bits")
def test_making_keys(paramiko: Any) -> None:
    assert paramiko.RSAKey.generate(2048).get_bits() == 2048
    assert paramiko.ECDSAKey.generate().get_name() == "ecdsa-sha2-nistp256"
    assert paramiko.ECDSAKey.generate(bits=384).get_bits() == 384
    with pytest.raises(ValueError, match="Unsupported key length: 100"):
        paramiko.ECDSAKey.generate(bits=100)


@pytest.mark.behaviour("making-keys")
@pytest.mark.shows("PKey.write_private_key", "PKey.write_private_key_file")
@pytest.mark.parametrize("password", [None, "open sesame"])
def test_writing_a_key(paramiko: Any, key_files: Mapping[str, Path], tmp_path: Path, password: str | None) -> None:
    key = paramiko.RSAKey.from_private_key_file(str(key_files["rsa"]))
    out = io.StringIO()
    key.write_private_key(out, password)
    assert out.getvalue().startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert paramiko.RSAKey.from_private_key(io.StringIO(out.getvalue()), password) == key
    path = tmp_path / "key"
    key.write_private_key_file(str(path), password, file_format=paramiko.pkey.OPENSSH)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "BEGIN OPENSSH" in path.read_text()
    assert paramiko.RSAKey.from_private_key_file(str(path), password) == key


def verified(tmp_path: Path, key: Any, data: bytes, signature: bytes) -> bool:
    """What the cryptography package says of a signature; it comes with the original."""
    import paramiko

    return bool(paramiko.PKey.from_type_string(key.get_name(), key.asbytes()).verify_ssh_sig(
        data, paramiko.Message(signature)
    ))  # fmt: skip


@pytest.mark.behaviour("making-keys")
@pytest.mark.shows("ECDSAKey.sign_ssh_data", "Ed25519Key.sign_ssh_data")
@pytest.mark.parametrize("name", ["rsa", "ecdsa-locked", "ed25519"])
def test_signing(paramiko: Any, key_files: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    key = cls_of(paramiko, name).from_private_key_file(str(key_files[name]), "open sesame")
    signature = key.sign_ssh_data(b"some data").asbytes()
    assert verified(tmp_path, key, b"some data", signature)
    assert not verified(tmp_path, key, b"other data", signature)


@pytest.mark.behaviour("making-keys")
@pytest.mark.shows("Message.get_text", "Message.rewind", "PKey.sign_ssh_data", "RSAKey.sign_ssh_data")
@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
def test_signing_with_the_digest_that_is_asked_for(
    paramiko: Any, key_files: Mapping[str, Path], algorithm: str
) -> None:
    key = paramiko.RSAKey.from_private_key_file(str(key_files["rsa"]))
    signature = key.sign_ssh_data(b"data", algorithm)
    signature.rewind()
    assert signature.get_text() == algorithm


# ---- ours alone


def test_a_private_key_shows_itself_nowhere(key_files: Mapping[str, Path]) -> None:
    key = ours.Ed25519Key.from_private_key_file(key_files["ed25519-locked"], "open sesame")
    assert key.comment == "" and "open sesame" not in f"{key!r} {key.private!r} {vars(key)!r}"


def test_the_comment_of_a_key_that_is_not_locked(key_files: Mapping[str, Path]) -> None:
    for name in CLASSES:
        assert ours.PKey.from_path(key_files[name]).comment == "a comment"


def test_a_file_that_others_can_read_is_read_all_the_same(key_files: Mapping[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "key"
    copy.write_bytes(key_files["rsa-pem"].read_bytes())
    copy.chmod(0o644)
    assert ours.RSAKey.from_private_key_file(copy).can_sign()


@pytest.mark.shows("PKey.from_private_key", "PKey.from_private_key_file")
def test_pkcs8_is_read(key_files: Mapping[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "key"
    copy.write_bytes(key_files["rsa"].read_bytes())
    copy.chmod(0o600)
    keygen("-q", "-p", "-m", "PKCS8", "-N", "", "-f", copy)
    assert "BEGIN PRIVATE KEY" in copy.read_text()
    assert ours.RSAKey.from_private_key_file(copy) == ours.RSAKey.from_private_key_file(key_files["rsa"])


def test_a_password_that_cannot_be_typed(key_files: Mapping[str, Path]) -> None:
    with pytest.raises(ours.SSHException, match="corrupt") as caught:
        ours.RSAKey.from_private_key_file(key_files["rsa-locked"], "open\nsesame")
    assert "line's end" in str(caught.value.__cause__)


@pytest.mark.shows("DSSKey")
def test_dsa_is_a_name_and_no_more(key_files: Mapping[str, Path]) -> None:
    for make in (ours.DSSKey, lambda: ours.DSSKey.from_private_key_file("x"), ours.DSSKey.generate):
        with pytest.raises(ours.SSHException, match="ed25519"):
            make()


@pytest.mark.shows("ECDSAKey", "RSAKey")
def test_what_needs_cryptography_says_so(key_files: Mapping[str, Path]) -> None:
    key = ours.RSAKey.from_private_key_file(key_files["rsa"])
    for call in (
        lambda: key.verify_ssh_sig(b"", ours.Message()),
        lambda: ours.RSAKey(key=object()),
        lambda: ours.ECDSAKey(vals=object()),
    ):
        with pytest.raises(NotImplementedError, match="cryptography"):
            call()
    public = ours.RSAKey(data=key.asbytes())
    for use in (lambda: public.sign_ssh_data(b""), lambda: public.write_private_key(io.StringIO())):
        with pytest.raises(ours.SSHException, match="no private part"):
            use()


@pytest.mark.shows("Ed25519Key")
def test_ed25519_keys_are_made_and_written_too(tmp_path: Path) -> None:
    key = ours.Ed25519Key.generate()
    key.write_private_key_file(tmp_path / "key", "open sesame")
    assert ours.Ed25519Key.from_private_key_file(tmp_path / "key", "open sesame") == key
